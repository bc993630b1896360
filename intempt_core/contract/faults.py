"""Simulated failures: the document that says which faults the sandbox simulates, where and how often.

For example::

    {"faults": [{"fault": "status", "status": 500, "share": 0.1, "path": "*/track"},
                {"fault": "latency", "ms": 200}],
     "deduplicates": false}

Only requests that would be taken meet a fault; what the sandbox rejects anyway, it goes on rejecting. Shares are parts
of the same whole: 10 % each of three faults is 30 % of the requests, none of which meets two of them; what goes beyond
the whole is met by none. Latency comes on top of any other fault. Faults are kept in memory and end with the process.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from intempt_core.contract.fields import Json
from intempt_core.contract.quantities import format_count
from intempt_core.errors import FaultDocumentUnreadable

FAULT_PATH_LABELS: dict[str, str] = {
    "*": "everything",
    "*/track": "track",
    "*/feeds/*": "feeds",
    "*/consents/*": "consents",
}
"""Pattern of paths → its name for people."""

MAX_FAULT_MS = 600_000
"""Milliseconds that a fault may take at the most."""

MAX_FAULTS = 50
"""Faults of one document."""

BODILESS_STATUSES = (204, 205, 304)
"""Statuses whose responses have no body."""


class _BaseFault(BaseModel):
    """A fault: where, how often, and for how many requests."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: Annotated[
        str,
        Field(min_length=1, max_length=500, description="Which paths: * stands for any characters, ? for one."),
    ] = "*"
    share: Annotated[float, Field(gt=0, le=1, description="The part of the requests that it meets.")] = 1.0
    times: Annotated[
        int | None, Field(ge=1, le=1_000_000_000, description="It ends after so many requests; null: it does not.")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _take_whole_floats(cls, given: object) -> object:
        """Take ``2.0`` for 2: to JSON they are one number."""
        if not isinstance(given, dict):
            return given
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in given.items()
        }

    def describe(self, effect: str) -> str:
        """The whole fault: ``10 % 500 on track, 3 more times``."""
        some = "" if self.share == 1 else f"{self.share * 100:g} % "
        left = "" if self.times is None else f", {format_count(self.times, 'more time')}"
        return f"{some}{effect} on {FAULT_PATH_LABELS.get(self.path, self.path)}{left}"


class StatusFault(_BaseFault):
    """A fixed status. With one of 2xx the events are stored; with any other they are not, unless ``stored`` says so."""

    fault: Literal["status"]
    status: Annotated[int, Field(ge=200, le=599)]
    stored: Annotated[bool | None, Field(description="Whether the events are stored; null: as the status says.")] = None
    retry_after: Annotated[
        int | None, Field(ge=0, le=86_400, description="Seconds, as the header Retry-After; null: no such header.")
    ] = None

    @property
    def stores(self) -> bool:
        """Whether the events of a request are stored."""
        return self.status < 300 if self.stored is None else self.stored

    @property
    def effect(self) -> str:
        """``500``, ``429 with Retry-After 2 s``, ``502 after storing``."""
        waits = f" with Retry-After {self.retry_after} s" if self.retry_after is not None else ""
        odd = self.stores != (self.status < 300)
        return f"{self.status}{waits}" + ((" after storing" if self.stores else " without storing") if odd else "")


class LatencyFault(_BaseFault):
    """A response that comes later; on top of any other fault."""

    fault: Literal["latency"]
    ms: Annotated[int, Field(ge=1, le=MAX_FAULT_MS)]

    @property
    def effect(self) -> str:
        """``200 ms late``."""
        return f"{self.ms:,} ms late"


class NoResponseFault(_BaseFault):
    """No response: the request is held until the sender closes the connection, or cut after ``ms``."""

    fault: Literal["no_answer"]
    stored: bool = True
    ms: Annotated[int, Field(ge=1, le=MAX_FAULT_MS)] = 120_000

    @property
    def stores(self) -> bool:
        """Whether the events of a request are stored."""
        return self.stored

    @property
    def effect(self) -> str:
        """``no response after storing``."""
        return f"no response {'after' if self.stored else 'without'} storing"


class DisconnectFault(_BaseFault):
    """A connection that is cut instead of a response."""

    fault: Literal["cut"]
    stored: bool = False

    @property
    def stores(self) -> bool:
        """Whether the events of a request are stored."""
        return self.stored

    @property
    def effect(self) -> str:
        """``connection cut before storing``."""
        return f"connection cut {'after' if self.stored else 'before'} storing"


class TooLargeFault(_BaseFault):
    """413 for a track request of more than ``events`` events."""

    fault: Literal["too_large"]
    events: Annotated[int, Field(ge=0, le=1_000_000)]

    @property
    def stores(self) -> bool:
        """Whether the events of a request are stored."""
        return False

    @property
    def effect(self) -> str:
        """``413 above 20 events``."""
        return f"413 above {format_count(self.events, 'event')}"


class SlowResponseFault(_BaseFault):
    """A response that comes piece by piece, over ``ms``; the events are stored."""

    fault: Literal["slow_answer"]
    ms: Annotated[int, Field(ge=1, le=MAX_FAULT_MS)]

    @property
    def stores(self) -> bool:
        """Whether the events of a request are stored."""
        return True

    @property
    def effect(self) -> str:
        """``a response drawn out over 3,000 ms``."""
        return f"a response drawn out over {self.ms:,} ms"


ResponseFault = StatusFault | NoResponseFault | DisconnectFault | TooLargeFault | SlowResponseFault
"""A fault that decides how a request ends; a request meets at most one."""

Fault = Annotated[
    StatusFault | LatencyFault | NoResponseFault | DisconnectFault | TooLargeFault | SlowResponseFault,
    Field(discriminator="fault"),
]


class FaultDocument(BaseModel):
    """The failures that a sandbox simulates; an empty document simulates none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    faults: Annotated[list[Fault], Field(max_length=MAX_FAULTS)] = []
    deduplicates: Annotated[bool, Field(description="Whether a repeated event id is ignored, as documented.")] = True

    @property
    def active(self) -> bool:
        """Whether anything differs from a sandbox that works."""
        return bool(self.faults) or not self.deduplicates

    @property
    def summary(self) -> str:
        """The faults in few words: the first one, and how many more; empty where there is none."""
        first, *more = [fault.describe(fault.effect) for fault in self.faults] or [""]
        return f"{first} and {len(more)} more" if more else first

    @property
    def sentence(self) -> str:
        """All faults as a sentence; empty where there is none."""
        effects = [fault.describe(fault.effect) for fault in self.faults]
        if not self.deduplicates:
            effects.append("repeated event ids are stored as new events")
        return f"The sandbox simulates failures: {'; '.join(effects)}." if effects else ""


def parse_fault_document(document: Json) -> FaultDocument:
    """Parse a fault document. Raises :class:`FaultDocumentUnreadable` with one sentence: where, and what is allowed."""
    if not isinstance(document, dict):
        raise FaultDocumentUnreadable(
            'The fault document is no JSON object. An empty one, {"faults": []}, ends all faults.'
        )
    try:
        return FaultDocument.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    loc = first["loc"]
    # pydantic names the fault's kind after its number, as if it were a field
    steps = [str(step) for before, step in zip(("", *loc), loc, strict=False) if not isinstance(before, int)]
    where = f"{'.'.join(steps)}: " if steps else ""
    raise FaultDocumentUnreadable(f"The fault document: {where}{first['msg']}.")
