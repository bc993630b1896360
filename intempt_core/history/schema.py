"""The tables of history: one schema that SQLite and PostgreSQL both take.

It is what the migrations in ``intempt_core/migrations`` lead to; a test holds that both agree. Children name their
batch by its short ``number``, people name it by its ``id``.

The index ``requests_work`` answers the two questions asked all the time: what stands where (counts by state, from the
index alone), and what comes next in a lane. The indexes by id and identity carry the batch's number, so that a search
jumps from batch to batch and need not read every event of a popular product.
"""

from hashlib import sha256

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    literal_column,
)

from intempt_core.history.records import SEARCH_COLUMNS

MAX_INDEXED_LENGTH = 512
"""Characters of an id that history keeps; of a longer one its beginning and its digest: a B-tree's page has an end."""

metadata = MetaData()

_KEY_TYPE = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only an INTEGER PRIMARY KEY

batches: Table = Table(
    "batches",
    metadata,
    Column("number", _KEY_TYPE, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("target_key", Text, nullable=False),
    Column("target_name", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("org", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("track_url", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("production", Boolean, nullable=False),
    Column("deduplicates", Boolean, nullable=False),
    Column("credential_reference", Text, nullable=False),
    Column("feeds", JSON, nullable=False),
    Column("policy", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("excluded_rows", BigInteger, nullable=False),
    Column("persons", BigInteger, nullable=False),
    Column("lanes", Integer, nullable=False),
    Column("resend_of", Text, nullable=False),
    Index("batches_by_state", "state"),
    Index("batches_by_digest", "digest"),
    Index("batches_by_target", "target_key"),
)

requests: Table = Table(
    "requests",
    metadata,
    Column("id", _KEY_TYPE, primary_key=True),
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column(
        "part", Text, nullable=False
    ),  # "" for a whole; halves "0" and "1", theirs "00", "01": text order is lane order
    Column("events", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("doubt", Boolean, nullable=False),
    Column("retry_at", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    Column("parent", BigInteger, ForeignKey("requests.id", ondelete="CASCADE")),
    Column("last_attempt", BigInteger),  # attempts count up, so this is also the order of arrival (CONTRACT 4.7)
    Index("requests_work", "batch", "state", "lane", "position", "part", "events"),
    Index("requests_of_batch", "batch", "id"),
    Index("requests_halves", "parent"),
)
_IN_FLIGHT = literal_column("state") == literal_column("'in flight'")
Index("requests_in_flight", requests.c.batch, sqlite_where=_IN_FLIGHT, postgresql_where=_IN_FLIGHT)

# Apart from their requests: a state changes at least twice, and a row that changes is written again whole.
bodies: Table = Table(
    "bodies",
    metadata,
    Column("request", _KEY_TYPE, ForeignKey("requests.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # zlib
)

attempts: Table = Table(
    "attempts",
    metadata,
    Column("id", _KEY_TYPE, primary_key=True),
    Column("request", BigInteger, ForeignKey("requests.id", ondelete="CASCADE"), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("elapsed_ms", Float, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("reason", Text, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("sent_headers", JSON, nullable=False),
    Column("response_body", LargeBinary, nullable=False),
    Column("response_length", BigInteger, nullable=False),
    Column("response_truncated", Boolean, nullable=False),
    Index("attempts_of_request", "request"),
)

# What the attempts of a batch said, second by second: a screen asks twice a second how a batch goes.
seconds: Table = Table(
    "seconds",
    metadata,
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
    Column("second", BigInteger, primary_key=True),  # since 1970, in which the attempts ended
    Column("outcome", Text, primary_key=True),
    Column("attempts", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The few answers of a batch that took longest.
slowest: Table = Table(
    "slowest",
    metadata,
    Column("attempt", _KEY_TYPE, ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("batch", BigInteger, nullable=False),
    Column("elapsed_ms", Float, nullable=False),
    Index("slowest_of_batch", "batch", "elapsed_ms"),
)

# No id of its own and no rowid: an event is its place in its request, which spares one index in a million rows.
events: Table = Table(
    "events",
    metadata,
    Column("batch", BigInteger, nullable=False),  # its request's; no foreign key: a million rows need not look twice
    Column("request", BigInteger, ForeignKey("requests.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("row", BigInteger, nullable=False),
    Column("line", BigInteger),
    Column("name", Text),
    Column("event_id", Text),
    Column("profile_id", Text),
    Column("user_id", Text),
    Column("another_user_id", Text),
    Column("account_id", Text),
    Column("product_id", Text),
    Column("timestamp", BigInteger),
    Index("events_of_row", "batch", "row"),
    sqlite_with_rowid=False,
)
for _name in SEARCH_COLUMNS:
    _given = events.c[_name].is_not(None)
    Index(f"events_by_{_name}", events.c[_name], events.c.batch, sqlite_where=_given, postgresql_where=_given)

excluded_rows: Table = Table(
    "excluded_rows",
    metadata,
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
    Column("row", BigInteger, primary_key=True),
    Column("line", BigInteger),
    Column("codes", Text, nullable=False),  # separated by spaces
    Column("event_id", Text),
    Column("name", Text),
)


def make_indexable(text: str) -> str:
    """A text as both databases can hold and index it; nearly every text is kept as it is.

    Lone surrogates and NUL are written as escapes, a text beyond :data:`MAX_INDEXED_LENGTH` characters as its beginning and its
    digest. The same text gives the same result, so a search puts its own text through here.
    """
    if len(text) <= MAX_INDEXED_LENGTH and text.isascii() and "\0" not in text:
        return text
    whole = text.encode("utf-8", "backslashreplace").replace(b"\0", b"\\x00")
    text = whole.decode()
    return text if len(text) <= MAX_INDEXED_LENGTH else f"{text[: MAX_INDEXED_LENGTH - 65]}…{sha256(whole).hexdigest()}"


def make_storable(text: str) -> str:
    """A text of any length without what a database cannot hold."""
    return text.encode("utf-8", "backslashreplace").replace(b"\0", b"\\x00").decode()
