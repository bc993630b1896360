"""A preview of a resend: what sending some of a batch again would do at its target (CONTRACT 3.6, 3.7)."""

from collections.abc import Collection
from dataclasses import dataclass

from intempt_core.contract import format_count
from intempt_core.history import BatchSummary, RequestState

NOT_ARRIVED_STATES = (RequestState.NOT_SENT, RequestState.CANCELLED, RequestState.PENDING)
"""States of requests that certainly did not arrive."""


@dataclass(frozen=True, slots=True)
class ResendPreview:
    """The events that would be sent again, by what is known of them.

    Attributes:
        never_arrived: events that certainly did not arrive.
        rejected: events that the target rejected.
        unknown: events that may have arrived.
        accepted: events that the target accepted.
        deduplicates: whether the target ignores an event id that it has seen.
    """

    never_arrived: int
    rejected: int
    unknown: int
    accepted: int
    deduplicates: bool

    @property
    def events(self) -> int:
        """How many events there are in all."""
        return self.never_arrived + self.rejected + self.unknown + self.accepted

    @property
    def message(self) -> str:
        """The preview as a sentence: ``12 never arrived, 5 unknown (may have arrived); the target deduplicates …``."""
        parts = {
            "never arrived": self.never_arrived,
            "rejected": self.rejected,
            "unknown (may have arrived)": self.unknown,
            "accepted": self.accepted,
        }
        known = ", ".join(f"{count:,} {word}" for word, count in parts.items() if count)
        return f"{known or 'no event'}; {self._consequence}"

    @property
    def _consequence(self) -> str:
        arrived = self.unknown + self.accepted
        if not arrived:
            return "none of them is at the target, so none is doubled."
        if self.deduplicates:
            return "the target deduplicates by event id: what it already has, it ignores."
        events = format_count(arrived, "event")
        does = f"may double up to {events}" if self.unknown else f"will double {events}"
        sure = f", {self.accepted:,} of them surely" if self.accepted and self.unknown else ""
        return f"the target does not deduplicate: a resend {does}{sure}."


def preview_resend(batch: BatchSummary, states: Collection[RequestState], *, deduplicates: bool) -> ResendPreview:
    """Preview sending a batch's events in these states again, at a target that deduplicates or does not."""

    def of(*some: RequestState) -> int:
        return sum(batch.events.get(state, 0) for state in some if state in states)

    return ResendPreview(
        of(*NOT_ARRIVED_STATES),
        of(RequestState.REJECTED),
        of(RequestState.UNKNOWN),
        of(RequestState.ACCEPTED),
        deduplicates,
    )
