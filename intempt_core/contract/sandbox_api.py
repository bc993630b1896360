"""The sandbox's own API: its paths, filters, limits and verdicts, on which the server and its client must agree."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from intempt_core.contract.outcome import find_current_state

SANDBOX_PATH_PREFIX = "/_sandbox/"
"""How every path begins at which the sandbox says something about itself."""

MAX_QUERY_EVENT_IDS = 1_000
"""Event ids that one question about a person may name."""

MAX_ARRIVAL_IDS = 200
"""Event ids that one question about arrivals may name: they are part of an address."""

MAX_LISTED_ARRIVALS = 2_000
"""Arrivals that one response lists at the most, the last ones: an id may have been repeated without end."""

MAX_INSTEAD_ROWS = 50
"""Events, and rejected requests, that a wait in vain tells of, each at the most: the last ones."""

MAX_WAIT_SECONDS = 60.0
"""Seconds that one request may wait for an event."""

VERDICT_HEADER = "sandbox-verdict"
"""The header of a response to a track request that says what became of its events."""

MAX_VERDICT_EVENTS = 50
"""Ignored events that one verdict names, the first ones: a header is short."""


class SandboxPath(StrEnum):
    """A path of the sandbox's own API, below the sandbox's base URL.

    ``REQUESTS`` is followed by a slash and the number of a request.
    """

    EVENTS = f"{SANDBOX_PATH_PREFIX}events"
    WAIT = f"{SANDBOX_PATH_PREFIX}wait"
    ARRIVALS = f"{SANDBOX_PATH_PREFIX}arrivals"
    PERSON = f"{SANDBOX_PATH_PREFIX}person"
    CONSENTS = f"{SANDBOX_PATH_PREFIX}consents"
    LIVE = f"{SANDBOX_PATH_PREFIX}live"
    REQUESTS = f"{SANDBOX_PATH_PREFIX}requests"
    FAULTS = f"{SANDBOX_PATH_PREFIX}faults"


class LiveFilter(StrEnum):
    """What the live view shows: the values of the parameter ``shown``.

    The values of earlier versions are understood: :data:`~intempt_core.contract.outcome.FORMER_STATE_VALUES`.
    """

    EVERYTHING = "everything"
    EVENTS = "events"
    PROCESSED = "processed"
    NOT_PROCESSED = "not processed"
    REJECTED = "rejected"
    OTHER_CALLS = "other calls"

    @classmethod
    def _missing_(cls, value: object) -> "LiveFilter | None":
        return find_current_state(cls, value)


REPEATED_CODE = "event_id_repeated"
"""The code of an event that is ignored because its id was used before."""


class IgnoredEvent(NamedTuple):
    """An event of a request that is accepted and not processed.

    Attributes:
        position: Its place in the request, from 0.
        codes: The codes of its issues, separated by spaces.
    """

    position: int
    codes: str


@dataclass(frozen=True, slots=True)
class RequestVerdict:
    """What the sandbox says of the events of one request, when it responds (CONTRACT 2.6, 3.8).

    Attributes:
        processed: How many events are processed.
        ignored: How many are not.
        repeated: How many of these are not because their event ids were used before.
        events: Those that are not, the first :data:`MAX_VERDICT_EVENTS`.
    """

    processed: int
    ignored: int = 0
    repeated: int = 0
    events: tuple[IgnoredEvent, ...] = ()

    @property
    def as_header(self) -> str:
        """The value of :data:`VERDICT_HEADER`: JSON, all of it ASCII."""
        found: dict[str, object] = {
            "processed": self.processed,
            "ignored": self.ignored,
            "repeated": self.repeated,
        }
        if self.events:
            found["events"] = [{"position": one.position, "codes": one.codes} for one in self.events]
        return json.dumps(found)


def parse_verdict(headers: Iterable[tuple[str, str]]) -> RequestVerdict | None:
    """Parse the verdict among the headers of a response; ``None`` where there is none that can be read."""
    text = next((value for name, value in headers if name.lower() == VERDICT_HEADER), None)
    return None if text is None else _read_verdict(text)


@lru_cache(256)
def _read_verdict(text: str) -> RequestVerdict | None:
    """Read a verdict, cached: those of a batch's requests are nearly all alike."""
    try:
        found = json.loads(text)
        events = tuple(
            IgnoredEvent(int(one["position"]), str(one["codes"]))
            for one in found.get("events", ())[:MAX_VERDICT_EVENTS]
        )
        counts = int(found["processed"]), int(found["ignored"]), int(found["repeated"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    return RequestVerdict(*counts, events) if min(counts) >= 0 and max(counts) < 2**31 else None
