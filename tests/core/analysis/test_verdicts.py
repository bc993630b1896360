"""Three verdicts on an event, kept apart; an event is found again by its id, wherever it went."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import uvicorn

from intempt_core import sandbox
from intempt_core.analysis.verdicts import EventVerdicts, VerdictContext, VerdictTone, assess_events
from intempt_core.contract.issue_kinds import ISSUE_KINDS
from intempt_core.contract.outcome import Outcome
from intempt_core.dispatch import send_plan
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    EventOccurrence,
    History,
    RequestState,
    TargetSnapshot,
)
from intempt_core.planning.plan import plan_events
from intempt_core.readers.payload import read_payload
from intempt_core.settings import Settings
from intempt_core.targets.target import derive_target_key, sandbox_target
from intempt_core.transport.sandbox_client import SandboxClient
from intempt_core.validation.check import check_events
from tests.core.history.factories import ME, attempt, batch_of, event, intent, request

GOOD = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}
TARGET = sandbox_target("http://127.0.0.1:1")
NAME_TITLE = ISSUE_KINDS["event_name"].title


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History.open(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def sandbox_url(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(sandbox.create_sandbox_app(tmp_path / "sandbox.sqlite3"), log_level="warning")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def assess(events: Sequence[object], known: VerdictContext) -> list[EventVerdicts]:
    payload = read_payload(json.dumps(events))
    report = check_events(payload.events, None, payload.issues)
    return assess_events(payload.events, report, known, range(len(payload.events)))


def sighting(state: RequestState, when: int = 1, status: int | None = 201, product: str = "p1") -> EventOccurrence:
    return EventOccurrence(
        "e1", "b", "x", when, 0, "Product viewed", product, "sandbox", "sandbox", state, status, "", 1, when
    )


@pytest.mark.parametrize(
    ("event", "well_formed", "matters"),
    [
        (GOOD, (VerdictTone.FINE, "yes"), (VerdictTone.FINE, "nothing against it")),
        ({**GOOD, "userId": " u1"},
         (VerdictTone.DOUBT, "yes, but: id has white space around it or invisible characters"),
         (VerdictTone.FINE, "nothing against it")),
        ({**GOOD, "userId": None},
         (VerdictTone.BAD, "no: identity missing"), (VerdictTone.BAD, "no: identity missing")),
        ({**GOOD, "timestamp": 5}, (VerdictTone.BAD, "no: time before 2010"),
         (VerdictTone.BAD, "no: its time has the whole request rejected")),
        ({**GOOD, "userId": "undefined"}, (VerdictTone.DOUBT, "yes, but: id looks like a placeholder"),
         (VerdictTone.DOUBT, "unsure: an id looks like a placeholder")),
        (5, (VerdictTone.BAD, f"no: {NAME_TITLE}, event is not an object"),
         (VerdictTone.BAD, f"no: {NAME_TITLE}, event is not an object")),
    ],
)  # fmt: skip
def test_form_and_effect_are_assessed_apart(
    event: object, well_formed: tuple[VerdictTone, str], matters: tuple[VerdictTone, str]
) -> None:
    (one,) = assess([event], VerdictContext(TARGET, {}))
    assert (one.well_formed.tone, one.well_formed.message) == well_formed
    assert (one.matters.tone, one.matters.message) == matters
    assert one.accepted.tone is VerdictTone.NOTHING


@pytest.mark.parametrize(
    ("seen", "tone", "words", "request_"),
    [
        ([sighting(RequestState.ACCEPTED)], VerdictTone.GOOD, "accepted: answered 201", 1),
        ([sighting(RequestState.REJECTED, 9, 400), sighting(RequestState.ACCEPTED, 3)], VerdictTone.GOOD,
         "accepted: answered 201, sent 2 times", 3),
        ([sighting(RequestState.REJECTED, 9, 400)], VerdictTone.BAD, "rejected: answered 400", 9),
        ([sighting(RequestState.UNKNOWN, 9, None)], VerdictTone.DOUBT, "unknown: may have arrived", 9),
        ([sighting(RequestState.PENDING, 9, None)], VerdictTone.NOTHING, "pending", 9),
        ([sighting(RequestState.ACCEPTED, product="other")], VerdictTone.DOUBT,
         "not sent: but another event of its id was", None),
        ([sighting(RequestState.NOT_SENT, 9, None)], VerdictTone.NOTHING, "not sent: to Sandbox from here", None),
    ],
)  # fmt: skip
def test_of_several_sendings_the_one_that_says_most_is_shown(
    seen: list[EventOccurrence], tone: VerdictTone, words: str, request_: int | None
) -> None:
    (one,) = assess([GOOD], VerdictContext(TARGET, {"e1": seen}))
    assert (one.accepted.tone, one.accepted.message, one.accepted.request) == (tone, words, request_)
    assert one.well_formed.tone is VerdictTone.FINE


def test_a_repeat_an_unknown_product_and_a_known_person_are_recognised() -> None:
    first, again = assess([GOOD, {**GOOD, "data": {"productId": "p2"}}], VerdictContext(TARGET, {}))
    assert first.matters.tone is VerdictTone.FINE
    assert again.matters.message == "a repeat: it is ignored as a repeat"
    payload = read_payload(json.dumps([GOOD]))
    report = check_events(
        payload.events, None, payload.issues, lambda ids: np.array([id_ == "p1" for id_ in ids.to_pylist()])
    )
    (one,) = assess_events(payload.events, report, VerdictContext(TARGET, {}), [0])
    assert one.matters.message == "unsure: its product is not in the catalogue"
    (one,) = assess(
        [GOOD],
        VerdictContext(TARGET, {}, count_accepted=lambda field, id_: 3 if (field, id_) == ("userId", "u1") else 0),
    )
    assert one.matters.message == "nothing against it: its person is known, 3 of its events were accepted"
    (one,) = assess([{**GOOD, "userId": "u9"}], VerdictContext(TARGET, {}, count_accepted=lambda _field, _id: 0))
    assert one.matters.message == "nothing against it: its person is new there"
    assert one.person == ("userId", "u9")


def test_an_event_without_an_id_cannot_be_looked_up() -> None:
    (one,) = assess([{**GOOD, "eventId": " "}], VerdictContext(TARGET, {}))
    assert one.accepted.message == "not known: without an event id it cannot be looked up"


def test_the_sandbox_has_the_last_word_on_its_own_events(tmp_path: Path, sandbox_url: str) -> None:
    target = sandbox_target(sandbox_url)
    events = [GOOD, {"name": "Product viewed", "eventId": "e2", "userId": "u1", "data": {}}, GOOD]
    payload = read_payload(json.dumps({"track": [{"name": "Product viewed", "payload": events}]}))
    settings = Settings(data=tmp_path)
    send_plan(plan_events(payload.events), target, settings=settings)

    with SandboxClient(target) as sandbox:
        found = sandbox.read_verdicts(["u1", "u1", "nobody"])
    assert [verdict.reason for verdict in found["e2"]] == ["The product id is missing."]
    assert [(verdict.reason == "", verdict.is_repeat) for verdict in found["e1"]] == [(True, False), (False, True)]
    one, two, _ = assess(events, VerdictContext(target, {}, found))
    assert (one.accepted.tone, one.accepted.message) == (
        VerdictTone.GOOD,
        "accepted: from event-console, not from here",
    )
    assert one.matters.message == "processed: its repeats were not"
    assert two.matters.message == "not processed: The product id is missing."


def test_an_event_is_found_by_its_id_wherever_it_went(history: History) -> None:
    other = intent(target=TargetSnapshot.from_target(TARGET), label="elsewhere")
    batch = batch_of(history, [2], owner=ME)
    again = history.recorder.record(other, [request(1, 1, [event(1), event(5, event_id="\ud800")])])
    (work,) = history.queue.take(batch, 1, 10)
    history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, attempt(Outcome.ACCEPTED))], owner=ME)
    found = history.events.occurrences(["e1", "e2", "\ud800", "nobody"])
    assert [(one.batch, one.state, one.status) for one in found["e1"]] == [
        (again, RequestState.PENDING, None),
        (batch, RequestState.ACCEPTED, 201),
    ]
    assert [one.product_id for one in found["e2"]] == ["p2"]
    assert len(found["\ud800"]) == 1
    assert "nobody" not in found
    assert [one.batch for one in history.events.occurrences(["e1"], target=derive_target_key(TARGET))["e1"]] == [again]
    assert len(history.events.occurrences(["e1"], limit_per_id=1)["e1"]) == 1
