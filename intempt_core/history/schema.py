"""The tables of history: one schema that SQLite and PostgreSQL both take.

It is what the migrations lead to; a test holds that both agree. Rows of other tables name their batch by its short
``number``, people name it by its ``id``.

The index ``requests_work`` serves the two queries that run all the time: how many requests are in each state (from the
index alone), and which come next in a lane. The index by event id and the keys of events have the batch's number, so
that a search jumps from batch to batch and does not read every event of a popular product.
"""

from hashlib import sha256

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    literal_column,
)

MAX_INDEXED_LENGTH = 512
"""Longest id that is stored whole, in characters: the page of an index is limited."""

MAX_NAME_LENGTH = 120
"""Longest name of a batch, in characters."""

metadata = MetaData()

_KEY_TYPE = BigInteger().with_variant(Integer, "sqlite")  # SQLite generates ids only for an INTEGER PRIMARY KEY

_ID_TYPE = Text().with_variant(Text(collation="C"), "postgresql")
"""Texts in the order of their bytes, as SQLite has them anyway: so what begins alike is a range of the index."""

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
    # How many events are still to be recorded, and the process that does so, or records the excluded rows after them.
    # Nobody records a batch that is whole, or that was given up.
    Column("unrecorded", BigInteger, nullable=False, server_default="0"),
    Column("recorder", Text, nullable=False, server_default=""),
    # What a person calls it, empty where nobody does; with the label, folded, as one text that is searched.
    Column("name", Text, nullable=False, server_default=""),
    Column("search_text", Text, nullable=False, server_default=""),
    Column("dismissed_at", BigInteger),  # when a person decided that what is unknown or not sent stays so
    # In how many groups its lanes are, which workers own one by one; 0: in none, and ``owner`` owns all of it.
    Column("groups", Integer, nullable=False, server_default="0"),
    # How many attempts a worker made, or ended, after it had lost what they are of.
    Column("overtaken", BigInteger, nullable=False, server_default="0"),
    # Whether its target had a webhook when it was confirmed, which is told of its end.
    Column("announces", Boolean, nullable=False, server_default=false()),
    Index("batches_by_search_text", "search_text"),
    Index("batches_by_state", "state"),
    Index("batches_by_digest", "digest"),
    Index("batches_by_target", "target_key"),
    Index("batches_by_resend", "resend_of"),
)

requests: Table = Table(
    "requests",
    metadata,
    Column("id", _KEY_TYPE, primary_key=True),
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    # "" for a whole one; its halves are "0" and "1", theirs "00" and "01": the order of texts is the order in the lane
    Column("part", Text, nullable=False),
    Column("events", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("doubt", Boolean, nullable=False),
    Column("retry_at", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    Column("parent", BigInteger, ForeignKey("requests.id", ondelete="CASCADE")),
    # The request that it sends again. No foreign key: deleting would look for each request's resends, and a resend has
    # the larger id, so that an id it names is not given again while it is there.
    Column("resend_of", BigInteger),
    Column("last_attempt", BigInteger),  # attempts count up, so this is also the order of arrival (CONTRACT 4.7)
    Index("requests_work", "batch", "state", "lane", "position", "part", "events"),
    Index("requests_of_batch", "batch", "id"),
    Index("requests_halves", "parent"),
)
_IN_FLIGHT = literal_column("state") == literal_column("'in flight'")
Index("requests_in_flight", requests.c.batch, sqlite_where=_IN_FLIGHT, postgresql_where=_IN_FLIGHT)
IS_UNRESOLVED: ColumnElement[bool] = literal_column("state IN ('unknown', 'not sent')")
"""The condition of the index of requests that wait for a person, in the words by which SQLite recognises it."""
Index(
    "requests_unresolved",
    requests.c.batch,
    requests.c.state,
    requests.c.events,
    sqlite_where=IS_UNRESOLVED,
    postgresql_where=IS_UNRESOLVED,
)
_IS_RESEND = requests.c.resend_of.is_not(None)
Index("requests_by_resend", requests.c.resend_of, sqlite_where=_IS_RESEND, postgresql_where=_IS_RESEND)

# Not in the requests' own table: a state changes at least twice, and each time the whole row is written again.
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
    # How many of its events are processed, and how many ignored, where the target says so: a sandbox does.
    Column("processed", Integer),
    Column("ignored", Integer),
    Column("repeated", Integer),  # of those that are ignored; not known of attempts of earlier versions
    Column("overtaken", Boolean, nullable=False, server_default=false()),  # see ``batches.overtaken``
    Index("attempts_of_request", "request"),
)

# The processes that send from a database of many machines, each with a lease: until when it counts as alive, by the
# database's clock. ``kind`` is what it is, ``engine`` the version of the work that it takes from the engine's queue.
workers: Table = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("draining", Boolean, nullable=False),
)

