"""The words beside a batch that is sent: what is in flight, what is waited for, and what the chart counts."""

from intempt_core.contract.outcome import Outcome
from intempt_core.history import AttemptEnd, AttemptStart, ThroughputStep, ThroughputTimeline
from pages.parts.shared.services import get_services
from pages.parts.shared.throughput_chart import describe_throughput
from tests.core.history.factories import attempt
from tests.pages.upload_steps import Upload, csv_of, good_rows


def test_a_batch_that_is_paused_says_what_is_still_in_flight_and_what_it_waits_for(upload: Upload) -> None:
    upload.drop(csv_of(*good_rows(120))).press("upload-settle").press("upload-send")
    history, owner = get_services().history, get_services().dispatcher.owner
    batch = history.queries.batches(size=1).items[0]
    first, second, third = history.queries.requests(batch.id).items
    history.queue.apply_transitions(
        [AttemptStart(first.id), AttemptStart(second.id), AttemptStart(third.id)], owner=owner
    )
    done = AttemptEnd(first.id, attempt(Outcome.ACCEPTED))
    history.queue.apply_transitions([done], owner=owner)
    get_services().dispatcher.pause(batch.id)
    upload.run()
    events = first.events + second.events + third.events - first.events
    assert (
        f"{first.events} of 120 events · paused while {events} events are in flight: waiting for the responses of"
        " 2 requests (up to "
    ) in upload.texts


def test_the_chart_says_that_it_counts_attempts(upload: Upload) -> None:
    steps = (ThroughputStep(1_700_000_000_000, {Outcome.ACCEPTED: 50, Outcome.NOT_SENT: 50}),)
    said = describe_throughput(ThroughputTimeline(1_700_000_000_000, 1, steps))
    assert "● 50 accepted, ○ 50 not sent. These are attempts: an event that was tried again is counted once" in said
