"""The stored events that count, as a condition of SQL and of one event at hand (CONTRACT 2.6).

Both come from the contract's one statement. An event whose column ``because`` is empty has passed the same rules as the
model's, so the fields that they require are given.
"""

from intempt_core.contract import IDENTITY_FIELDS, REQUIRED_FIELDS, EventName, event_counts, is_event_name
from intempt_core.sandbox.storage.fast_path import IncomingEvent

EVENT_COLUMNS = {
    "name": "name",
    "eventId": "event_id",
    **dict(zip(IDENTITY_FIELDS, ("profile_id", "user_id", "another_user_id", "account_id"), strict=True)),
    "data.productId": "product_id",
}
"""Required field → its column in the table ``events``, and its field in :class:`IncomingEvent`."""


class SqlCondition(str):
    """A condition of SQL as text, joined with others by ``&`` and ``|``."""

    __slots__ = ()

    def __and__(self, other: "SqlCondition") -> "SqlCondition":
        return SqlCondition(f"{self} AND {other}")

    def __or__(self, other: "SqlCondition") -> "SqlCondition":
        return SqlCondition(f"({self} OR {other})")


def _build_given(field: str) -> SqlCondition:
    if field == "name":
        names = ", ".join(f"'{name.value}'" for name in EventName)
        return SqlCondition(f"name IN ({names})")
    return SqlCondition(f"{EVENT_COLUMNS[field]} IS NOT NULL")


COUNTS_SQL = event_counts(
    {field: _build_given(field) for field in REQUIRED_FIELDS},
    without_errors=SqlCondition("because = ''"),
    is_first=SqlCondition("repeat_of IS NULL"),
)
"""The rows of ``events`` that count."""


def incoming_event_counts(event: IncomingEvent, *, repeats: bool) -> bool:
    """Whether an event that came in counts."""
    given = {field: getattr(event, column) is not None for field, column in EVENT_COLUMNS.items()}
    given["name"] = is_event_name(event.name)
    return event_counts(given, without_errors=not event.because, is_first=not repeats)
