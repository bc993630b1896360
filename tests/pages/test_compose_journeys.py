"""Compose's journeys without a browser: the person and the product once, rows, links, ids, and saved journeys."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from hypothesis import given, settings
from hypothesis import strategies as some

from intempt_core.contract.body import build_request_body
from intempt_core.errors import JourneyError
from intempt_core.readers.payload import read_payload
from intempt_core.targets import derive_target_key
from intempt_core.validation import build_catalogue, read_catalogue_file
from pages.parts.compose.form import CommonFields
from pages.parts.compose.saved_state import SAVE_POPOVER, SAVED_POPOVER
from pages.parts.compose.state import ComposeState, FormState
from pages.parts.shared.services import get_services
from tests.core.transport.fault_server import answers, hostile
from tests.examples import scale_examples
from tests.pages.conftest import Screen
from tests.pages.tabs import tab_at
from tests.pages.test_compose import ready
from tests.pages.test_targets import use

NAMES = ["Product viewed", "Added to cart", "Product ordered"]


def request_of(screen: Screen) -> Any:
    """The request on the screen. Any: JSON."""
    return json.loads(screen.codes[0].partition("\n\n")[2])


def events_of(screen: Screen) -> list[tuple[str, dict[str, Any]]]:
    """The events of that request, with their names."""
    return [(group["name"], event) for group in request_of(screen)["track"] for event in group["payload"]]


def choose_template(screen: Screen, title: str) -> Screen:
    screen.app.menu_button(key="compose-templates").click(title)
    return screen.run()


def name_event(screen: Screen, number: int, name: str) -> Screen:
    screen.app.selectbox(key=f"compose-{number}-name").set_value(name)
    return screen.run()


# ── what events share ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_person_and_the_product_stand_once_and_every_event_has_them(compose: Screen) -> None:
    ready(compose, "u9", "SKU_555").press("compose-add").press("compose-add")
    assert [(event["userId"], event["data"]) for _, event in events_of(compose)] == [
        ("u9", {"productId": "SKU_555"})
    ] * 3
    compose.fill("compose-data-productId", "SKU_777")
    assert {event["data"]["productId"] for _, event in events_of(compose)} == {"SKU_777"}
    assert len({event["eventId"] for _, event in events_of(compose)}) == 3


def test_an_event_may_have_a_product_and_a_user_of_its_own(compose: Screen) -> None:
    ready(compose).press("compose-add").fill("compose-2-data-productId", "SKU_9").press("compose-2-details")
    compose.fill("compose-2-accountId", "acme")
    (_, first), (_, second) = events_of(compose)
    assert (first["userId"], first["data"]["productId"]) == ("u1", "SKU_1")
    assert (second.get("userId"), second["accountId"], second["data"]["productId"]) == (None, "acme", "SKU_9")
    compose.press("compose-2-details")
    assert "accountId acme" in compose.markdown.replace("\\", "")


def test_events_that_nobody_touched_are_alike(compose: Screen) -> None:
    """The first event of an empty form and one that is added to it differ by their ids only."""
    compose.press("compose-add")
    (first_name, first), (name, second) = events_of(compose)
    assert (first_name, first["data"]) == (name, second["data"]) == ("Added to cart", {})


def test_a_problem_of_a_field_that_all_events_share_is_told_once(compose: Screen) -> None:
    compose.press("compose-add").press("compose-add").press("compose-check")
    assert compose.markdown.count("3 events:") == 2
    assert compose.texts.count("In 3 events.") == 2
    assert [compose.has(f"compose-go-{number}") for number in range(3)] == [True, True, False]


JSON_VALUES = some.none() | some.booleans() | some.integers() | some.text(max_size=3)
IDENTITIES = some.sampled_from(["", "u1", "u2", 5, None])
DATA = some.dictionaries(some.sampled_from(["productId", "price"]), some.sampled_from(["A", "B", "", 5, 1.5]))
FIELDS = {"eventId": some.text(max_size=3), "userId": IDENTITIES, "profileId": IDENTITIES, "pageId": JSON_VALUES}
EVENTS = some.lists(some.fixed_dictionaries({"data": DATA}, optional=FIELDS), min_size=1, max_size=4)


@given(events=EVENTS)
@settings(max_examples=scale_examples(100))
def test_the_form_holds_any_events_unchanged_whatever_they_share(events: Sequence[dict[str, Any]]) -> None:
    st.session_state.clear()
    found = ComposeState()
    pairs = [("Product viewed", event) for event in events]
    assert found.fill(pairs) == 0
    sent = read_payload(build_request_body(found.read_events()).decode()).events
    assert [json.dumps(one.body, sort_keys=True) for one in sent] == [json.dumps(one, sort_keys=True) for one in events]
    assert CommonFields.of_events(events) == CommonFields.read()


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_are_moved_duplicated_and_removed_by_buttons(compose: Screen) -> None:
    ready(compose).press("compose-add").press("compose-add")
    for number, name in enumerate(NAMES, 1):
        name_event(compose, number, name)
    compose.press("compose-3-icon-up")
    assert [name for name, _ in events_of(compose)] == [NAMES[0], NAMES[2], NAMES[1]]
    compose.press("compose-1-icon-down")
    assert [form.uid for form in compose.compose_state.forms] == [3, 1, 2]
    compose.press("compose-2-icon-remove")
    assert [name for name, _ in events_of(compose)] == [NAMES[2], NAMES[0]]


def test_a_duplicate_has_everything_but_the_id(compose: Screen) -> None:
    ready(compose, details=True).press("compose-1-more").fill("compose-1-row-0-key", "price")
    compose.fill("compose-1-row-0-value", "12.20").fill("compose-1-data-productId", "SKU_9")
    compose.press("compose-1-icon-copy")
    (_, first), (_, second) = events_of(compose)
    assert first["eventId"] != second["eventId"]
    assert {**first, "eventId": ""} == {**second, "eventId": ""}
    assert second["data"] == {"productId": "SKU_9", "price": 12.2}


def test_events_of_now_are_a_millisecond_apart_so_that_their_times_are_in_order(compose: Screen) -> None:
    ready(compose).press("compose-add")
    for number in (1, 2):
        compose.press(f"compose-{number}-details").app.button_group(key=f"compose-{number}-when").set_value("Now")
        compose.run()
    (_, first), (_, second) = events_of(compose)
    assert second["timestamp"] - first["timestamp"] == 1


def test_what_a_template_replaced_comes_back_by_one_button(compose: Screen) -> None:
    before = events_of(ready(compose, "u1", "SKU_1").press("compose-add"))
    choose_template(compose, "Viewed → added → removed")
    assert len(events_of(compose)) == 3
    assert events_of(compose.press("compose-undo")) == before
    assert not name_event(compose, compose.compose_state.forms[0].uid, NAMES[0]).has("compose-undo")


def test_a_draft_is_there_after_another_screen(compose: Screen) -> None:
    ready(compose, "u1", "SKU_1", details=True).press("compose-add").fill("compose-2-data-productId", "SKU_2")
    before = events_of(compose)
    assert events_of(compose.go("history.py").go("compose.py")) == before
    assert events_of(compose.press("compose-1-details").go("history.py").go("compose.py")) == before


# ── a send that is stopped, and one that is not ──────────────────────────────────────────────────────────────────────


def test_a_send_that_is_stopped_by_problems_says_that_nothing_was_sent(compose: Screen) -> None:
    compose.press("compose-send")
    assert "○ not sent" in compose.markdown
    assert "Nothing was sent" in compose.texts
    assert compose.compose_state.guard.batch is None
    assert "○ not sent" not in ready(compose).markdown


def test_after_a_send_the_request_is_the_one_that_was_sent_until_the_next_edit(compose: Screen) -> None:
    ready(compose, details=True)
    ((_, before),) = events_of(compose)
    compose.send()
    assert events_of(compose) == [("Added to cart", before)]
    assert compose.app.text_input(key="compose-1-eventId").value != before["eventId"]
    compose.fill("compose-data-productId", "SKU_2")
    ((_, after),) = events_of(compose)
    assert after["eventId"] not in ("", before["eventId"])


def test_a_warning_about_the_id_that_was_sent_goes_with_it(compose: Screen) -> None:
    """After the send the field holds a new id, and nothing speaks of the old one."""
    first = ready(compose, details=True).app.text_input(key="compose-1-eventId").value or ""
    compose.send().compose_state.replaced_at -= 5
    compose.compose_state.guard.settled_at = 0.0
    compose.fill("compose-1-eventId", first).press("compose-check")
    assert "was already sent to this target" in compose.texts
    compose.send()
    assert compose.app.text_input(key="compose-1-eventId").value != first
    assert "was already sent to this target" not in compose.texts


def test_what_did_not_arrive_is_not_said_to_be_counted_twice(targets: Screen) -> None:
    """After a refused connection the target has nothing that a resend could double."""
    with hostile(answers(201)) as server:
        url = server.url
    use(targets, "shop", url).go("compose.py")
    ready(targets).send()
    assert "None of it arrived, so nothing is counted twice." in targets.texts
    assert "it may count" not in targets.texts


def test_what_was_rejected_is_not_said_to_be_counted_twice(targets: Screen) -> None:
    with hostile(answers(401)) as server:
        use(targets, "shop", server.url).go("compose.py")
        ready(targets).send()
        assert "None of it arrived, so nothing is counted twice." in targets.texts


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def opened(**params: str) -> Screen:
    """Compose in a new tab, by a link."""
    app = tab_at("compose.py")
    for name, text in params.items():
        app.query_params[name] = text
    return Screen(app).run()


def test_the_result_has_an_address_that_shows_it_again_with_its_events_under_new_ids(compose: Screen) -> None:
    ready(compose, "u7", "SKU_7").press("compose-add").send()
    batch = compose.compose_state.guard.batch or ""
    assert compose.app.query_params["batch"] == batch
    sent = events_of(compose)
    again = opened(batch=batch)
    assert again.compose_state.state is FormState.OUTCOME
    assert events_of(again) == sent
    again.fill("compose-data-productId", "SKU_8")
    assert again.app.query_params == {}
    assert [event["userId"] for _, event in events_of(again)] == ["u7", "u7"]
    assert not {event["eventId"] for _, event in events_of(again)} & {event["eventId"] for _, event in sent}
    assert len(get_services().history.queries.batches().items) == 1, "the link sends nothing"


@pytest.mark.parametrize("params", [{"batch": "b_none"}, {"journey": "none"}])
def test_a_link_to_what_is_gone_says_so_and_the_form_is_there(compose: Screen, params: dict[str, str]) -> None:
    screen = opened(**params)
    assert "none" in screen.texts
    assert screen.has("compose-send")
    assert screen.app.query_params == {}


def test_what_is_opened_from_history_has_new_ids_and_takes_effect(compose: Screen) -> None:
    """With its old id the event would be ignored as a duplicate, and it would look like success."""
    ready(compose, "u5", "SKU_1").send()
    ((_, first),) = events_of(compose)
    request = get_services().history.queries.requests(compose.compose_state.guard.batch or "").items[0].id
    app = tab_at("history.py")
    app.query_params["request"] = str(request)
    screen = Screen(app).run().press("history-compose").go("compose.py")
    ((_, second),) = events_of(screen)
    assert second["eventId"] != first["eventId"]
    assert {**second, "eventId": ""} == {**first, "eventId": ""}
    screen.fill("compose-data-productId", "SKU_TOMORROW").send()
    assert any(code.startswith("SKU_TOMORROW") for code in screen.codes), "its feed shows it first"


def test_the_ids_that_the_events_had_can_be_kept(inspect: Screen) -> None:
    events = [{"eventId": id_, "userId": "u", "data": {"productId": "p"}} for id_ in ("a", "b", "a")]
    inspect.paste(json.dumps({"track": [{"name": "Product ordered", "payload": events}]})).press("inspect-compose")
    inspect.go("compose.py")
    made = [event["eventId"] for _, event in events_of(inspect)]
    assert made[0] == made[2] != made[1], "lines of one order share their id"
    assert not {"a", "b"} & set(made)
    inspect.press("compose-keep-journey").fill("compose-save-name", "From Inspect").press("compose-save-now")
    assert [event.name for event in get_services().history.journeys.get("From Inspect").events] == [
        "Product ordered"
    ] * 3
    inspect.press("compose-keep-ids")
    assert [event["eventId"] for _, event in events_of(inspect)] == ["a", "b", "a"]


# ── suggestions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def suggestions_of(screen: Screen, field: str) -> list[tuple[str, str]]:
    """What a field is offered."""
    drawn = [e.proto for e in screen.app.get("bidi_component") if e.proto.component_name == "console.suggestions"]
    found = [data for proto in drawn if (data := json.loads(proto.json))["field"] == field]
    return [(option["value"], option["name"]) for data in found for option in data["options"]]


def test_persons_that_were_used_before_are_suggested_the_last_one_first(tab: Callable[[str], Screen]) -> None:
    for person in ("u1", "1487580005268456287", "u1"):
        ready(tab("compose.py"), person).send()
    assert suggestions_of(tab("compose.py"), "compose-userId") == [("u1", ""), ("1487580005268456287", "")]


def test_products_of_a_catalogue_are_found_by_id_and_name_and_any_other_text_stays(compose: Screen) -> None:
    rows = "".join(f"{number},Brush {number}\n" for number in range(100, 200)).encode()
    file = read_catalogue_file(b"productId,name\nSKU_1,Lipstick 04\n" + rows, name="items.csv")
    target = derive_target_key(get_services().targets["sandbox"])
    get_services().catalogues.save(target, build_catalogue(file, "productId", ["name"]))
    assert len(suggestions_of(compose.run(), "compose-data-productId")) == 20
    assert "Lipstick 04" in compose.fill("compose-data-productId", "SKU_1").texts
    compose.fill("compose-data-productId", "my own")
    assert request_of(compose)["track"][0]["payload"][0]["data"]["productId"] == "my own"


# ── saved journeys ───────────────────────────────────────────────────────────────────────────────────────────────────


def save(screen: Screen, name: str) -> Screen:
    screen.app.session_state[SAVE_POPOVER] = True
    return screen.run().fill("compose-save-name", name).press("compose-save-now")


def show_saved(screen: Screen) -> Screen:
    screen.app.session_state[SAVED_POPOVER] = True
    return screen.run()


def test_a_journey_is_saved_and_a_link_opens_it_with_new_ids_and_sends_nothing(compose: Screen) -> None:
    choose_template(ready(compose, "u3", "SKU_3"), "Viewed → added → ordered")
    save(compose, "Viewed, added, ordered")
    assert "Saved as “Viewed, added, ordered”: 3 events." in compose.texts
    assert compose.app.query_params["journey"] == "Viewed, added, ordered"
    again = opened(journey="Viewed, added, ordered")
    assert "Opened the journey “Viewed, added, ordered”. Nothing was sent." in again.texts
    assert [name for name, _ in events_of(again)] == NAMES
    assert {(event["userId"], event["data"]["productId"]) for _, event in events_of(again)} == {("u3", "SKU_3")}
    ids = [event["eventId"] for _, event in events_of(again)]
    assert len({*ids, *(event["eventId"] for _, event in events_of(compose))}) == 6
    times = [event["timestamp"] for _, event in events_of(again)]
    assert times == sorted(set(times))
    assert not get_services().history.queries.batches().items


def test_saving_under_the_name_of_another_journey_asks_first(compose: Screen) -> None:
    save(ready(compose), "One")
    save(compose.fill("compose-data-productId", "SKU_2"), "One")
    assert get_services().history.journeys.get("one").product == {"data.productId": "SKU_2"}, "its own is replaced"
    other = save(ready(opened(), "u2", "SKU_9"), "ONE")
    assert "A journey is saved as “ONE” already." in other.texts
    assert get_services().history.journeys.get("one").product == {"data.productId": "SKU_2"}
    other.press("compose-save-replace")
    assert get_services().history.journeys.get("one").product == {"data.productId": "SKU_9"}


def test_a_saved_journey_is_renamed_and_deleted(compose: Screen) -> None:
    save(ready(compose), "One")
    show_saved(compose).fill("compose-saved-name", "Two").press("compose-saved-rename")
    assert [journey.name for journey in get_services().history.journeys.all()] == ["Two"]
    compose.press("compose-saved-delete")
    assert [journey.name for journey in get_services().history.journeys.all()] == ["Two"], "it asks first"
    compose.press("compose-saved-delete-really")
    assert get_services().history.journeys.all() == []
    assert events_of(compose)[0][1]["userId"] == "u1", "what is on the form stays"


def test_what_is_no_journey_is_not_saved_and_says_why(compose: Screen) -> None:
    save(ready(compose), "")
    assert "A journey's name is text" in compose.texts
    with pytest.raises(JourneyError):
        get_services().history.journeys.get("")


def test_a_file_of_a_journey_opens_on_the_form(compose: Screen) -> None:
    written = {
        "name": "Two",
        "person": {"userId": "u6"},
        "product": {"productId": "SKU_6", "price": 12.5},
        "events": [{"name": "Added to cart"}, {"name": "Product ordered", "set": {"data.price": 11.0}}],
    }
    show_saved(compose).app.file_uploader(key="compose-saved-file-0").upload(
        "two.journey.json", json.dumps(written).encode()
    )
    compose.run()
    assert "Opened the file two.journey.json. Nothing was sent; save it to keep it here." in compose.texts
    assert [(name, event["userId"], event["data"]) for name, event in events_of(compose)] == [
        ("Added to cart", "u6", {"productId": "SKU_6", "price": 12.5}),
        ("Product ordered", "u6", {"productId": "SKU_6", "price": 11.0}),
    ]
    show_saved(compose).app.file_uploader(key="compose-saved-file-1").upload("no.json", b"{}")
    assert "■ not done" in compose.run().markdown
    assert len(events_of(compose)) == 2


def test_a_saved_journey_is_on_the_disk_of_the_console_and_no_key_is(compose: Screen, data: Path) -> None:
    save(ready(compose), "Kept")
    assert b"Kept" in b"".join(file.read_bytes() for file in data.rglob("*.sqlite3*"))
