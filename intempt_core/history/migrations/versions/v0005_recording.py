"""A batch says how far it is recorded and by which process, for it is sent while it is recorded.

Until here nothing of a batch was sent before all of it was recorded, which was a state of its own. What is in it now
was left behind by a process that has ended, or is written by an older console that cannot go on with these tables: it
is cancelled, as that console would have done.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

REASON = "It was not recorded completely; nothing was sent."


def upgrade() -> None:
    """Add both columns, and cancel what was half recorded."""
    op.add_column("batches", sa.Column("unrecorded", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("batches", sa.Column("recorder", sa.Text(), nullable=False, server_default=""))
    batches = sa.table(
        "batches",
        sa.column("number", sa.BigInteger()),
        sa.column("state", sa.Text()),
        sa.column("reason", sa.Text()),
        sa.column("resend_of", sa.Text()),
    )
    requests = sa.table(
        "requests", sa.column("batch", sa.BigInteger()), sa.column("state", sa.Text()), sa.column("resend_of")
    )
    half = sa.select(batches.c.number).where(batches.c.state == "recording")
    op.execute(sa.update(requests).where(requests.c.batch.in_(half)).values(state="cancelled", resend_of=sa.null()))
    op.execute(
        sa.update(batches).where(batches.c.state == "recording").values(state="cancelled", reason=REASON, resend_of="")
    )
