"""How many events of an attempt are ignored as repeated: a later verdict replaces all that an earlier one added."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the count; of earlier attempts only the seconds of their batches have it."""
    op.add_column("attempts", sa.Column("repeated", sa.Integer()))