# Who may send which lanes: lane n is in the group whose number is n modulo the batch's groups. The epoch counts the
# changes of its owner, which is empty where none has it.
lane_groups: Table = Table(
    "lane_groups",
    metadata,
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
_IS_OWNED = lane_groups.c.owner != literal_column("''")
Index("lane_groups_by_owner", lane_groups.c.owner, sqlite_where=_IS_OWNED, postgresql_where=_IS_OWNED)

# Which workers cannot send a batch, and why: the others do.
unable_workers: Table = Table(
    "unable_workers",
    metadata,
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
    Column("worker", Text, ForeignKey("workers.name", ondelete="CASCADE"), primary_key=True),
    Column("reason", Text, nullable=False),
)

# The limits of a target over all workers: from when on turns are free, in microseconds of the database's clock, and
# who holds its places in flight.
target_turns: Table = Table(
    "target_turns",
    metadata,
    Column("target", Text, primary_key=True),
    Column("free_from", BigInteger, nullable=False),
)
target_places: Table = Table(
    "target_places",
    metadata,
    Column("target", Text, primary_key=True),
    Column("worker", Text, ForeignKey("workers.name", ondelete="CASCADE"), primary_key=True),
    Column("held", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
)

# What the webhook of a batch's target is to be told, and what came of it.
webhook_deliveries: Table = Table(
    "webhook_deliveries",
    metadata,
    Column("id", _KEY_TYPE, primary_key=True),
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), nullable=False),
    Column("state", Text, nullable=False),  # of the batch
    Column("reason", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("body", LargeBinary),  # of the first attempt: every other one sends the same bytes
    Index("webhook_deliveries_of_batch", "batch"),
)
_IS_TO_BE_TOLD = literal_column("status") == literal_column("'waiting'")
Index(
    "webhook_deliveries_waiting",
    webhook_deliveries.c.next_at,
    sqlite_where=_IS_TO_BE_TOLD,
    postgresql_where=_IS_TO_BE_TOLD,
)

# Outcomes of a batch's attempts, second by second: a screen asks twice a second how a batch goes.
seconds: Table = Table(
    "seconds",
    metadata,
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
    Column("second", BigInteger, primary_key=True),  # since 1970, in which the attempts ended
    Column("outcome", Text, primary_key=True),
    Column("attempts", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("processed", BigInteger, nullable=False, server_default="0"),
    Column("ignored", BigInteger, nullable=False, server_default="0"),
    Column("repeated", BigInteger, nullable=False, server_default="0"),  # of those that are ignored
    sqlite_with_rowid=False,
)

# The slowest responses of a batch.
slowest: Table = Table(
    "slowest",
    metadata,
    Column("attempt", _KEY_TYPE, ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("batch", BigInteger, nullable=False),
    Column("elapsed_ms", Float, nullable=False),
    Index("slowest_of_batch", "batch", "elapsed_ms"),
)

# No id and no rowid: the key is the place in the request, which saves an index of a million rows.
events: Table = Table(
    "events",
    metadata,
    Column(
        "batch", BigInteger, nullable=False
    ),  # its request's; no foreign key, which would cost a look-up for each of a million rows
    Column("request", BigInteger, ForeignKey("requests.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("row", BigInteger, nullable=False),
    Column("line", BigInteger),
    Column("name", Text),
    Column("event_id", _ID_TYPE),
    Column("profile_id", Text),
    Column("user_id", Text),
    Column("another_user_id", Text),
    Column("account_id", Text),
    Column("product_id", Text),
    Column("timestamp", BigInteger),
    Column("member", Integer, nullable=False, server_default="0"),  # which event of its row, from 1; 0: the only one
    Index("events_of_row", "batch", "row"),
    sqlite_with_rowid=False,
)
_HAS_ID = events.c.event_id.is_not(None)
Index("events_by_event_id", events.c.event_id, events.c.batch, sqlite_where=_HAS_ID, postgresql_where=_HAS_ID)

# The index of events by the other ids, filled behind the inserts (``upkeep/search_index.py``). No foreign key: rows are
# found by their values only.
event_keys: Table = Table(
    "event_keys",
    metadata,
    Column("kind", Integer, primary_key=True, autoincrement=False),  # which column, from 1
    Column("value", _ID_TYPE, primary_key=True),
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("request", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# Requests whose events are not in ``event_keys`` yet.
unkeyed_requests: Table = Table(
    "unkeyed_requests",
    metadata,
    Column("request", _KEY_TYPE, ForeignKey("requests.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
)

excluded_rows: Table = Table(
    "excluded_rows",
    metadata,
    Column("batch", BigInteger, ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
    Column("row", BigInteger, primary_key=True),
    Column("line", BigInteger),
    Column("codes", Text, nullable=False),  # separated by spaces
    Column("event_id", Text),
    Column("name", Text),
    Column("member", Integer, primary_key=True, autoincrement=False, server_default="0"),
)

# What people save, as the documents that it is exported as; a target's names where its key is, never the key. A name is
# there once: its key is the same for names that count as the same. Mappings, the team's rules and the checks of files
# are here only where several consoles share the database: a console by itself has them as files.
journeys, targets, mappings, team_rules, checks = (
    Table(
        table,
        metadata,
        Column("key", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("document", Text, nullable=False),
        Column("changed_at", BigInteger, nullable=False),
    )
    for table in ("journeys", "targets", "mappings", "team_rules", "checks")
)

# The product catalogues of consoles that share the database, each as the content of its file. A target's key has any
# length, so a digest of it is the key here.
catalogues: Table = Table(
    "catalogues",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("loaded_at", BigInteger, nullable=False),
    Column("stamp", Text, nullable=False),  # another one after every change
    Column("content", LargeBinary, nullable=False),
)

# Which tabs may upload files to any of the consoles that share the database, by the digest of a tab's token, and which
# files they have; the files themselves lie in a folder.
upload_tokens: Table = Table(
    "upload_tokens",
    metadata,
    Column("token", Text, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    Index("upload_tokens_by_seen", "seen_at"),
)
uploads: Table = Table(
    "uploads",
    metadata,
    Column("token", Text, ForeignKey("upload_tokens.token", ondelete="CASCADE"), primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Column("is_taken", Boolean, nullable=False),
    Column("is_let_go", Boolean, nullable=False),
    Index("uploads_by_digest", "digest"),
)


def make_indexable(text: str) -> str:
    """Make a text that both databases can store and index; nearly every text stays as it is.

    Lone surrogates and NUL become escapes; of a text longer than :data:`MAX_INDEXED_LENGTH` the beginning stays and the
    rest becomes its SHA-256. The same text gives the same result, so a search converts its own text here too.
    """
    if len(text) <= MAX_INDEXED_LENGTH and text.isascii() and "\0" not in text:
        return text
    whole = text.encode("utf-8", "backslashreplace").replace(b"\0", b"\\x00")
    text = whole.decode()
    return text if len(text) <= MAX_INDEXED_LENGTH else f"{text[: MAX_INDEXED_LENGTH - 65]}…{sha256(whole).hexdigest()}"


def make_search_text(label: str, name: str) -> str:
    """Make the text by which a batch is found: its name and label, whatever the case of their letters."""
    return make_storable(f"{name[:MAX_NAME_LENGTH]}\n{label}".casefold()[:MAX_INDEXED_LENGTH])


def make_storable(text: str) -> str:
    """Make a text of any length that both databases can store."""
    return text.encode("utf-8", "backslashreplace").replace(b"\0", b"\\x00").decode()
