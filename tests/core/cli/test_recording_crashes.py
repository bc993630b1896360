"""A ``send`` that is killed again and again while it records: what arrived is held against what history says."""

import random
import subprocess
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.history import BatchState, History
from tests.child_processes import find_child
from tests.core.cli.slow_sends import (
    assert_persons_in_order,
    find_newest,
    kill,
    list_arrivals,
    start_slowly,
    wait_for_owners,
    wait_until,
)
from tests.core.cli.test_cli import file, good, history, key, url_of
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import hostile

PERSONS = 25
EVENTS_PER_KILL = 400
"""Events of the file for each time that its sending is killed, and as many for the end."""

OUTCOMES = """SELECT e.event_id, r.state, b.id FROM events e
JOIN requests r ON r.id = e.request JOIN batches b ON b.number = e.batch"""
DOUBTED = "SELECT e.event_id FROM attempts a JOIN events e ON e.request = a.request WHERE a.outcome = 'unknown'"

pytestmark = pytest.mark.untraced  # what is killed here is another process


@pytest.mark.long  # killed once: tests/core/dispatch/test_crash.py, test_send_while_recorded.py
@pytest.mark.parametrize(("kills", "seed"), [(2, 1), pytest.param(20, 2, marks=pytest.mark.timeout(900))])
def test_killed_while_it_records_and_its_rest_sent_until_done(tmp_path: Path, kills: int, seed: int) -> None:
    rng, events, data = random.Random(seed), EVENTS_PER_KILL * (kills + 1), tmp_path / "data"
    given = file(tmp_path, *good(events, PERSONS))
    environment = key(data, CONSOLE_EVENTS_PER_REQUEST="5")
    with hostile(decides(lambda _: OK, pause=0.002)) as server, history(data) as at:
        call = ["send", given, "--target", url_of(server), "--yes", "--rest"]
        for _ in range(kills):
            before = find_newest(at)
            known = before.id if before else ""
            sender = start_slowly(0.01, call, environment, output=subprocess.DEVNULL)
            moment = rng.randrange(EVENTS_PER_KILL)
            wait_until(partial(_is_recorded, at, known, moment))
            if rng.random() < 0.5:
                kill(sender, find_child(sender.pid, "dispatch.sending_child"))
            else:
                kill(sender)  # what sends for it drains
                wait_for_owners(at, data)
        code = main(call, environment)
        newest = find_newest(at)
        assert newest
        assert newest.state is BatchState.DONE
        assert code == ExitCode.DONE
        assert main(call, environment) in (ExitCode.DONE, ExitCode.NOT_ALL)
        assert find_newest(at) == newest  # nothing was left
        _reconcile(at, list_arrivals(server), events)
        stopped = [one for one in at.queries.batches().items if one.id != newest.id]
        assert {one.state for one in stopped} == {BatchState.CANCELLED}
        assert len(stopped) == kills


def _is_recorded(at: History, known: str, events: int) -> bool:
    """Whether so many events, but not all, of a batch are recorded that was not known before."""
    found = find_newest(at)
    if found is None or found.id == known:
        return False
    assert found.unrecorded, "it was recorded before it could be killed"
    return found.total >= events


def _reconcile(at: History, arrived: list[tuple[str, str]], events: int) -> None:
    with at.database.reading() as connection:
        outcomes = connection.exec_driver_sql(OUTCOMES).all()
        doubted = set(connection.exec_driver_sql(DOUBTED).scalars())
    states: dict[str, set[str]] = {}
    for event, state, _ in outcomes:
        states.setdefault(event, set()).add(state)
    times = Counter(event for event, _ in arrived)
    assert set(states) == {f"e{number}" for number in range(events)}
    lost = [event for event, found in states.items() if not times[event] and "unknown" not in found]
    assert not lost
    assert not [event for event, found in states.items() if found == {"cancelled"}]
    assert not [event for event, count in times.items() if count > 1 and event not in doubted]
    assert_persons_in_order(arrived)
    found = Counter(state for _, state, _ in outcomes)
    assert set(found) <= {"accepted", "unknown", "cancelled"}
    arrived_unknown = sum(1 for event, found in states.items() if "unknown" in found and times[event])
    assert len(times) == found["accepted"] + arrived_unknown
    for batch in at.queries.batches().items:
        counted = Counter(state for _, state, id_ in outcomes if id_ == batch.id)
        assert {state.value: count for state, count in batch.events.items() if count} == counted
