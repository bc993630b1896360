"""Inspect without a browser: problems by kind and counted once, Format, a cut body, and ids that were used before."""

import json
from typing import Any

import httpx
import pytest

from intempt_core.targets import sandbox_target
from tests.pages.conftest import Screen

GOOD = {"eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}


def body_of(*events: dict[str, Any], name: str = "Added to cart") -> str:
    return json.dumps({"track": [{"name": name, "payload": list(events)}]})


def text_of(screen: Screen) -> str:
    return screen.inspect_state.text


def test_a_wrong_name_of_a_group_is_one_problem_however_many_events_it_has(inspect: Screen) -> None:
    events = [{**GOOD, "eventId": f"e{number}"} for number in range(1539)]
    events[7] = {"eventID": "e7", "userId": "u1", "data": {"productId": "p1"}}
    events[9] = {**events[9], "data": {"productID": "p1"}}
    inspect.paste(body_of(*events, name="added to cart"))
    assert "3 problems" in inspect.markdown
    assert "in 1,539 events" in inspect.markdown
    labels = [button.label for button in inspect.app.button if button.key == "inspect-fix-all"]
    assert labels == ["Preview fixes of 3 problems"]
    inspect.press("inspect-fix-all")
    assert "Fixes 3 problems; the rest of the text is not changed." in inspect.texts
    inspect.press("inspect-fix-apply")
    assert "no problems found" in inspect.markdown
    inspect.press("inspect-undo")
    assert "3 problems" in inspect.markdown


def test_a_misspelt_event_id_is_one_problem_that_says_where_it_is(inspect: Screen) -> None:
    inspect.paste(body_of({"eventID": "e1", "userId": "u1", "data": {"productId": "p1"}}))
    assert "1 problem]" in inspect.markdown
    assert "It seems to be in eventID: it must be eventId, exactly." in inspect.texts
    inspect.press("inspect-fix-0").press("inspect-fix-apply")
    assert "no problems found" in inspect.markdown


def test_a_kind_with_many_places_lists_them_when_it_is_opened(inspect: Screen) -> None:
    inspect.paste(body_of(*({"eventId": f"e{number}", "userId": "u1", "data": {}} for number in range(50))))
    assert "50" in inspect.markdown
    assert "First: Line 1, column" in inspect.texts
    assert inspect.texts.count("The product id is missing.") == 1
    (key,) = [one.proto.id for one in inspect.app.expander if one.label == "50 places"] or [""]
    assert key
    inspect.app.session_state[f"inspect-places-product_id_missing-{inspect.inspect_state.reads}"] = True
    inspect.run()
    assert inspect.texts.count("The product id is missing.") == 21


def test_only_events_with_problems_are_shown_where_one_wants_that(inspect: Screen) -> None:
    events = [{**GOOD, "eventId": f"e{number}"} for number in range(60)]
    events[40]["data"] = {}
    inspect.paste(body_of(*events))
    assert "Event 1 · Added to cart · e0" in inspect.texts
    toggle = inspect.app.toggle(key="inspect-only-problems")
    assert toggle.label == "Only events with problems (1 of 60)"
    toggle.set_value(True)
    inspect.run()
    assert "Event 41 · Added to cart · e40" in inspect.texts
    assert "Event 1 ·" not in inspect.texts


def test_one_line_of_json_is_formatted_without_changing_a_digit_and_that_is_undone(inspect: Screen) -> None:
    text = '{"eventId":"e1","userId":"u","userId":"v","data":{"productId":"p","price":12.50,"n":1487580005268456287}}'
    inspect.paste(text).press("inspect-format")
    assert text_of(inspect) == (
        '{\n  "eventId": "e1",\n  "userId": "u",\n  "userId": "v",\n  "data": {\n    "productId": "p",\n'
        '    "price": 12.50,\n    "n": 1487580005268456287\n  }\n}'
    )
    inspect.press("inspect-undo")
    assert text_of(inspect) == text


def test_the_whole_events_of_a_cut_body_are_read_and_can_be_sent(inspect: Screen) -> None:
    text = body_of(GOOD, {**GOOD, "eventId": "cut-2", "userId": "user_with_a_long_name"})
    text = text[: text.index("_long_name")]
    inspect.paste(text)
    assert f"The JSON ends early at column {len(text) + 1}; 5 brackets open; probably cut by a log." in inspect.texts
    assert "1 whole event is read, the last" in inspect.texts
    assert "JSON ends early" in inspect.markdown
    assert [button.label for button in inspect.app.button if button.key == "inspect-send"] == [
        "Send 1 event to Sandbox"
    ]
    assert text_of(inspect) == text


@pytest.mark.parametrize("by_console", [True, False])
def test_an_id_that_another_person_used_is_shown_as_ignored_before_it_is_sent(
    inspect: Screen, sandbox_url: str, *, by_console: bool
) -> None:
    """It said “nothing against it, its person is new there”, and then it was ignored."""
    id_ = f"evt_bug1_{by_console}"
    theirs = body_of({"eventId": id_, "userId": "user_9", "data": {"productId": "SKU_9"}})
    if by_console:
        inspect.paste(theirs).send("inspect-send")
    else:  # another client: nothing of it is in this console's history
        target = sandbox_target(sandbox_url)
        assert target.credential is not None
        headers = {"authorization": target.credential.authorization, "content-type": "application/json"}
        httpx.post(target.track_url, content=theirs, headers=headers).raise_for_status()
    inspect.paste(body_of({"eventId": id_, "userId": "brand_new", "data": {"productId": "SKU_5"}}))
    assert "■ will be ignored" in inspect.markdown
    assert "its event id was used" in inspect.texts
    assert "by user_9" in inspect.texts
    assert "new user" not in inspect.texts
    inspect.send("inspect-send")
    assert "■ ignored" in inspect.markdown
    assert "duplicate event id" in inspect.markdown


def test_right_after_a_send_nothing_warns_of_it_and_the_button_is_another(inspect: Screen) -> None:
    inspect.paste(body_of(*({**GOOD, "eventId": f"after-{number}"} for number in range(3)))).send("inspect-send")
    assert "already sent" not in inspect.texts
    assert "warning" not in inspect.markdown
    (button,) = [button for button in inspect.app.button if button.key == "inspect-send"]
    assert button.label == "Send 3 events again"
    assert button.proto.type == "secondary"
