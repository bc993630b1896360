"""Compose without a browser: the state of the form, its fields on the wire, and the sentence of every outcome."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from hypothesis import given, settings
from hypothesis import strategies as some

from intempt_core.contract.body import build_request_body
from intempt_core.contract.fields import EventName
from intempt_core.readers.payload import read_payload
from pages.parts.compose.form import EventForm, ExtraValue
from pages.parts.compose.state import FormState
from tests.core.transport.fault_server import Behaviour, Connection, answers, hostile, http, resets_at_once, says
from tests.examples import keep_first_quick, scale_examples
from tests.pages.conftest import Screen
from tests.pages.test_targets import KEY, use

LONG = "1487580005268456287"


def ready(screen: Screen, person: str = "u1", product: str = "SKU_1", *, details: bool = False) -> Screen:
    if details:
        screen.press("compose-1-details")
    return screen.fill("compose-data-productId", product).fill("compose-userId", person)


def sent_body(screen: Screen) -> dict[str, Any]:
    """The body that was sent, as the card shows it."""
    found: dict[str, Any] = json.loads(next(code for code in screen.codes if code.startswith('{"track"')))
    return found


def headline_of(screen: Screen) -> str:
    """The card's first sentence."""
    return next(line for line in screen.texts.splitlines() if " at " in line and "attempt" in line)


# ── the form's state ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_form_is_not_checked_then_has_problems_then_is_not_checked_then_ready(compose: Screen) -> None:
    assert "not checked" in compose.markdown
    assert "problem" not in compose.markdown
    compose.press("compose-check")
    states = [compose.compose_state.state]
    assert "2 problems" in compose.markdown
    assert "Event 1: product id missing" in compose.markdown
    states.append(ready(compose).compose_state.state)
    states.append(compose.press("compose-check").compose_state.state)
    assert states == [FormState.PROBLEMS, FormState.NOT_CHECKED, FormState.READY]
    assert "✓ ready" in compose.markdown


def test_send_as_it_is_is_offered_only_for_what_has_problems(compose: Screen) -> None:
    assert not compose.has("compose-send-as-it-is")
    assert compose.press("compose-send").has("compose-send-as-it-is")
    assert compose.compose_state.guard.batch is None


def test_every_problem_leads_to_a_field_that_is_there(compose: Screen) -> None:
    compose.press("compose-show-profileId").press("compose-1-details").press("compose-1-more")
    compose.fill("compose-1-row-0-key", "sessionId").fill("compose-1-row-0-value", "null")
    compose.app.selectbox(key="compose-1-row-0-in").set_value("event")
    compose.app.selectbox(key="compose-1-row-0-type").set_value("JSON")
    compose.fill("compose-profileId", " p ").fill("compose-1-eventId", "").press("compose-check")
    keys = {
        widget.key for kind in ("text_input", "button_group", "selectbox", "button") for widget in compose.app.get(kind)
    }
    for number in range(len(compose.compose_state.issues)):
        compose.app.button(key=f"compose-go-{number}").click()
        compose.run()
        focused = [
            json.loads(element.proto.json)["field"]
            for element in compose.app.get("bidi_component")
            if element.proto.component_name.endswith("focus_field")
        ]
        assert len(focused) == 1
        assert focused[0] in keys


def test_an_id_that_was_sent_before_is_a_warning(compose: Screen) -> None:
    first = ready(compose, details=True).app.text_input(key="compose-1-eventId").value
    assert first
    compose.send().compose_state.replaced_at -= 5
    compose.fill("compose-1-eventId", first).press("compose-check")
    assert "1 warning" in compose.markdown
    assert "was already sent to this target" in compose.texts


def test_an_edit_while_the_request_is_in_flight_keeps_it_in_sight_and_renews_the_id(compose: Screen) -> None:
    first = ready(compose, details=True).app.text_input(key="compose-1-eventId").value
    compose.press("compose-send")
    if compose.compose_state.guard.is_sending:
        compose.fill("compose-data-productId", "SKU_2")
    for _ in range(100):
        compose.run()
        if not compose.compose_state.guard.is_sending:
            break
    assert "Response" in compose.markdown
    assert compose.app.text_input(key="compose-1-eventId").value != first


