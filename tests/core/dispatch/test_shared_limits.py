"""The limits of a target hold for all processes of a data folder together, and a killed one's share is given back."""

import asyncio
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.rules import GivenEvent
from intempt_core.dispatch import shared_turns
from intempt_core.dispatch.rate_limits import RateLimiter
from intempt_core.dispatch.shared_places import SharedPlaces
from intempt_core.dispatch.shared_turns import SharedTurns
from intempt_core.planning.plan import Plan, Policy, plan_events
from intempt_core.settings import Settings
from tests.core.dispatch.factories import OK, Setup, event, ids, make_setup
from tests.core.transport.fault_server import Connection, hostile

ROOT = Path(__file__).parents[3]
LANES = 16
LATENCY = 0.02


# ── turns ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    st.sampled_from([0.5, 7.0, 40.0, 1000.0]),
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 0.3)), min_size=10, max_size=200),
)
def test_several_processes_together_have_no_more_turns_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, per_second: float, asked: list[tuple[int, float]]
) -> None:
    now, path = [1000.0], tmp_path_factory.mktemp("limits") / "turns"
    limiters = [RateLimiter(per_second, shared=SharedTurns(path, lambda: now[0])) for _ in range(3)]
    turns = []
    for process, pause in asked:
        now[0] += pause
        turn = limiters[process].reserve_turn()
        if turn.is_reserved:
            turns.append(now[0] + turn.seconds)
        else:
            assert turn.seconds > 0
    turns.sort()
    for first, begin in enumerate(turns):
        for last in range(first, len(turns)):
            # a stretch may be used late in its time, and the next one early in its own
            assert last - first <= (turns[last] - begin) * per_second + 1 + len(limiters) / 2
    for limiter in limiters:
        limiter.close()


def test_one_process_alone_has_every_turn(tmp_path: Path) -> None:
    now = [1000.0]
    limiter = RateLimiter(100, shared=SharedTurns(tmp_path / "turns", lambda: now[0]))
    turns = 0
    while now[0] < 1010:
        turn = limiter.reserve_turn()
        now[0] += turn.seconds
        turns += turn.is_reserved
    assert turns == pytest.approx(1000, abs=2)
    limiter.close()


@pytest.mark.parametrize(
    ("processes", "lanes", "per_second"),
    [(2, 8, 200), (2, 8, 300), (5, 8, 500), (20, 8, 500), (3, 16, 1500)],
)
def test_processes_that_cannot_use_the_limit_alone_use_it_together(
    tmp_path: Path, processes: int, lanes: int, per_second: int
) -> None:
    """Lanes whose responses take 50 ms: each sends 20 requests a second at the most."""
    now, seconds = [1000.0], 4
    limiters = [
        RateLimiter(per_second, shared=SharedTurns(tmp_path / "turns", lambda: now[0])) for _ in range(processes)
    ]
    asking = [(now[0], process, lane, False) for process in range(processes) for lane in range(lanes)]
    sent = list[float]()
    while asking[0][0] < 1000 + seconds:
        now[0], process, lane, may_send = heappop(asking)
        if may_send:
            sent.append(now[0])
            heappush(asking, (now[0] + 0.05, process, lane, False))
        else:
            turn = limiters[process].reserve_turn(lane)
            heappush(asking, (now[0] + turn.seconds, process, lane, turn.is_reserved))
    assert len(sent) > 0.97 * seconds * min(per_second, processes * lanes / 0.05)
    for first, begin in enumerate(sent):
        assert bisect_left(sent, begin + 1) - first <= per_second + 2  # in any second
    for limiter in limiters:
        limiter.close()


def test_what_was_written_before_the_machine_was_started_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = SharedTurns(tmp_path / "turns", lambda: 1e6)
    assert before.take(1.0, 5, 0).turns == 5
    before.close()
    monkeypatch.setattr(shared_turns, "read_boot_id", lambda: b"another".ljust(36, b"\0"))
    after = SharedTurns(tmp_path / "turns", lambda: 10.0)
    assert after.take(1.0, 1, 0).turns == 1
    after.close()


