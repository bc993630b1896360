"""What sending some of a batch again means, before anybody does (CONTRACT 3.6, 3.7)."""

from collections.abc import Collection
from dataclasses import dataclass

from intempt_core.history.records import RequestState
from intempt_core.history.views import BatchSummary

NOT_ARRIVED_STATES = (RequestState.NOT_SENT, RequestState.CANCELLED, RequestState.PENDING)


@dataclass(frozen=True, slots=True)
class ResendPreview:
    """Events that would be sent again, by what is known of them, and whether their target ignores repeats."""

    never_arrived: int
    rejected: int
    unknown: int
    accepted: int
    deduplicates: bool

    @property
    def events(self) -> int:
        """All of them."""
        return self.never_arrived + self.rejected + self.unknown + self.accepted

    @property
    def may_double(self) -> int:
        """Events that may be at the target already, and which it would count once more."""
        return 0 if self.deduplicates else self.unknown + self.accepted

    @property
    def message(self) -> str:
        """In a sentence: ``12 never arrived, 3 rejected, 5 unknown; the target does not deduplicate: …``."""
        parts = {
            "never arrived": self.never_arrived,
            "rejected": self.rejected,
            "unknown": self.unknown,
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
        events = f"{arrived:,} event{'' if arrived == 1 else 's'}"
        does = f"may double up to {events}" if self.unknown else f"will double {events}"
        sure = f", {self.accepted:,} of them surely" if self.accepted and self.unknown else ""
        return f"the target does not deduplicate: a resend {does}{sure}."


def preview_resend(batch: BatchSummary, states: Collection[RequestState], *, deduplicates: bool) -> ResendPreview:
    """What sending a batch's events in these states again means, at a target that deduplicates or does not."""

    def of(*some: RequestState) -> int:
        return sum(batch.events.get(state, 0) for state in some if state in states)

    return ResendPreview(
        of(*NOT_ARRIVED_STATES),
        of(RequestState.REJECTED),
        of(RequestState.UNKNOWN),
        of(RequestState.ACCEPTED),
        deduplicates,
    )