def test_a_message_that_was_underway_while_the_id_was_renewed_is_no_edit(compose: Screen) -> None:
    first = ready(compose, details=True).app.text_input(key="compose-1-eventId").value or ""
    renewed = compose.send().app.text_input(key="compose-1-eventId").value
    assert first != renewed
    compose.fill("compose-1-eventId", first)  # as a browser that has not seen the new one
    assert compose.app.text_input(key="compose-1-eventId").value == renewed
    assert "Response" in compose.markdown
    assert compose.compose_state.guard.batch is not None
    compose.compose_state.replaced_at -= 5
    compose.fill("compose-1-eventId", first)
    assert compose.app.text_input(key="compose-1-eventId").value == first
    assert compose.compose_state.guard.batch is None


def test_resending_sends_the_same_bytes_to_the_same_target(compose: Screen) -> None:
    ready(compose).send()
    body = sent_body(compose)
    compose.compose_state.guard.settled_at = 0.0
    assert "The target deduplicates by event id" in compose.texts
    assert sent_body(compose.send("compose-same")) == body


def test_a_second_click_is_the_same_click(compose: Screen) -> None:
    ready(compose).send()
    batch = compose.compose_state.guard.batch
    assert compose.press("compose-send").compose_state.guard.batch == batch
    assert compose.press("compose-same").compose_state.guard.batch == batch
    assert "Double click ignored" in compose.texts
    compose.compose_state.guard.settled_at -= 5
    assert compose.send().compose_state.guard.batch != batch


# ── from the fields to the wire ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "text", "content", "fits"),
    [
        ("text", "007", "007", True),
        ("number", "12.50", 12.5, True),
        ("number", LONG, int(LONG), True),
        ("number", "twelve", "twelve", False),
        ("number", "1e999", "1e999", False),
        ("number", "NaN", "NaN", False),
        ("number", "true", "true", False),
        ("true or false", "True", True, True),
        ("true or false", "yes", "yes", False),
        ("JSON", '{"a": [1, null]}', {"a": [1, None]}, True),
        ("JSON", '"text"', "text", True),
        ("JSON", "[NaN]", "[NaN]", False),
        ("JSON", "[1", "[1", False),
        ("JSON", "1],[2", "1],[2", False),
        ("JSON", "[" * 199 + "]" * 199, "[" * 199 + "]" * 199, False),
        ("JSON", "[" * 9000, "[" * 9000, False),
    ],
)
def test_an_extra_value_has_its_type_or_is_sent_as_text_with_a_note(
    kind: str, text: str, content: object, fits: bool
) -> None:
    row = ExtraValue("data", "k", kind, text)
    assert row.value == content
    assert type(row.value) is type(content)
    assert row.fits is fits


@pytest.mark.parametrize(
    ("key", "text", "kind", "content"),
    keep_first_quick(
        [
            ("price", "12.5", "number", 12.5),
            ("price", "12,5", "text", "12,5"),
            ("code", "007", "text", "007"),
            ("barcode", "1487580005268456192", "text", "1487580005268456192"),
            ("quantity", " 3 ", "number", 3),
            ("discount", "-0.25", "number", -0.25),
            ("price", "EUR 12.5", "text", "EUR 12.5"),
            ("categoryId", "5773203", "text", "5773203"),
            ("category_id", "5773203", "text", "5773203"),
            ("sku", "5773203", "text", "5773203"),
            ("paid", "12.5", "number", 12.5),
        ],
        4,
    ),
)
def test_the_type_of_a_new_value_follows_what_is_typed_and_an_id_stays_text(
    compose: Screen, key: str, text: str, kind: str, content: object
) -> None:
    ready(compose, details=True).press("compose-1-more")
    compose.fill("compose-1-row-0-key", key).fill("compose-1-row-0-value", text)
    assert compose.app.selectbox(key="compose-1-row-0-type").value == kind
    data = sent_body(compose.send())["track"][0]["payload"][0]["data"]
    assert data[key] == content
    assert type(data[key]) is type(content)