@pytest.mark.parametrize("content", [b"", b"short", os.urandom(44)])
def test_a_file_that_says_nothing_limits_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "turns").write_bytes(content)
    turns = SharedTurns(tmp_path / "turns", lambda: 10.0)
    assert turns.take(1.0, 1, 0).turns == 1
    turns.close()


def test_a_removed_file_is_made_again_for_all(tmp_path: Path) -> None:
    one, other = (SharedTurns(tmp_path / "limits" / "turns", lambda: 10.0) for _ in range(2))
    assert one.take(1.0, 1, 0).turns == other.take(0.01, 1, 11.0).turns + 1 == 1
    (tmp_path / "limits" / "turns").unlink()
    assert one.take(1.0, 1, 0).turns == 1
    assert other.take(1.0, 1, 0).turns == 0
    one.close()
    other.close()


def test_a_folder_that_cannot_be_used_is_waited_for_and_told(tmp_path: Path) -> None:
    (tmp_path / "limits").write_text("no folder")
    limiter = RateLimiter(10, shared=SharedTurns(tmp_path / "limits" / "turns"))
    assert not limiter.reserve_turn().is_reserved
    assert "waits for the data folder" in limiter.trouble
    (tmp_path / "limits").unlink()
    assert limiter.reserve_turn().is_reserved
    assert limiter.trouble == ""
    limiter.close()


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_places_go_to_lanes_in_the_order_in_which_they_asked(tmp_path: Path) -> None:
    async def ask() -> list[int]:
        places, got = SharedPlaces(1, tmp_path), list[int]()

        async def lane(number: int) -> None:
            assert await places.acquire()
            got.append(number)
            await asyncio.sleep(0.001)
            places.release()

        await asyncio.gather(*(lane(number) for number in range(20)))
        places.close()
        return got

    assert asyncio.run(ask()) == list(range(20))


def test_an_end_ends_the_waiting_and_leaves_the_place_to_others(tmp_path: Path) -> None:
    async def ask() -> None:
        one, other, halt = SharedPlaces(1, tmp_path), SharedPlaces(1, tmp_path), asyncio.Event()
        assert await one.acquire()
        asyncio.get_running_loop().call_later(0.05, halt.set)
        assert not await other.acquire(halt)
        waiting = asyncio.create_task(other.acquire(asyncio.Event()))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        one.release()
        assert await other.acquire(asyncio.Event())
        one.close()
        other.close()

    asyncio.run(ask())


def test_no_limit_opens_no_file(tmp_path: Path) -> None:
    async def ask() -> None:
        places = SharedPlaces(0, tmp_path / "limits")
        assert await places.acquire()
        assert not places.should_hand_over
        places.release()
        places.close()

    asyncio.run(ask())
    assert RateLimiter(0).reserve_turn().seconds == 0
    assert list(tmp_path.iterdir()) == []


# ── real processes ───────────────────────────────────────────────────────────────────────────────────────────────────

SENDER = """
import sys, time
from pathlib import Path
from tests.core.dispatch.factories import make_setup
folder, url, owner, per_second, in_flight = sys.argv[1:]
at = make_setup(Path(folder), url, requests_per_second=float(per_second), requests_in_flight=int(in_flight))
is_console = owner == "console"
at.dispatcher(owner=owner, adopts=is_console).start(durable=is_console)
time.sleep(120)
"""
FIRST_OF = {"console": 0, "command": 100_000}
"""The number of the first event of each process."""


@dataclass
class Counted:
    """What a target has seen: when each request came and of whom, and how many were in flight then."""

    came: list[tuple[float, str]] = field(default_factory=list)
    in_flight: list[tuple[float, int]] = field(default_factory=list)
    now: int = 0

    async def serve(self, connection: Connection) -> None:
        while True:
            received = await connection.request()
            number = int(ids(received.body)[0][1:])
            owner = "command" if number >= FIRST_OF["command"] else "console"
            self.now += 1
            self.came.append((time.monotonic(), owner))
            self.in_flight.append((time.monotonic(), self.now))
            try:
                await asyncio.sleep(LATENCY)
                await connection.send(OK)
            finally:
                self.now -= 1

    def count(self, begin: float, end: float, owner: str = "") -> int:
        return sum(begin <= when < end for when, by in self.came if owner in ("", by))


