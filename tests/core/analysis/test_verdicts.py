"""Three verdicts on an event, kept apart; an event is found again by its id, wherever it went."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from intempt_core import sandbox
from intempt_core.analysis.verdicts import EventVerdicts, VerdictContext, VerdictTone, assess_events
from intempt_core.contract import GivenEvent
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
from intempt_core.targets.target import Target, derive_target_key, sandbox_target
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


def sighting(
    state: RequestState, when: int = 1, status: int | None = 201, product: str = "p1", *, person: str = "u1",
    name: str = "Product viewed",
) -> EventOccurrence:  # fmt: skip
    return EventOccurrence(
        "e1", "b", "x", when, 0, name, product, "sandbox", "sandbox", state, status, "", 1, when, (person,)
    )


@pytest.mark.parametrize(
    ("event", "valid", "effect"),
    [
        (GOOD, (VerdictTone.FINE, "valid"), (VerdictTone.FINE, "expected to be processed")),
        ({**GOOD, "userId": " u1"},
         (VerdictTone.DOUBT, "with warnings: id has white space around it or invisible characters"),
         (VerdictTone.FINE, "expected to be processed")),
        ({**GOOD, "userId": None},
         (VerdictTone.BAD, "not valid: identity missing"), (VerdictTone.BAD, "no: identity missing")),
        ({**GOOD, "timestamp": 5}, (VerdictTone.BAD, "not valid: time before 2010"),
         (VerdictTone.BAD, "no: its time has the whole request rejected")),
        ({**GOOD, "userId": "undefined"}, (VerdictTone.DOUBT, "with warnings: id looks like a placeholder"),
         (VerdictTone.DOUBT, "unsure: an id looks like a placeholder")),
        (5, (VerdictTone.BAD, f"not valid: {NAME_TITLE}, event is not an object"),
         (VerdictTone.BAD, f"no: {NAME_TITLE}, event is not an object")),
    ],
)  # fmt: skip
def test_form_and_effect_are_assessed_apart(
    event: object, valid: tuple[VerdictTone, str], effect: tuple[VerdictTone, str]
) -> None:
    (one,) = assess([event], VerdictContext(TARGET, {}))
    assert (one.valid.tone, one.valid.message) == valid
    assert (one.effect.tone, one.effect.message) == effect
    assert one.accepted.tone is VerdictTone.NOTHING


@pytest.mark.parametrize(
    ("seen", "tone", "words", "request_"),
    [
        ([sighting(RequestState.ACCEPTED)], VerdictTone.GOOD, "accepted: 1970-01-01 00:00:00 UTC, status 201", 1),
        ([sighting(RequestState.REJECTED, 9, 400), sighting(RequestState.ACCEPTED, 3)], VerdictTone.GOOD,
         "accepted: 1970-01-01 00:00:00 UTC, status 201, sent 2 times", 3),
        ([sighting(RequestState.REJECTED, 9, 400)], VerdictTone.BAD,
         "rejected: 1970-01-01 00:00:00 UTC, status 400", 9),
        ([sighting(RequestState.UNKNOWN, 9, None)], VerdictTone.DOUBT,
         "unknown: may have arrived, 1970-01-01 00:00:00 UTC", 9),
        ([sighting(RequestState.PENDING, 9, None)], VerdictTone.NOTHING, "pending: 1970-01-01 00:00:00 UTC", 9),
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
    assert one.valid.tone is VerdictTone.FINE


def test_a_repeat_an_unknown_product_and_a_known_person_are_recognised() -> None:
    first, again = assess([GOOD, {**GOOD, "data": {"productId": "p2"}}], VerdictContext(TARGET, {}))
    assert first.effect.tone is VerdictTone.FINE
    assert again.effect.message == "will be ignored: it repeats the event id of an event above"
    payload = read_payload(json.dumps([GOOD]))
    report = check_events(
        payload.events, None, payload.issues, lambda ids: np.array([id_ == "p1" for id_ in ids.to_pylist()])
    )
    (one,) = assess_events(payload.events, report, VerdictContext(TARGET, {}), [0])
    assert one.effect.message == "unsure: its product is not in the catalogue"
    (one,) = assess(
        [GOOD],
        VerdictContext(TARGET, {}, count_accepted=lambda field, id_: 3 if (field, id_) == ("userId", "u1") else 0),
    )
    assert one.effect.message == "expected to be processed: known user, 3 of its events were accepted"
    (one,) = assess([{**GOOD, "userId": "u9"}], VerdictContext(TARGET, {}, count_accepted=lambda _field, _id: 0))
    assert one.effect.message == "expected to be processed: new user"
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
        found = sandbox.read_arrivals(["e1", "e2", "never"])
    assert [arrival.reason for arrival in found["e2"]] == ["The product id is missing."]
    assert [(arrival.processed, arrival.repeat_of) for arrival in found["e1"]] == [(True, None), (False, 1)]
    one, two, _ = assess(events, VerdictContext(target, {}, found, format_time=lambda _ms: "12:03"))
    assert (one.accepted.tone, one.accepted.message) == (
        VerdictTone.GOOD,
        "accepted: 12:03, from event-console, not from here",
    )
    assert (one.effect.message, one.arrival) == ("processed: its repeats were not", 1)
    assert (two.effect.message, two.arrival) == ("ignored: The product id is missing.", 2)


# ── an id that was used before ───────────────────────────────────────────────────────────────────────────────────────

LIVE = replace(TARGET, origin="secrets.toml", deduplicates=True)
ORDER = {"name": "Product ordered", "eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}


def context(target: Target = LIVE, **known: Any) -> VerdictContext:
    return VerdictContext(target, {"e1": known.pop("seen", [])}, format_time=lambda ms: f"12:{ms:02}", **known)


def verdict_on(event: object, known: VerdictContext) -> tuple[VerdictTone, str]:
    (one,) = assess([event], known)
    return one.effect.tone, one.effect.message


@pytest.mark.parametrize(
    ("seen", "deduplicates", "expected"),
    [
        (sighting(RequestState.ACCEPTED, 3, person="user_9"), True,
         (VerdictTone.BAD, "will be ignored: its event id was used 12:03 by user_9")),
        (sighting(RequestState.ACCEPTED, 3, product="other"), True,
         (VerdictTone.BAD, "will be ignored: its event id was used 12:03 by u1")),
        (sighting(RequestState.ACCEPTED, 3, person="user_9"), False,
         (VerdictTone.DOUBT, "may count twice: its event id was used 12:03 by user_9")),
        (sighting(RequestState.UNKNOWN, 3, person="user_9"), True,
         (VerdictTone.DOUBT, "may be ignored: an event of user_9 with its id was sent 12:03 and may have arrived")),
        (sighting(RequestState.PENDING, 3, person="user_9"), True,
         (VerdictTone.DOUBT, "may be ignored: an event of user_9 with its id was sent 12:03 and is not over yet")),
        (sighting(RequestState.REJECTED, 3, person="user_9"), True, (VerdictTone.FINE, "expected to be processed")),
        (sighting(RequestState.NOT_SENT, 3, person="user_9"), True, (VerdictTone.FINE, "expected to be processed")),
        (sighting(RequestState.ACCEPTED, 3), True,
         (VerdictTone.FINE,
          "expected to be processed: the target does not say more; if it is sent again, it is ignored")),
    ],
)  # fmt: skip
def test_an_id_that_another_event_used_is_no_hope_for_this_one(
    seen: EventOccurrence, *, deduplicates: bool, expected: tuple[VerdictTone, str]
) -> None:
    known = context(replace(LIVE, deduplicates=deduplicates), seen=[seen], count_accepted=lambda _field, _id: None)
    assert verdict_on(GOOD, known) == expected


def test_another_persons_event_is_not_shown_as_accepted() -> None:
    (one,) = assess([GOOD], context(seen=[sighting(RequestState.ACCEPTED, 3, person="user_9")]))
    assert one.accepted.message == "not sent: but another event of its id was"


def test_pseudonyms_are_no_other_person_and_no_new_user() -> None:
    """A case file has other names in the place of the persons; its event ids are as they were sent."""
    seen = [sighting(RequestState.ACCEPTED, 3, person="user_9")]
    pseudonymous = {**GOOD, "userId": "user-5f3a"}
    (one,) = assess([pseudonymous], context(seen=seen, is_pseudonymous=True))
    assert one.accepted.message == "accepted: 12:03, status 201"
    other = [sighting(RequestState.ACCEPTED, 3, person="user_9", product="other")]
    known = context(seen=other, is_pseudonymous=True, count_accepted=lambda _field, _id: 0)
    assert verdict_on(pseudonymous, known) == (
        VerdictTone.BAD, "will be ignored: its event id was used 12:03 by user_9",
    )  # fmt: skip
    unseen = context(is_pseudonymous=True, count_accepted=lambda _field, _id: 0)
    assert "new user" not in verdict_on(pseudonymous, unseen)[1]


def test_lines_of_an_order_are_no_repeats_of_each_other() -> None:
    """CONTRACT 2.9: lines share an id, and their product tells them apart."""
    lines = [{**ORDER, "data": {"productId": product}} for product in ("p2", "p3")]
    order = {"name": "Product ordered", "payload": [{**line, "name": None} for line in lines]}
    seen = [sighting(RequestState.ACCEPTED, 3, name="Product ordered")]
    payload = read_payload(json.dumps({"track": [order]}))
    report = check_events(payload.events, None, payload.issues)
    found = assess_events(payload.events, report, context(seen=seen), [0, 1])
    assert [one.effect.label for one in found] == ["expected to be processed"] * 2
    seen.append(sighting(RequestState.ACCEPTED, 5, name="Product ordered", product="p3", person="user_9"))
    found = assess_events(payload.events, report, context(seen=seen), [0, 1])
    assert [one.effect.label for one in found] == ["expected to be processed", "will be ignored"]


def test_what_the_sandbox_does_is_what_was_foretold(tmp_path: Path, sandbox_url: str) -> None:
    """An id that another client used for another person: foretold as ignored, and then ignored."""
    target, settings = sandbox_target(sandbox_url), Settings(data=tmp_path)
    theirs = {"name": "Added to cart", "eventId": "evt_000000000", "userId": "user_9", "data": {"productId": "SKU_9"}}
    order = [{**ORDER, "eventId": "order-1", "data": {"productId": product}} for product in ("p1", "p2")]
    mine = {**theirs, "userId": "brand_new", "data": {"productId": "SKU_5"}}
    more = [{**ORDER, "eventId": "order-1", "data": {"productId": product}} for product in ("p2", "p3")]
    lone = {**ORDER, "eventId": "order-1", "data": {"productId": "p4"}}

    def look(events: Sequence[GivenEvent]) -> list[EventVerdicts]:
        with SandboxClient(target) as sandbox:
            found = sandbox.read_arrivals(["evt_000000000", "order-1"])
        known = VerdictContext(target, {}, found, lambda _field, _id: 0, format_time=lambda _ms: "12:03")
        return assess_events(events, check_events(events), known, range(len(events)))

    def read(*groups: Sequence[dict[str, Any]]) -> Sequence[GivenEvent]:
        return read_payload(
            json.dumps({"track": [{"name": group[0]["name"], "payload": group} for group in groups]})
        ).events

    send_plan(plan_events(read([theirs], order)), target, settings=settings)
    foretold = [*look(read([mine], more)), *look(read([lone]))]
    assert [(one.effect.label, one.first_use) for one in foretold] == [
        ("will be ignored", 1), ("processed", None), ("expected to be processed", None), ("will be ignored", 2),
    ]  # fmt: skip
    assert foretold[0].effect.detail == "its event id was used 12:03 by user_9"
    for events in (read([mine], more), read([lone])):
        send_plan(plan_events(events), target, settings=settings)
    came_true = [*look(read([mine], more)), *look(read([lone]))]
    assert [one.effect.label for one in came_true] == ["ignored", "processed", "processed", "ignored"]
    assert came_true[0].effect.detail == "its event id was used 12:03 by user_9"


def test_the_event_id_of_a_sandbox_that_does_not_deduplicate_may_count_twice() -> None:
    seen = [sighting(RequestState.ACCEPTED, 3, person="user_9")]
    assert verdict_on(GOOD, context(seen=seen, deduplicates=False))[1].startswith("may count twice")


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
    assert [(one.product_id, one.identities) for one in found["e2"]] == [("p2", ("u1",))]
    assert len(found["\ud800"]) == 1
    assert "nobody" not in found
    assert [one.batch for one in history.events.occurrences(["e1"], target=derive_target_key(TARGET))["e1"]] == [again]
    assert len(history.events.occurrences(["e1"], limit_per_id=1)["e1"]) == 1
