"""The reckoning of the fault benchmarks finds what is wrong: a benchmark that could not fail would say nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from intempt_core.contract.outcome import Outcome
from intempt_core.history import AttemptEnd, AttemptStart, BatchState, History, RequestState
from tests.bench.reconciliation import Reckoning, reckon
from tests.core.history.factories import ME, attempt, event, intent, request

SAID = ":green-badge[● 4 accepted] · 6 of 6 events :orange-badge[◆ 2 unknown (may have arrived)]"
ALL = [("e0", "u0"), ("e1", "u1"), ("e2", "u0"), ("e3", "u1")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


@pytest.fixture
def batch(file: Path) -> Iterator[str]:
    """Three requests of two events each: two were accepted, the last is unknown."""
    history = History.open(f"sqlite:///{file}")
    wanted = [
        request(1, position, [event(number + 1, event_id=f"e{number}", user_id=f"u{number % 2}") for number in pair])
        for position, pair in enumerate(((0, 1), (2, 3), (4, 5)), 1)
    ]
    made = history.recorder.record(intent(owner=ME, rows=6), wanted)
    outcomes = (Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.UNKNOWN)
    for work, outcome in zip(history.queue.take(made, 1, 3), outcomes, strict=True):
        history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, attempt(outcome))], owner=ME)
    history.control.set_state(made, BatchState.DONE)
    assert history.queries.batch(made).events == {RequestState.ACCEPTED: 4, RequestState.UNKNOWN: 2}
    yield made
    history.close()


def test_what_is_right_is_not_called_wrong(file: Path, batch: str) -> None:
    assert reckon(file, batch, ALL, SAID) == Reckoning(6, 4, 2, 4, 0, 0, 0, 0, 0)
    arrived = [*ALL, ("e4", "u0"), ("e5", "u1")]
    assert reckon(file, batch, arrived, SAID).wrong == 0  # an unknown one may have arrived
    again = reckon(file, batch, [*arrived, ("e4", "u0"), ("e5", "u1")], SAID)
    assert (again.wrong, again.doubles) == (0, 2)  # and come twice


@pytest.mark.parametrize(
    ("received", "screen", "wrong"),
    [
        (ALL[:3], SAID, {"lost": 1, "differing": 1}),
        ([*ALL, ("e2", "u0")], SAID, {"silent_doubles": 1}),
        ([*ALL, ("e0", "u0")], SAID, {"silent_doubles": 1, "reordered": 1}),
        ([ALL[2], *ALL[:2], ALL[3]], SAID, {"reordered": 1}),
        ([*ALL, ("e9", "u9")], SAID, {"lost": 1, "differing": 1}),
        (ALL, SAID.replace("4 accepted", "5 accepted"), {"differing": 1}),
        (ALL, "", {"differing": 6}),
    ],
)
def test_what_is_wrong_is_counted(
    file: Path, batch: str, received: list[tuple[str, str]], screen: str, wrong: dict[str, int]
) -> None:
    found = reckon(file, batch, received, screen)
    kinds = ("lost", "silent_doubles", "reordered", "differing")
    assert {kind: getattr(found, kind) for kind in kinds if getattr(found, kind)} == wrong
    assert found.figures["ratio"] == sum(wrong.values())
