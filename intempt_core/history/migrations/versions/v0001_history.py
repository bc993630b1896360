"""The first version: batches, their requests, the attempts and their responses."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _only(condition: str) -> dict[str, Any]:
    """What makes an index partial, in both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "batches",
        sa.Column("number", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("target_key", sa.Text(), nullable=False),
        sa.Column("target_name", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("org", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("track_url", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("production", sa.Boolean(), nullable=False),
        sa.Column("deduplicates", sa.Boolean(), nullable=False),
        sa.Column("credential_reference", sa.Text(), nullable=False),
        sa.Column("feeds", sa.JSON(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("left_behind", sa.BigInteger(), nullable=False),
        sa.Column("persons", sa.BigInteger(), nullable=False),
        sa.Column("lanes", sa.Integer(), nullable=False),
        sa.Column("resend_of", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("batches_by_digest", "batches", ["digest"])
    op.create_index("batches_by_state", "batches", ["state"])
    op.create_index("batches_by_target", "batches", ["target_key"])
    op.create_table(
        "left_behind",
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger()),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.ForeignKeyConstraint(["batch"], ["batches.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", "row"),
    )
    op.create_table(
        "requests",
        sa.Column("id", KEY, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("doubt", sa.Boolean(), nullable=False),
        sa.Column("retry_at", sa.BigInteger()),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.BigInteger()),
        sa.Column("last_attempt", sa.BigInteger()),
        sa.ForeignKeyConstraint(["batch"], ["batches.number"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["parent"], ["requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("requests_halves", "requests", ["parent"])
    op.create_index("requests_leaving", "requests", ["batch"], **_only("state = 'leaving'"))
    op.create_index("requests_of_batch", "requests", ["batch", "id"])
    op.create_index("requests_work", "requests", ["batch", "state", "lane", "position", "part", "events"])
    op.create_table(
        "attempts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("request", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("elapsed_ms", sa.Float(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("sent_headers", sa.JSON(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("answer_length", sa.BigInteger(), nullable=False),
        sa.Column("answer_cut", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attempts_of_request", "attempts", ["request"])
    op.create_table(
        "bodies",
        sa.Column("request", KEY, autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("request"),
    )
    op.create_table(
        "events",
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger()),
        sa.Column("name", sa.Text()),
        sa.Column("event_id", sa.Text()),
        sa.Column("profile_id", sa.Text()),
        sa.Column("user_id", sa.Text()),
        sa.Column("another_user_id", sa.Text()),
        sa.Column("account_id", sa.Text()),
        sa.Column("product_id", sa.Text()),
        sa.Column("timestamp", sa.BigInteger()),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("request", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index("events_by_account_id", "events", ["account_id", "batch"], **_only("account_id IS NOT NULL"))
    op.create_index(
        "events_by_another_user_id", "events", ["another_user_id", "batch"], **_only("another_user_id IS NOT NULL")
    )
    op.create_index("events_by_event_id", "events", ["event_id", "batch"], **_only("event_id IS NOT NULL"))
    op.create_index("events_by_product_id", "events", ["product_id", "batch"], **_only("product_id IS NOT NULL"))
    op.create_index("events_by_profile_id", "events", ["profile_id", "batch"], **_only("profile_id IS NOT NULL"))
    op.create_index("events_by_user_id", "events", ["user_id", "batch"], **_only("user_id IS NOT NULL"))
    op.create_index("events_of_row", "events", ["batch", "row"])
