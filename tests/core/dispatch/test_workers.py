"""Workers on one PostgreSQL database share a batch, and take over from each other; nothing is lost or doubled."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from intempt_core.contract.fields import now_ms
from intempt_core.dispatch import Dispatcher, SendingEnvironment
from intempt_core.history import BatchState, RequestState, WorkerKind
from intempt_core.planning.plan import Plan, Policy
from intempt_core.settings import Settings
from intempt_core.targets import Credential, Target
from tests.core.dispatch.factories import LOST, OK, Decide, plan_of
from tests.core.dispatch.stalling_proxy import stalling
from tests.core.dispatch.worker_scene import PROJECT, WorkerScene, check_truth
from tests.core.transport.fault_server import Received, http
from tests.postgres import Cluster, make_database, require_programs, run_cluster

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
    assert sorted(scene.arrived) == sorted(f"e{number}" for number in range(plan.events))
    check_truth(scene, batch, plan, PERSONS)
    assert scene.history.queries.batch(batch).state is BatchState.DONE


def test_the_groups_of_a_killed_worker_move_within_30_seconds(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene = WorkerScene.open(postgres_url, tmp_path, opened, pause=0.05)
    first = scene.start()
    scene.start()
    plan = plan_of(PERSONS * 50, persons=PERSONS)
    batch = scene.record(plan, Policy.GO_ON)
    scene.until(lambda: len(scene.owners(batch)) == 2 and scene.count_received() > 200)
    dead = next(one.name for one in scene.history.workers.list_alive() if one.pid == first.process.pid)
    first.kill()
    scene.until(lambda: dead not in scene.owners(batch), seconds=30)
    found = scene.over(batch)
    assert found.state is BatchState.DONE
    check_truth(scene, batch, plan, PERSONS)


def make_shop(url: str) -> Target:
    """A target that is no sandbox."""
    return Target(
        name="shop",
        base=url,
        org="acme",
        project="shop",
        source="1001",
        credential=Credential("a", "b"),
        origin="environment",
        credential_reference="CONSOLE_TARGET_SHOP_KEY",
        deduplicates=False,
        production=False,
    )


def describe_shop(url: str, *, key: str) -> dict[str, str]:
    """The same target in the environment of a worker."""
    named = {"HOST": url, "ORG": "acme", "PROJECT": "shop", "SOURCE": "1001", "KEY": key}
    return {f"CONSOLE_TARGET_SHOP_{name}": text for name, text in named.items()}


def note_moments(moments: list[float]) -> Decide:
    """Accept everything, and note when it came."""

    def decide(_: Received) -> bytes:
        moments.append(monotonic())
        return OK

    return decide


def open_shared(
    postgres_url: str, tmp_path: Path, opened: ExitStack, requests: int = 50, workers: int = 2
) -> tuple[WorkerScene, Plan, str]:
    """Workers in the middle of a batch; each has a part of it."""
    scene = WorkerScene.open(postgres_url, tmp_path, opened, pause=0.05)
    for _ in range(workers):
        scene.start()
    plan = plan_of(PERSONS * requests, persons=PERSONS)
    batch = scene.record(plan, Policy.GO_ON)
    scene.until(lambda: len(scene.owners(batch)) == workers and scene.count_received() > 100)
    return scene, plan, batch


def test_a_frozen_worker_is_taken_over_and_what_it_does_after_it_thaws_is_overtaken(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene, plan, batch = open_shared(postgres_url, tmp_path, opened)
    frozen, other = scene.children
    name = scene.name_of(frozen)
    frozen.send(signal.SIGSTOP)
    scene.until(lambda: name not in scene.owners(batch), seconds=30)
    before = scene.history.queries.batch(batch)
    assert before.events.get(RequestState.UNKNOWN, 0) > 0  # what it had in flight
    frozen.send(signal.SIGCONT)
    found = scene.over(batch)
    scene.until(lambda: scene.name_of(frozen) == name)  # it has a new lease
    frozen.end()
    other.end()
    found = scene.history.queries.batch(batch)
    assert found.state is BatchState.DONE
    assert 0 < found.overtaken <= before.events[RequestState.UNKNOWN]  # their responses came after the takeover
    assert "overtaken" in found.overtaken_message
    check_truth(scene, batch, plan, PERSONS)


def test_a_worker_that_is_asked_to_end_finishes_what_is_in_flight_and_the_others_go_on(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene, plan, batch = open_shared(postgres_url, tmp_path, opened)
    first, _ = scene.children
    name = scene.name_of(first)
    assert first.end() == 0
    assert name not in scene.owners(batch)
    assert scene.over(batch).events == {RequestState.ACCEPTED: plan.events}
    assert sorted(scene.arrived) == sorted(f"e{number}" for number in range(plan.events))


def test_pausing_and_cancelling_from_another_machine_reach_every_worker(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene, plan, batch = open_shared(postgres_url, tmp_path, opened)
    scene.history.control.set_state(batch, BatchState.PAUSED)
    scene.until(lambda: not scene.owners(batch))
    sent = scene.count_received()
    assert sent < plan.events
    scene.history.control.resume(batch)
    scene.until(lambda: scene.count_received() > sent + 50)
    scene.history.control.set_state(batch, BatchState.CANCELLED)
    found = scene.over(batch)
    assert set(found.events) == {RequestState.ACCEPTED, RequestState.CANCELLED}
    assert found.events[RequestState.ACCEPTED] == len(scene.arrived)
    check_truth(scene, batch, plan, PERSONS)


@pytest.mark.parametrize("stalls", [False, True], ids=["cut", "stalled"])
def test_a_worker_whose_network_is_cut_or_stalled_is_taken_over_and_comes_back(
    postgres: Cluster, postgres_url: str, tmp_path: Path, opened: ExitStack, stalls: bool
) -> None:
    proxy = opened.enter_context(stalling(postgres.port))
    scene = WorkerScene.open(postgres_url, tmp_path, opened, pause=0.05)
    far = scene.start(postgres_url.replace(f":{postgres.port}/", f":{proxy.port}/"))
    scene.start()
    plan = plan_of(PERSONS * 60, persons=PERSONS)
    batch = scene.record(plan, Policy.GO_ON)
    scene.until(lambda: len(scene.owners(batch)) == 2 and scene.count_received() > 100)
    name = scene.name_of(far)
    proxy.stall() if stalls else proxy.cut()
    scene.until(lambda: name not in scene.owners(batch), seconds=30)
    proxy.heal()
    assert scene.over(batch).state is BatchState.DONE
    scene.until(lambda: scene.name_of(far) == name)  # it is back
    check_truth(scene, batch, plan, PERSONS)
    assert far.end() == 0


def test_a_worker_without_the_target_leaves_its_batches_to_the_others_and_alone_says_what_is_missing(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene = WorkerScene.open(postgres_url, tmp_path, opened)
    without = scene.start()
    shop = make_shop(scene.target_url)
    plan = plan_of(8, persons=4)
    batch = scene.record(plan, target=shop)
    assert scene.over(batch).state is BatchState.PAUSED
    assert "The workers know no target shop" in scene.history.queries.batch(batch).reason
    scene.start(**describe_shop(scene.target_url, key="a.b"))
    scene.history.control.resume(batch)
    assert scene.over(batch).events == {RequestState.ACCEPTED: plan.events}
    assert without.process.poll() is None


def test_a_worker_with_another_key_stops_the_batch_and_says_to_check_it(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    def check_key(received: Received) -> bytes:
        return OK if received.headers["authorization"] == "Basic YTpi" else http(401)

    scene = WorkerScene.open(postgres_url, tmp_path, opened, decide=check_key)
    shop = make_shop(scene.target_url)
    worker = scene.start(**describe_shop(scene.target_url, key="a.wrong"))
    plan = plan_of(200, persons=4)
    batch = scene.record(plan, target=shop)
    found = scene.over(batch)
    assert found.state is BatchState.PAUSED
    assert "401. Check the key." in found.reason
    assert found.events[RequestState.REJECTED] < 40
    assert worker.end() == 0
    scene.start(**describe_shop(scene.target_url, key="a.b"))
    scene.history.control.resume(batch)
    assert scene.over(batch).events[RequestState.ACCEPTED] == plan.events - found.events[RequestState.REJECTED]


def test_a_worker_that_finds_a_newer_schema_ends_by_itself_with_a_sentence(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene, plan, batch = open_shared(postgres_url, tmp_path, opened, requests=20, workers=1)
    (old,) = scene.children
    with scene.history.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    scene.until(lambda: old.process.poll() is not None)
    assert old.process.returncode != 0
    assert "A newer version has brought the database to schema 9999" in old.log
    assert not scene.owners(batch)
    assert RequestState.UNKNOWN not in scene.history.queries.batch(batch).events
    check_truth(scene, batch, plan, PERSONS)


def test_a_console_is_its_own_worker_until_there_is_one(postgres_url: str, tmp_path: Path, opened: ExitStack) -> None:
    scene = WorkerScene.open(postgres_url, tmp_path, opened, pause=0.05)
    settings = Settings(data=tmp_path / "console", database_url=postgres_url, lanes_at_once=8)
    console = Dispatcher(scene.history, SendingEnvironment(settings, lambda _: scene.target))
    console.start(durable=True)
    opened.callback(console.stop, 5)
    plan = plan_of(PERSONS * 80, persons=PERSONS)
    batch = scene.record(plan)
    console.wake()
    scene.until(lambda: set(scene.owners(batch)) == {console.owner} and scene.count_received() > 50)
    worker = scene.start()
    scene.until(lambda: set(scene.owners(batch)) == {scene.name_of(worker)})
    assert worker.end() == 0
    assert scene.over(batch).events == {RequestState.ACCEPTED: plan.events}
    assert sorted(scene.arrived) == sorted(f"e{number}" for number in range(plan.events))
    check_truth(scene, batch, plan, PERSONS)


def test_send_records_and_waits_while_there_are_workers_and_alone_sends_by_itself(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    scene = WorkerScene.open(postgres_url, tmp_path, opened)
    file = tmp_path / "events.csv"
    file.write_text("name,userId,productId\n" + "".join(f"Product viewed,u{n % 5},p{n}\n" for n in range(40)))

    def send(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "intempt_core", "send", str(file), "--target", "sandbox", "--yes", *options]
        folder = tmp_path / "sender"
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            command, cwd=PROJECT, env=scene.environment(folder), capture_output=True, text=True, check=False
        )

    worker = scene.start()
    said = send("--wait")
    assert (said.returncode, "The workers send it" in said.stderr) == (0, True), said.stderr
    assert "40  accepted" in said.stdout
    assert scene.count_received() > 0
    assert worker.end() == 0
    alone = send("--again")
    assert (alone.returncode, "The workers send it" in alone.stderr) == (0, False), alone.stderr
    assert "40  accepted" in alone.stdout
    assert not scene.history.workers.list_alive()


def test_limits_hold_over_all_workers(postgres_url: str, tmp_path: Path, opened: ExitStack) -> None:
    moments: list[float] = []
    scene = WorkerScene.open(postgres_url, tmp_path, opened, pause=0.1, decide=note_moments(moments))
    per_second, in_flight = 60, 4
    for _ in range(2):
        scene.start(CONSOLE_REQUESTS_PER_SECOND=str(per_second), CONSOLE_REQUESTS_IN_FLIGHT=str(in_flight))
    plan = plan_of(PERSONS * 12, persons=PERSONS)
    batch = scene.record(plan)
    scene.until(lambda: len(scene.owners(batch)) == 2)
    assert scene.over(batch).events == {RequestState.ACCEPTED: plan.events}
    # Four in flight at 100 ms each are 40 a second at the most, whatever the other limit allows.
    for number in range(len(moments) - in_flight):
        assert moments[number + in_flight] - moments[number] > 0.08, "more than four were in flight"


def test_turns_are_shared_by_all_workers(postgres_url: str, tmp_path: Path, opened: ExitStack) -> None:
    moments: list[float] = []
    scene = WorkerScene.open(postgres_url, tmp_path, opened, decide=note_moments(moments))
    for _ in range(2):
        scene.start(CONSOLE_REQUESTS_PER_SECOND="50")
    plan = plan_of(PERSONS * 12, persons=PERSONS)
    batch = scene.record(plan)
    scene.until(lambda: len(scene.owners(batch)) == 2)
    assert scene.over(batch).events == {RequestState.ACCEPTED: plan.events}
    moments.sort()
    window = 50
    for number in range(len(moments) - window):  # a stretch may be used late, and the next one early
        assert moments[number + window] - moments[number] > 0.75, "more than the limit in a second"


def test_an_hour_between_the_clocks_of_workers_changes_nothing(
    postgres_url: str, tmp_path: Path, opened: ExitStack
) -> None:
    tried: set[bytes] = set()

    def fail_once(received: Received) -> bytes:
        if received.body in tried:
            return OK
        tried.add(received.body)
        return LOST

    scene = WorkerScene.open(postgres_url, tmp_path, opened, decide=fail_once, pause=0.02)
    scene.start()
    settings = Settings(data=tmp_path / "ahead", database_url=postgres_url, lanes_at_once=8, backoff_limit_seconds=0.5)
    environment = SendingEnvironment(settings, lambda _: scene.target, clock=lambda: now_ms() + 3_600_000)
    ahead = Dispatcher(scene.history, environment, kind=WorkerKind.WORKER)
    ahead.start(durable=True)
    opened.callback(ahead.stop, 5)
    plan = plan_of(PERSONS * 15, persons=PERSONS)
    batch = scene.record(plan, Policy.RESEND)
    scene.until(lambda: len(scene.owners(batch)) == 2)
    scene.until(lambda: len(tried) > 60)
    ahead.stop(0.0)  # what it waits for with its own clock is the other one's now
    assert scene.over(batch).events == {RequestState.ACCEPTED: plan.events}
    check_truth(scene, batch, plan, PERSONS)


def test_a_hard_restart_of_the_database_loses_and_doubles_nothing(tmp_path: Path, opened: ExitStack) -> None:
    cluster = opened.enter_context(run_cluster(require_programs(), ("fsync=on",)))
    url = opened.enter_context(make_database(cluster))
    scene, plan, batch = open_shared(url, tmp_path, opened)
    for _ in range(2):
        sent = scene.count_received()
        scene.until_received(sent + 100, batch)
        cluster.restart(signal.SIGQUIT)
    assert scene.over(batch).state is BatchState.DONE
    check_truth(scene, batch, plan, PERSONS)