def test_a_price_leaves_as_a_number_and_a_type_that_was_chosen_stays(
    compose: Screen, tab: Callable[[str], Screen]
) -> None:
    other = tab("compose.py")
    for screen in (compose, other):
        ready(screen, details=True).press("compose-1-more")
        screen.fill("compose-1-row-0-key", "price").fill("compose-1-row-0-value", "12.5")
    other.app.selectbox(key="compose-1-row-0-type").set_value("text")
    other.run().fill("compose-1-row-0-value", "13.5")
    for screen, kind, leaves in ((compose, "number", '"price":12.5}'), (other, "text", '"price":"13.5"}')):
        assert screen.app.selectbox(key="compose-1-row-0-type").value == kind
        screen.send()
        assert leaves in next(code for code in screen.codes if code.startswith('{"track"'))


def test_rows_of_extra_values_with_surprises_have_a_note(compose: Screen) -> None:
    ready(compose, details=True).press("compose-1-more").press("compose-1-more").fill("compose-1-row-0-value", "1")
    assert "Without a key this value is not sent." in compose.texts
    compose.fill("compose-1-row-0-key", "price").fill("compose-1-row-1-key", "price")
    assert "The same key is used again below; the last one is sent." in compose.texts


def test_a_time_that_is_chosen_begins_at_now_in_the_zone_beside_it(
    compose: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(st.context), "timezone", "Asia/Kolkata")
    ready(compose, details=True).app.button_group(key="compose-1-when").set_value("Custom")
    compose.run()
    assert compose.app.selectbox(key="compose-1-zone").value == "Asia/Kolkata"
    compose.send()
    assert abs(sent_body(compose)["track"][0]["payload"][0]["timestamp"] / 1000 - time.time()) < 120


def test_a_time_chosen_in_a_zone_is_sent_as_epoch_milliseconds(compose: Screen) -> None:
    ready(compose, details=True).app.button_group(key="compose-1-when").set_value("Custom")
    compose.run()
    compose.app.datetime_input[0].set_value(datetime(2022, 10, 1, 5, 30))  # noqa: DTZ001  zone apart
    compose.app.number_input(key="compose-1-seconds").set_value(7.042)
    compose.app.selectbox(key="compose-1-zone").set_value("Asia/Kolkata")
    compose.run().send()
    assert sent_body(compose)["track"][0]["payload"][0]["timestamp"] == 1664582407042


@given(
    ms=some.integers(-(10**13), 10**14),
    zone=some.sampled_from(["Europe/Berlin", "UTC", "America/New_York", "Asia/Kathmandu"]),
)
@settings(max_examples=scale_examples(60))
def test_any_time_comes_back_from_the_form_as_it_went_in(ms: int, zone: str) -> None:
    st.session_state.clear()
    form = EventForm(1)
    form.fill("Product viewed", {"eventId": "e", "timestamp": ms, "data": {}}, zone)
    assert form.read(0)[1]["timestamp"] == ms


@pytest.mark.parametrize("ms", [1667089800000, 1667093400000], ids=["first", "second"])
def test_an_hour_that_clocks_show_twice_is_not_mixed_up(ms: int) -> None:
    st.session_state.clear()
    form = EventForm(1)
    form.fill("Product viewed", {"timestamp": ms, "data": {}}, "Europe/Berlin")
    assert form.read(0)[1]["timestamp"] == ms


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["eventId", "userId", "profileId", "accountId", "timestamp", "sessionId", "userAttributes"]


@given(
    name=some.sampled_from([*(str(name) for name in EventName), "product viewed", "![x](http://e.example)"]),
    event=some.fixed_dictionaries({"data": some.dictionaries(some.sampled_from(["productId", "price", "a b"]), JSON)},
                                  optional=dict.fromkeys(FIELDS, JSON)),
)  # fmt: skip
@settings(max_examples=scale_examples(60))
def test_the_form_holds_any_event_unchanged(name: str, event: dict[str, Any]) -> None:
    st.session_state.clear()
    form = EventForm(1)
    form.fill(name, event)
    assert form.holds(name, event)
    found = read_payload(build_request_body([form.read(0)]).decode()).events[0]
    assert json.dumps([found.name, found.body], sort_keys=True) == json.dumps([name, event], sort_keys=True)


