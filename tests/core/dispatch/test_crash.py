"""A process that is killed while it sends: no event lost, doubles only where unknown, every person in order."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from intempt_core import sandbox
from intempt_core.errors import HistoryUnavailable
from intempt_core.history import BatchState, RequestState
from intempt_core.planning.plan import Policy
from tests.core.dispatch.factories import Setup, ids, make_setup, plan_of, workflows

# what sends here is another process, which nothing traces anyway
pytestmark = [
    pytest.mark.untraced,
    pytest.mark.sqlite_only("processes of one folder; test_workers kills and freezes workers on PostgreSQL"),
]
PERSONS = 25
SENDER = """
import sys, time
from pathlib import Path
from tests.core.dispatch.factories import make_setup
at = make_setup(Path(sys.argv[1]), sys.argv[2])
dispatcher = at.dispatcher(owner=sys.argv[3])
dispatcher.start(durable=True)
print("sending", flush=True)
time.sleep(60)
"""
FORKING = """
import json, os, signal, sys, time
from pathlib import Path
from intempt_core.dispatch import dbos_runner
from tests.core.dispatch.factories import make_setup
for line in sys.stdin:
    folder, url, owner = json.loads(line)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        print("ended", flush=True)
        continue
    make_setup(Path(folder), url).dispatcher(owner=owner).start(durable=True)
    print(os.getpid(), flush=True)
    time.sleep(60)
"""
ForkingProcess = subprocess.Popen[str]


@pytest.fixture(scope="module")
def forking() -> Iterator[ForkingProcess]:
    """A process that has imported everything, which takes over a second, and forks processes that send."""
    with subprocess.Popen(
        [sys.executable, "-c", FORKING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def received(url: str) -> list[tuple[str, str]]:
    """Every event that the sandbox has stored, as (event id, user id), in order of arrival."""
    found, after = [], 0
    while True:
        page = httpx.get(f"{url}/_sandbox/events", params={"after": after}, auth=("sandbox", "sandbox")).json()
        found += [(item["event"]["eventId"], item["event"]["userId"]) for item in page["events"]]
        if page["next"] is None:
            return found
        after = page["next"]


def killed_while_sending(
    forking: ForkingProcess, folder: Path, url: str, at: Setup, batch: str, owner: str, more: int
) -> None:
    """Kill a process that sends after ``more`` further requests are accepted."""
    before = through(at, batch)
    assert forking.stdin
    assert forking.stdout
    forking.stdin.write(json.dumps([str(folder), url, owner]) + "\n")
    forking.stdin.flush()
    sender = int(forking.stdout.readline())
    at.until(lambda: through(at, batch) >= before + more, 60)
    os.kill(sender, signal.SIGKILL)
    assert forking.stdout.readline() == "ended\n"


def through(at: Setup, batch: str) -> int:
    return at.counts(batch).get("accepted", 0)


@pytest.mark.parametrize(
    ("policy", "kills"),
    [
        (Policy.RESEND, 1),
        *(pytest.param(policy, 3, marks=pytest.mark.long) for policy in (Policy.RESEND, Policy.GO_ON)),
    ],
)
def test_killed_again_and_again_no_event_is_lost_doubled_in_silence_or_reordered(
    forking: ForkingProcess, tmp_path: Path, policy: Policy, kills: int
) -> None:
    count = kills * 500
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3", latency_ms=5) as url:
        at = make_setup(tmp_path, url, tries=20)
        batch = at.record(plan_of(count, PERSONS, per_request=5), policy, owner="0")
        assert sum(at.counts(batch).values()) == count / 5
        for owner, more in (("0", 20), ("1", 60), ("2", 90))[:kills]:
            killed_while_sending(forking, tmp_path, url, at, batch, owner, more)
        assert at.state(batch) is BatchState.SENDING
        dispatcher = at.dispatcher(owner="survivor")
        dispatcher.start(durable=True)
        at.until(lambda: at.state(batch) is BatchState.DONE, 60)
        dispatcher.stop()
        assert {status for _, status in workflows(at)} == {"SUCCESS"}
        assert "survivor" in {executor for executor, _ in workflows(at)}  # it has resumed those of the dead

        found = received(url)
        outcomes = at.history.queries.batch(batch).events
        doubtful = doubted(at, batch)
        assert sum(outcomes.values()) == count
        times = Counter(event for event, _ in found)
        for number in range(count):
            event = f"e{number}"
            assert times[event] == 1 or event in doubtful, event
        if policy is Policy.RESEND:
            assert outcomes == {RequestState.ACCEPTED: count}
            assert set(times) == {f"e{number}" for number in range(count)}
        else:
            assert set(outcomes) <= {RequestState.ACCEPTED, RequestState.UNKNOWN}
            assert max(times.values()) == 1
        for person in range(PERSONS):
            mine = [int(event[1:]) for event, user in found if user == f"u{person}"]
            firsts = list(dict.fromkeys(mine))
            assert firsts == sorted(firsts)
            runs = [number for number, _ in itertools.groupby(mine)]
            assert all(f"e{number}" in doubtful for number, count in Counter(runs).items() if count > 1)
        at.history.close()


def doubted(at: Setup, batch: str) -> set[str]:
    """The events of requests of which any attempt was unknown."""
    found: set[str] = set()
    for page in range(1, at.history.queries.requests(batch).pages + 1):
        for request in at.history.queries.requests(batch, page=page).items:
            if any(attempt.outcome.value == "unknown" for attempt in at.history.queries.request(request.id).attempts):
                found.update(ids(at.history.queries.request(request.id).body))
    return found


def claimed_from(sender: "subprocess.Popen[bytes]", at: Setup, batch: str) -> bool:
    """Freeze a process and claim its batch.

    Frozen in the middle of a transaction it holds the database's lock, and nothing can be taken over. So it is thawed
    for a moment and frozen again, until it is between two transactions.
    """
    for _ in range(100):
        sender.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, sender.pid, os.WSTOPPED)
        try:
            return at.history.queue.claim(batch, "thief", "frozen")
        except HistoryUnavailable:
            sender.send_signal(signal.SIGCONT)
            time.sleep(0.005)
    pytest.fail("the process was never found between two transactions")


@pytest.mark.long
def test_a_process_that_thaws_after_its_batch_was_taken_over_changes_nothing(tmp_path: Path) -> None:
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3", latency_ms=5) as url:
        at = make_setup(tmp_path, url)
        batch = at.record(plan_of(600, PERSONS, per_request=2), Policy.RESEND, owner="frozen")
        with subprocess.Popen(
            [sys.executable, "-c", SENDER, str(tmp_path), url, "frozen"],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        ) as frozen:
            assert frozen.stdout
            assert frozen.stdout.readline() == b"sending\n"
            at.until(lambda: through(at, batch) > 20, 60)
            try:
                assert claimed_from(frozen, at, batch)  # as on a machine that lost its locks
                at.history.queue.in_flight_to_unknown(batch, owner="thief")
                dispatcher = at.dispatcher(owner="thief")
                dispatcher.start()
                at.until(lambda: through(at, batch) > 60, 60)
                frozen.send_signal(signal.SIGCONT)
                at.until(lambda: at.state(batch) is BatchState.DONE, 60)
                time.sleep(0.2)
                dispatcher.stop()
            finally:
                frozen.kill()
        times = Counter(event for event, _ in received(url))
        doubtful = doubted(at, batch)
        assert at.history.queries.batch(batch).events == {RequestState.ACCEPTED: 600}
        assert set(times) == {f"e{number}" for number in range(600)}
        assert all(count == 1 or event in doubtful for event, count in times.items())
        at.history.close()
