"""A batch that was being sent from an SQLite file when its console was killed goes on from PostgreSQL, by a worker."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from intempt_core.dispatch.one_shot import make_batch_intent
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    History,
    RequestState,
    make_request_blocks,
    move_history,
)
from intempt_core.planning.plan import Policy
from tests.core.dispatch.factories import plan_of
from tests.core.dispatch.worker_scene import WorkerScene
from tests.core.history.factories import attempt

pytestmark = [pytest.mark.long, pytest.mark.untraced]
PERSONS = 4
GONE = "4711-gone"


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_what_never_left_is_sent_once_what_was_in_flight_is_unknown_and_what_was_accepted_is_not_sent_again(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene = WorkerScene.open(postgres_url, tmp_path, opened)
    plan = plan_of(PERSONS * 20, persons=PERSONS)
    file = tmp_path / "alone" / "history.sqlite3"
    with closing(History.open(f"sqlite:///{file}")) as alone:
        intent = make_batch_intent(plan, scene.target, policy=Policy.GO_ON, owner=GONE)
        batch = alone.recorder.record(intent, make_request_blocks(plan))
        lanes = sorted({lane.lane for lane in alone.queue.lanes(batch)})
        (accepted,), (in_flight,) = (alone.queue.take(batch, lane, 1) for lane in lanes[:2])
        alone.queue.apply_transitions([AttemptStart(accepted.id), AttemptStart(in_flight.id)], owner=GONE)
        alone.queue.apply_transitions([AttemptEnd(accepted.id, attempt())], owner=GONE)
    assert move_history(file, postgres_url).unfinished == 1
    scene.start()
    found = scene.over(batch)
    assert found.state is BatchState.DONE
    assert found.events == {
        RequestState.ACCEPTED: plan.events - in_flight.events, RequestState.UNKNOWN: in_flight.events
    }  # fmt: skip
    assert len(scene.arrived) == len(set(scene.arrived)) == plan.events - accepted.events - in_flight.events
    more = scene.record(plan_of(PERSONS * 5, persons=PERSONS), Policy.GO_ON)
    assert scene.over(more).state is BatchState.DONE
