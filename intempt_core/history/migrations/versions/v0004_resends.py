"""A request says which request it sends again; of the resends that are there it is found by their bodies."""

from collections import defaultdict, deque
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BATCHES = sa.table(
    "batches", sa.column("number", sa.BigInteger()), sa.column("id", sa.Text()), sa.column("resend_of", sa.Text())
)
REQUESTS = sa.table(
    "requests",
    sa.column("id", sa.BigInteger()),
    sa.column("batch", sa.BigInteger()),
    sa.column("lane", sa.Integer()),
    sa.column("position", sa.BigInteger()),
    sa.column("part", sa.Text()),
    sa.column("parent", sa.BigInteger()),
    sa.column("resend_of", sa.BigInteger()),
)
BODIES = sa.table("bodies", sa.column("request", sa.BigInteger()), sa.column("body", sa.LargeBinary()))


def upgrade() -> None:
    """Add the column and its index, and fill it."""
    op.add_column("requests", sa.Column("resend_of", sa.BigInteger()))
    is_resend = sa.text("resend_of IS NOT NULL")
    op.create_index("requests_by_resend", "requests", ["resend_of"], sqlite_where=is_resend, postgresql_where=is_resend)
    op.create_index("batches_by_resend", "batches", ["resend_of"])
    connection = op.get_bind()
    original = BATCHES.alias("original")
    pairs = sa.select(original.c.number, BATCHES.c.number).join(original, original.c.id == BATCHES.c.resend_of)
    for before, after in connection.execute(pairs.order_by(BATCHES.c.number)).all():
        _link_requests(connection, before, after)


def _link_requests(connection: sa.Connection, before: int, after: int) -> None:
    """Link the requests of a resend to those of the batch that it sends again: the first one with the same body.

    Under new ids the bodies differ, and there is no link.
    """
    by_body: defaultdict[bytes, deque[int]] = defaultdict(deque)
    for id_, body in connection.execute(_select_bodies(before)):
        by_body[body].append(id_)
    links = [
        {"of": by_body[body].popleft(), "id_": id_}
        for id_, body in connection.execute(_select_bodies(after).where(REQUESTS.c.parent.is_(None)))
        if by_body.get(body)
    ]
    if links:
        same = sa.update(REQUESTS).where(REQUESTS.c.id == sa.bindparam("id_"))
        connection.execute(same.values(resend_of=sa.bindparam("of")), links)


def _select_bodies(batch: int) -> sa.Select[Any]:
    """Requests with their bodies, which the same text is compressed to, in the order of the lanes."""
    found = sa.select(REQUESTS.c.id, BODIES.c.body).join(BODIES, BODIES.c.request == REQUESTS.c.id)
    place = REQUESTS.c.lane, REQUESTS.c.position, REQUESTS.c.part
    return found.where(REQUESTS.c.batch == batch).order_by(*place)