# ── what comes back ──────────────────────────────────────────────────────────────────────────────────────────────────


async def hangs(connection: Connection) -> None:
    await connection.request()
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("behaviour", "outcome", "sentence"),
    keep_first_quick(
        [
            (answers(401, b'{"message": "no"}'), "■ Rejected", "401 Unauthorized: the key is wrong or missing there."),
            (resets_at_once, "◆ Unknown (may have arrived)", "closed the connection without a response."),
            (answers(404), "■ Rejected", "404 Not Found: nothing is at this path."),
            (answers(413, b"too much"), "■ Rejected", "413 "),
            (answers(429, b"later", "Retry-After: 0"), "○ Not sent", "it did not take the request"),
            (
                answers(500, b"![x](http://e.example)"),
                "◆ Unknown (may have arrived)",
                "the events may have arrived behind it.",
            ),
            (answers(200, b"<b>hello</b>"), "● Accepted", "200 OK. The body is not JSON but something else."),
            (
                says(http(200, b"{}" * 50)[:-20], then="close"),
                "◆ Unknown (may have arrived)",
                "but the response broke off.",
            ),
            (hangs, "◆ Unknown (may have arrived)", "did not answer in time. The events may have arrived."),
        ],
        3,
    ),
    ids=["401", "reset", "404", "413", "429", "500", "html", "cut", "hang"],
)
def test_what_a_target_does_has_an_outcome_and_a_sentence(
    targets: Screen, data: Path, behaviour: Behaviour, outcome: str, sentence: str
) -> None:
    with hostile(behaviour) as server:
        use(targets, "shop", server.url).go("compose.py")
        ready(targets).send()
        assert outcome in targets.markdown.replace("\\", "")
        assert sentence in headline_of(targets)
        assert json.loads(server.received[0].body) == sent_body(targets)
        kept = b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
        assert KEY.encode() not in kept
        assert KEY.partition(".")[2].encode() not in kept


def test_a_target_that_refuses_the_connection_has_been_sent_nothing(targets: Screen) -> None:
    with hostile(answers(201)) as server:
        url = server.url
    use(targets, "shop", url).go("compose.py")
    ready(targets).send()
    assert "○ Not sent" in targets.markdown
    assert "Nothing left this machine." in targets.texts
    assert "Nothing was sent." in headline_of(targets)
    assert "5 attempts" in headline_of(targets)


def test_the_card_keeps_its_target_when_another_is_selected(targets: Screen) -> None:
    with hostile(answers(201, b"{}")) as server:
        use(targets, "shop", server.url).go("compose.py")
        ready(targets).send()
        targets.app.selectbox(key="target").set_value("sandbox")
        targets.run()
        assert "the feed ids of this target are not known" in targets.markdown
        targets.compose_state.guard.settled_at = 0.0
        targets.send("compose-same")
        assert [one.body for one in server.received] == [server.received[0].body] * 2


def test_a_production_target_needs_its_name_typed(targets: Screen) -> None:
    with hostile(answers(201, b"{}")) as server:
        use(targets, "shop-eu", server.url, production=True).go("compose.py")
        assert "PRODUCTION" in targets.texts
        assert not ready(targets).has("compose-send")
        assert not targets.fill("compose-production-shop-eu", "sandbox").has("compose-send")
        targets.fill("compose-production-shop-eu", "shop-eu").send()
        assert len(server.received) == 1
        assert not targets.has("compose-same")


def test_the_request_can_be_copied_as_a_command_and_as_code_without_the_key(compose: Screen) -> None:
    compose.app.session_state["compose-copy"] = True
    written = [code for code in compose.run().codes if "INTEMPT_API_KEY" in code]
    assert [code.split()[0] for code in written] == ["curl", "import", "const"]
    assert not any("sandbox.sandbox" in code for code in written)
