"""Questions for events, as parameters of an address: which ones, and how long to wait for them."""

import re

from starlette.datastructures import QueryParams

from intempt_core.contract import MAX_WAIT_SECONDS
from intempt_core.errors import SandboxRejection
from intempt_core.sandbox.storage.listing import EventListQuery

DEFAULT_LISTED_EVENTS = 10_000
"""Events of a list at the most, unless asked otherwise."""

DEFAULT_WAIT_SECONDS = 5.0
"""Seconds that a wait takes at the most, unless asked otherwise."""

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", re.ASCII)


def parse_event_query(given: QueryParams) -> EventListQuery:
    """Parse the filters of ``GET /_sandbox/events`` and ``/_sandbox/wait``. Raises :class:`SandboxRejection` 400."""
    return EventListQuery(
        limit=read_number_parameter(given, "limit", DEFAULT_LISTED_EVENTS),
        after=read_number_parameter(given, "after", 0),
        name=given.get("name"),
        person=given.get("person"),
        event_id=given.get("eventId"),
        user_id=given.get("userId"),
        project=given.get("project"),
        since=read_number_parameter(given, "since", 0) if "since" in given else None,
    )


def parse_wait_seconds(given: QueryParams) -> float:
    """Parse how long to wait, in seconds. Raises :class:`SandboxRejection` 400."""
    text = given.get("seconds")
    if text is None:
        return DEFAULT_WAIT_SECONDS
    if not _NUMBER.fullmatch(text) or (seconds := float(text)) > MAX_WAIT_SECONDS:
        raise SandboxRejection(400, f"The parameter seconds is no number from 0 to {MAX_WAIT_SECONDS:g}.")
    return seconds


def read_number_parameter(given: QueryParams, name: str, default: int) -> int:
    """Read a whole number. Raises :class:`SandboxRejection` 400."""
    text = given.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 15:
        raise SandboxRejection(400, f"The parameter {name} is no whole number.")
    return int(text)
