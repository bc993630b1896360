"""Workers on one PostgreSQL database share a batch, and take over from each other; nothing is lost or doubled."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from intempt_core.history import BatchState, RequestState
from intempt_core.planning.plan import Policy
from tests.core.dispatch.factories import got, plan_of
from tests.core.dispatch.worker_scene import WorkerScene, check_truth

pytestmark = [pytest.mark.long, pytest.mark.untraced]
PERSONS = 24


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_two_workers_share_a_batch(postgres_url: str, tmp_path: Path, opened: ExitStack) -> None:
    scene = WorkerScene.open(postgres_url, tmp_path, opened, pause=0.05)
    scene.start()
    scene.start()
    plan = plan_of(PERSONS * 20, persons=PERSONS)
    batch = scene.record(plan)
    scene.until(lambda: len(scene.owners(batch)) == 2)
    assert scene.over(batch).events == {RequestState.ACCEPTED: plan.events}
    assert sorted(got(scene.server)) == sorted(f"e{number}" for number in range(plan.events))
    check_truth(scene, batch, plan, PERSONS)
    assert scene.history.queries.batch(batch).state is BatchState.DONE


def test_the_groups_of_a_killed_worker_move_within_30_seconds(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene = WorkerScene.open(postgres_url, tmp_path, opened, pause=0.05)
    first = scene.start()
    scene.start()
    plan = plan_of(PERSONS * 120, persons=PERSONS)
    batch = scene.record(plan, Policy.GO_ON)
    scene.until(lambda: len(scene.owners(batch)) == 2 and scene.count_received() > 200)
    dead = next(one.name for one in scene.history.workers.list_alive() if one.pid == first.process.pid)
    first.kill()
    scene.until(lambda: dead not in scene.owners(batch), seconds=30)
    found = scene.over(batch)
    assert found.state is BatchState.DONE
    check_truth(scene, batch, plan, PERSONS)
