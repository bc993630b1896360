"""What of a file went to a target before, or is going: it is not sent again unless the call says so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from intempt_core.arrays import Int64Array
from intempt_core.contract import format_count
from intempt_core.dispatch import count_never_left
from intempt_core.history import GOING_STATES, History, RepeatedSend, RequestState
from intempt_core.targets import Target
from intempt_core.validation import Report

_STATE_PHRASES = {
    RequestState.ACCEPTED: "accepted",
    RequestState.UNKNOWN: "unknown (may have arrived)",
    RequestState.IN_FLIGHT: "in flight",
    RequestState.PENDING: "pending, not sent yet",
}
"""How the states of what went, or is going, are said: those of ``GOING_STATES``."""


@dataclass(frozen=True)
class PriorEvents:
    """The events of a file that went to a target before, or are going.

    Attributes:
        rows: The rows without errors (from 0, sorted) of such events.
        counts: How many of them are in each state.
        batches: The batches of this very file of which something went or is going, the first one first.
        added_lines: How many rows without errors are lines of orders of which only other lines went, or are going.
    """

    rows: Int64Array
    counts: dict[RequestState, int]
    batches: Sequence[RepeatedSend]
    added_lines: int = 0

    @property
    def are_any(self) -> bool:
        """Whether anything went, or is going, of this file or of its orders."""
        return bool(self.rows.size or self.batches or self.added_lines)

    @property
    def are_all_accepted(self) -> bool:
        """Whether every one was accepted."""
        return set(self.counts) == {RequestState.ACCEPTED}

    def describe(self) -> str:
        """How many are in each state: ``880 accepted, 99 pending, not sent yet``."""
        found = [f"{self.counts[state]:,} {phrase}" for state, phrase in _STATE_PHRASES.items() if state in self.counts]
        return ", ".join(found)

    def describe_added_lines(self, target: Target) -> str:
        """Which lines of known orders are new, and what a target may make of them, as a sentence; empty for none."""
        if not self.added_lines:
            return ""
        lines = format_count(self.added_lines, "event is a line", "events are lines")
        them = "it" if self.added_lines == 1 else "them"
        ignored = (
            f"{target.name} deduplicates, and may ignore {them}"
            if target.deduplicates
            else f"a target that deduplicates by id alone would ignore {them}"
        )
        return (
            f"{lines} of orders of which other lines went to {target.name} or are going, with the same event id and"
            f" other products: {ignored}."
        )


def find_prior_events(report: Report, batches: Sequence[RepeatedSend], *, good_members: bool = False) -> PriorEvents:
    """Work out what went before from a file's report, which knows each event id, and from the batches of the file.

    ``good_members``: of a row with errors, its events without are sent too.
    """
    is_good = ~report.find_excluded(keep_good_members=good_members)
    by_state = {state: report.rows_of("sent_before", state.value) for state in GOING_STATES}
    good = {state: rows[is_good[rows]] for state, rows in by_state.items()}
    counts = {state: int(rows.size) for state, rows in good.items() if rows.size}
    added = int(is_good[report.rows_of("order_line_added")].sum())
    return PriorEvents(np.unique(np.concatenate([np.empty(0, np.int64), *good.values()])), counts, batches, added)


def describe_decision(found: PriorEvents, events: int, target: Target, history: History) -> Iterator[str]:
    """What went before, and what a call may say about it, line by line; ``events`` of the file have no errors."""
    all_of_it = format_count(events, "event")
    if found.rows.size:
        known = found.describe()
        yield f"Nothing was sent. Of {all_of_it} of this file, these went to {target.name} or are going: {known}."
    elif found.batches:
        yield f"Nothing was sent. None of {all_of_it} is known at {target.name} by its id, but this file is:"
    else:
        yield f"Nothing was sent. Of {all_of_it} of this file none went to {target.name} or is going, but:"
    if found.added_lines:
        yield f"  {found.describe_added_lines(target)}"
    for one in found.batches:
        yield f"  {one.message}"
    yield "Say what you want:"
    rest = events - found.rows.size
    if rest and (found.rows.size or found.added_lines):
        yield f"  --rest             sends {format_count(rest, 'event')} of which nothing went or is pending"
    yield f"  --again            sends all of it again, {all_of_it}"
    yield "  --again --new-ids  sends them as new events"
    for one in found.batches:
        if count_never_left(history.queries.batch(one.batch)):
            yield f"  --resume {one.batch}, without a file, sends exactly what never left of that batch"
