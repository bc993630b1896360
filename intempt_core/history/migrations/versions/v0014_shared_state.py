"""What several consoles share beside history: mappings, rules, checks, catalogues, and which files were uploaded."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the tables."""
    for table in ("mappings", "team_rules", "checks"):
        op.create_table(
            table,
            sa.Column("key", sa.Text(), primary_key=True),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("document", sa.Text(), nullable=False),
            sa.Column("changed_at", sa.BigInteger(), nullable=False),
        )
    op.create_table(
        "catalogues",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("loaded_at", sa.BigInteger(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "upload_tokens",
        sa.Column("token", sa.Text(), primary_key=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("upload_tokens_by_seen", "upload_tokens", ["seen_at"])
    op.create_table(
        "uploads",
        sa.Column("token", sa.Text(), sa.ForeignKey("upload_tokens.token", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False),
        sa.Column("is_taken", sa.Boolean(), nullable=False),
        sa.Column("is_let_go", sa.Boolean(), nullable=False),
    )
    op.create_index("uploads_by_digest", "uploads", ["digest"])
