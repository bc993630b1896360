"""What a sandbox says became of the events: of each attempt, and counted into the seconds of its batch."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the counts; of earlier attempts they are not known."""
    for name in ("processed", "ignored"):
        op.add_column("attempts", sa.Column(name, sa.Integer()))
    for name in ("processed", "ignored", "repeated"):
        op.add_column("seconds", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
