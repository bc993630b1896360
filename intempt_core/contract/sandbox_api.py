"""The sandbox's own API: its paths, filters and limits, on which the server and its client must agree."""

from enum import StrEnum

from intempt_core.contract.outcome import find_current_state

SANDBOX_PATH_PREFIX = "/_sandbox/"
"""How every path begins at which the sandbox says something about itself."""

MAX_QUERY_EVENT_IDS = 1_000
"""Event ids that one question about a person may name."""


class SandboxPath(StrEnum):
    """A path of the sandbox's own API, below the sandbox's base URL.

    ``REQUESTS`` is followed by a slash and the number of a request.
    """

    EVENTS = f"{SANDBOX_PATH_PREFIX}events"
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