def plan_from(first: int, events: int) -> Plan:
    made: list[GivenEvent] = [event(first + number, first + number % LANES) for number in range(events)]
    return plan_events(made, settings=Settings(events_per_request=1))


@contextmanager
def two_senders(
    folder: Path, events: int, per_second: float, in_flight: int
) -> Iterator[tuple[Setup, Counted, dict[str, "subprocess.Popen[bytes]"]]]:
    """A console and a ``send``, each a process with a batch of its own, on one data folder and one target."""
    seen = Counted()
    with ExitStack() as opened:
        server = opened.enter_context(hostile(seen.serve))
        at = make_setup(folder, server.url)
        opened.callback(at.history.close)
        for owner, first in FIRST_OF.items():
            at.record(plan_from(first, events), Policy.RESEND, owner=owner)
        processes = {}
        for owner in FIRST_OF:
            command = [sys.executable, "-c", SENDER, str(folder), server.url, owner, str(per_second), str(in_flight)]
            processes[owner] = opened.enter_context(subprocess.Popen(command, cwd=ROOT))
            opened.callback(processes[owner].kill)
        at.until(lambda: len({owner for _, owner in seen.came}) == 2, 60)
        yield at, seen, processes


@pytest.mark.long
@pytest.mark.untraced
def test_two_processes_send_no_more_than_the_limit_and_a_killed_ones_share_is_given_back(tmp_path: Path) -> None:
    limit = 80
    with two_senders(tmp_path, 2000, limit, 0) as (at, seen, processes):
        began = time.monotonic()
        at.until(lambda: time.monotonic() - began > 4, 10)
        ended = time.monotonic()
        by = Counter(owner for when, owner in seen.came if began <= when < ended)
        assert seen.count(began, ended) <= limit * (ended - began) * 1.02 + 5
        assert seen.count(began, ended) >= limit * (ended - began) * 0.1  # beside other work on the same cores
        assert min(by.values()) > 0
        processes["console"].kill()
        time.sleep(1)
        again = time.monotonic()
        # on a busy machine it may be a while until the other one's turn comes
        at.until(lambda: seen.count(again, time.monotonic(), "command") >= limit * 2 * 0.1, 60)
        ended = time.monotonic()
        assert seen.count(again, ended, "command") <= limit * (ended - again) * 1.02 + 5
        times = [when for when, _ in seen.came]
        for index, when in enumerate(times):
            assert bisect_left(times, when + 1) - index <= limit + 2 * LANES  # in any second, with what was late


@pytest.mark.long
@pytest.mark.untraced
def test_two_processes_have_no_more_in_flight_than_the_limit_and_a_killed_ones_places_are_given_back(
    tmp_path: Path,
) -> None:
    limit = 4
    with two_senders(tmp_path, 4000, 0, limit) as (_, seen, processes):
        time.sleep(1)
        began = time.monotonic()
        time.sleep(2)
        ended = time.monotonic()
        by = Counter(owner for when, owner in seen.came if began <= when < ended)
        assert max(count for _, count in seen.in_flight) == limit
        assert min(by.values()) > 0
        processes["command"].kill()
        time.sleep(0.5)  # what it had in flight ends
        again = time.monotonic()
        time.sleep(1.5)
        assert max(count for when, count in seen.in_flight if when >= again) == limit
        assert seen.count(again, again + 1.5, "console") >= 0.4 * seen.count(began, ended) / 2 * 1.5


@pytest.mark.long
@pytest.mark.untraced
def test_one_place_goes_back_and_forth_between_two_processes(tmp_path: Path) -> None:
    with two_senders(tmp_path, 2000, 0, 1) as (_, seen, _processes):
        began = time.monotonic()
        time.sleep(3)
        by = Counter(owner for when, owner in seen.came if when >= began)
        assert max(count for _, count in seen.in_flight) == 1
        assert min(by.values()) > 0
