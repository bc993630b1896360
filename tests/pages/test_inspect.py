"""Inspect without a browser: what is pasted is recognised, judged at its place, sent or taken to Compose as it is."""

import json

import pytest

from tests.core.hostile_server import answers, hostile
from tests.pages.conftest import Screen
from tests.pages.test_targets import use

EVENT = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "1487580005268456287"}}
BROKEN = (
    '{\n "track": [\n  {"name": "Added to cart", "payload": [\n   {"eventId": "b1",\n    "data": {"productId": 5}}]}]}'
)


@pytest.mark.parametrize(
    ("text", "recognised"),
    [
        (json.dumps(EVENT), "one event"),
        (json.dumps([EVENT, {**EVENT, "eventId": "e2"}]), "list of 2 events"),
        (BROKEN, "request body, 1 group, 1 event"),
        ('{"name": "Added to cart", "payload": []}', "one group, 0 events"),
        ("5", "nothing that holds events"),
    ],
)
def test_what_is_pasted_is_recognised(inspect: Screen, text: str, recognised: str) -> None:
    assert f"Recognised: {recognised}" in inspect.paste(text).said


@pytest.mark.parametrize("text", ["{", "NaN", "[1,", "a: 1", "\x00", "[" * 5000, '{"a": "\n"}'])
def test_garbage_is_a_sentence(inspect: Screen, text: str) -> None:
    inspect.paste(text)
    assert "this cannot be read" in inspect.marks
    assert len(inspect.said.splitlines()[-1]) > 20
    assert not inspect.has("inspect-send")
    inspect.paste(json.dumps(EVENT))
    assert inspect.has("inspect-send")


def test_problems_stand_with_their_line_and_their_line_is_marked(inspect: Screen) -> None:
    inspect.paste(BROKEN)
    assert "Line 4, column 4 · track[0].payload[0]" in inspect.said
    assert "Line 5, column 27 · track[0].payload[0].data.productId" in inspect.said
    marked = inspect.codes[-1].splitlines()
    assert [line[2] for line in marked] == [" ", " ", " ", "■", "◆"]
    assert [line[4:] for line in marked] == BROKEN.splitlines()


def test_lines_are_counted_as_json_counts_them(inspect: Screen) -> None:
    inspect.paste('{"eventId": "a\u2028b",\r\n "userId": "u", "data": {}}')
    assert len(inspect.codes[-1].split("\n")) == 2


def test_good_events_are_sent_and_then_known_as_sent(inspect: Screen) -> None:
    inspect.paste(json.dumps([EVENT, {"eventId": "e3", "data": {}}]))
    assert [button.label for button in inspect.app.button if button.key == "inspect-send"] == [
        "Send 1 event to Sandbox"
    ]
    inspect.send("inspect-send")
    assert "● accepted" in inspect.marks
    assert "was already sent to this target" in inspect.said
    body = {key: content for key, content in EVENT.items() if key != "name"}
    assert json.loads(next(code for code in inspect.codes if code.startswith('{"track"'))) == {
        "track": [{"name": "Product viewed", "payload": [body]}]
    }


def test_looking_again_at_the_same_text_forgets_nothing(inspect: Screen) -> None:
    inspect.paste(json.dumps([{**EVENT, "eventId": f"again-{number}"} for number in range(120)])).send("inspect-send")
    batch = inspect.inspecting.batch
    inspect.press("inspect-read")
    assert inspect.inspecting.batch == batch
    assert "120 warnings" in inspect.marks
    assert inspect.press("inspect-send").inspecting.batch == batch
    assert "counts as a double click" in inspect.said


def test_everything_is_sent_as_it_is_once_one_says_so(inspect: Screen) -> None:
    assert not inspect.paste(BROKEN).has("inspect-send")
    inspect.send("inspect-send-as-it-is")
    left = next(code for code in inspect.codes if code.startswith('{"track"'))
    assert json.loads(left) == json.loads(BROKEN)


def test_a_production_target_needs_its_name_typed(targets: Screen) -> None:
    with hostile(answers(201, b"{}")) as server:
        use(targets, "shop-eu", server.url, production=True).go("explain.py")
        targets.paste(json.dumps([EVENT, {"eventId": "e9"}]))
        assert not targets.has("inspect-send")
        assert not targets.has("inspect-send-as-it-is")
        targets.fill("inspect-production-shop-eu", "shop-eu").send("inspect-send")
        assert len(server.received) == 1


@pytest.mark.parametrize(
    "text", [BROKEN, json.dumps(EVENT), json.dumps({**EVENT, "userId": 5, "timestamp": "x", "pageId": None})]
)
def test_compose_takes_over_what_was_pasted_as_it_came(inspect: Screen, text: str) -> None:
    inspect.paste(text).press("inspect-compose")
    assert not inspect.composing.note
    inspect.go("compose.py")
    given = json.loads(text)
    name = given.pop("name", None)
    body = given if "track" in given else {"track": [{"name": name, "payload": [given]}]}
    assert json.loads(inspect.codes[0].partition("\n\n")[2]) == body


def test_compose_says_what_it_cannot_take_over(inspect: Screen) -> None:
    inspect.paste(json.dumps([{**EVENT, "eventId": f"e{number}"} for number in range(60)])).press("inspect-compose")
    assert "The form takes the first 50 of 60 events." in inspect.said
    inspect.go("explain.py").paste('[{"eventId": "1", "userId": "u"}]').press("inspect-compose")
    assert "1 event cannot stand here as given" in inspect.said


def test_a_hostile_key_cannot_reach_the_script_that_leads_to_a_field(inspect: Screen) -> None:
    evil = "x'),alert(1)//"
    inspect.paste(
        json.dumps({"eventId": "e1", "userId": "u", "data": {"productId": "p", evil: 123456789012345678901234567}})
    )
    inspect.press("inspect-compose").go("compose.py").press("compose-check")
    for number in range(len(inspect.composing.issues)):
        inspect.press(f"compose-go-{number}")
        assert not any("alert" in element.proto.body for element in inspect.app.get("html"))
