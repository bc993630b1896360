"""The preview of a resend says in numbers what sending a part of a batch again may do."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from intempt_core.analysis import preview_resend
from intempt_core.history import BatchSummary, History, RequestState
from tests.core.history.factories import batch_of

ALL = tuple(RequestState)
COUNTS = {
    RequestState.NOT_SENT: 1_000,
    RequestState.CANCELLED: 200,
    RequestState.REJECTED: 3,
    RequestState.UNKNOWN: 5,
    RequestState.ACCEPTED: 90,
}


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[BatchSummary]:
    history = History.open(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    yield replace(history.queries.batch(batch_of(history, [1])), events=COUNTS)
    history.close()


@pytest.mark.parametrize(
    ("states", "deduplicates", "says"),
    [
        (
            (RequestState.NOT_SENT, RequestState.CANCELLED, RequestState.REJECTED, RequestState.UNKNOWN),
            False,
            (
                "1,200 never arrived, 3 rejected, 5 unknown (may have arrived); the target does not deduplicate:"
                " a resend may double up to 5 events."
            ),
        ),
        (
            (RequestState.UNKNOWN,),
            True,
            "5 unknown (may have arrived); the target deduplicates by event id: what it already has, it ignores.",
        ),
        (
            (RequestState.NOT_SENT, RequestState.REJECTED),
            False,
            "1,000 never arrived, 3 rejected; none of them is at the target, so none is doubled.",
        ),
        (
            (RequestState.ACCEPTED,),
            False,
            "90 accepted; the target does not deduplicate: a resend will double 90 events.",
        ),
        (
            (RequestState.ACCEPTED, RequestState.UNKNOWN),
            False,
            (
                "5 unknown (may have arrived), 90 accepted; the target does not deduplicate: a resend may"
                " double up to 95 events, 90 of them surely."
            ),
        ),
        ((), False, "no event; none of them is at the target, so none is doubled."),
    ],
)
def test_a_resend_is_previewed_in_numbers(
    batch: BatchSummary, states: tuple[RequestState, ...], deduplicates: bool, says: str
) -> None:
    preview = preview_resend(batch, states, deduplicates=deduplicates)
    assert preview.message == says
    assert preview.events == sum(COUNTS[state] for state in states)
