"""Inspect without a browser: a pasted payload is recognised, checked, fixed, sent, or opened in Compose unchanged."""

import base64
import json

import pytest

from tests.core.transport.fault_server import answers, hostile
from tests.examples import keep_first_quick
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
    assert f"Recognised: {recognised}" in inspect.paste(text).texts


def pasted(screen: Screen) -> str:
    if screen.has("inspect-edit"):
        return screen.inspect_state.text
    return screen.app.text_area(key="inspect-paste").value or ""


def lines(screen: Screen, number: int = 0) -> list[tuple[int, str, str]]:
    """An annotated text: line number, shape in the gutter, text."""
    drawn = [e.proto for e in screen.app.get("bidi_component") if e.proto.component_name == "console.annotated_text"]
    data = json.loads(drawn[number].json)
    return [(line, shape, "".join(text for text, _ in pieces)) for line, _, shape, pieces, _ in data["lines"]]


@pytest.mark.parametrize(
    "text", keep_first_quick(["{", "NaN", "[1,", "a: 1", "\x00", "[" * 5000, '{"a": "\n"}', "curl x -d '{"], 3)
)
def test_garbage_is_a_sentence(inspect: Screen, text: str) -> None:
    inspect.paste(text)
    assert "Invalid JSON" in inspect.markdown or "cannot be read" in inspect.markdown
    assert len(inspect.texts.splitlines()[-1]) > 20
    assert not inspect.has("inspect-send")
    inspect.paste(json.dumps(EVENT))
    assert inspect.has("inspect-send")


def test_problems_have_their_line_and_the_line_is_annotated(inspect: Screen) -> None:
    inspect.paste(BROKEN)
    assert "Line 4, column 4 · track[0].payload[0]" in inspect.texts
    assert "Line 5, column 27 · track[0].payload[0].data.productId" in inspect.texts
    assert [sign for _, sign, _ in lines(inspect)] == ["", "", "", "■", "◆"]
    assert [text for _, _, text in lines(inspect)] == BROKEN.splitlines()


def test_lines_are_counted_as_json_counts_them(inspect: Screen) -> None:
    inspect.paste('{"eventId": "a\u2028b",\r\n "userId": "u", "data": {}}')
    assert [text for _, _, text in lines(inspect)] == ['{"eventId": "a⟨U+2028⟩b",', ' "userId": "u", "data": {}}']


def test_what_cannot_be_read_is_shown_with_the_line_where_it_breaks_off(inspect: Screen) -> None:
    inspect.paste('{"track": [\n {"name": "x"')
    assert "the last of them since line 2" in inspect.texts
    assert [number for number, _, _ in lines(inspect)] == [1, 2]
    assert "Invalid JSON" in inspect.markdown


def test_one_click_leads_from_a_problem_to_its_line(inspect: Screen) -> None:
    inspect.paste(
        "[\n"
        + ",\n".join([json.dumps({**EVENT, "eventId": f"e{n}"}) for n in range(3000)])[:-1]
        + ', "x": {}, "x": 1}]'
    )
    assert lines(inspect)[0][0] == 1
    inspect.press("inspect-go-0")
    assert inspect.inspect_state.focus == 3001
    assert lines(inspect)[-1][:2] == (3001, "◆")
    assert len(lines(inspect)) == 2000


def test_a_fix_is_previewed_applied_and_undone(inspect: Screen) -> None:
    text = '{"name": "product viewed", "eventId": "m1", "user_id": "u", "data": {"product_id": "A\u202e1"}}'
    inspect.paste(text)
    inspect.press("inspect-fix-0")
    assert lines(inspect, 1) == [
        (1, "−", '{"name": "product viewed", "eventId": "m1", "user_id": "u", "data": {"pro'),
        (1, "+", '{"name": "Product viewed", "eventId": "m1", "user_id": "u", "data": {"pro'),
    ]
    inspect.press("inspect-fix-cancel").press("inspect-fix-all").press("inspect-fix-apply")
    fixed = '{"name": "Product viewed", "eventId": "m1", "userId": "u", "data": {"productId": "A\u202e1"}}'
    assert pasted(inspect) == fixed
    assert not inspect.has("inspect-fix-all")
    assert "Annotated payload (invisible characters shown)" in inspect.markdown
    assert "A⟨U+202E⟩1" in inspect.texts
    inspect.press("inspect-undo")
    assert pasted(inspect) == text
    assert not inspect.has("inspect-undo")


def test_another_text_forgets_what_could_be_undone(inspect: Screen) -> None:
    inspect.paste('{"name": "product viewed"}').press("inspect-fix-0").press("inspect-fix-apply")
    assert inspect.has("inspect-undo")
    assert not inspect.paste(json.dumps(EVENT)).has("inspect-undo")


def test_a_command_is_read_its_key_masked_and_fixed_in_its_quotes(inspect: Screen) -> None:
    key = "shopprefix.9f3c51d2a7e84b60"
    inspect.paste(f"curl -u {key} https://a.example/track -d '{json.dumps({**EVENT, 'name': 'product viewed'})}'")
    assert "Recognised: cURL command with one event" in inspect.texts
    assert "held a key" in inspect.texts
    assert key not in str(vars(inspect.inspect_state)) + str(inspect.app.session_state)
    assert key not in pasted(inspect)
    inspect.press("inspect-fix-0").press("inspect-fix-apply")
    assert "-u •••• https" in pasted(inspect)
    assert inspect.has("inspect-send")


def test_a_dropped_file_is_read_as_if_it_were_pasted(inspect: Screen) -> None:
    inspect.app.file_uploader(key="inspect-file-0").upload(
        "a.jsonl", (json.dumps(EVENT) + "\n" + json.dumps(EVENT)).encode()
    )
    inspect.run()
    assert "Recognised: JSON Lines, 2 events" in inspect.texts
    inspect.app.file_uploader(key="inspect-file-1").upload("a.json", b"{\n\xff}")
    inspect.run()
    assert "a.json is not a text file in UTF-8: see line 2." in inspect.texts
    inspect.app.file_uploader(key="inspect-file-2").upload("a.json", json.dumps(EVENT).encode("utf-16"))
    assert "Recognised: one event" in inspect.run().texts


def test_a_text_that_is_too_long_is_a_sentence_and_is_not_kept(inspect: Screen) -> None:
    inspect.paste("[" + " " * 5_000_000)
    assert "up to 5,000,000 are read here" in inspect.texts
    assert pasted(inspect) == ""


def test_three_verdicts_are_kept_apart(inspect: Screen) -> None:
    events = [{**EVENT, "eventId": "v1"}, {**EVENT, "eventId": "v2", "data": {}}]
    inspect.paste(json.dumps(events))
    assert inspect.markdown.count("– not sent") == 2
    inspect.send("inspect-send-as-it-is")
    assert inspect.markdown.count("● accepted") >= 2
    assert "● processed" in inspect.markdown
    assert "■ ignored" in inspect.markdown
    assert "The product id is missing." in inspect.texts


def test_a_minified_body_is_drawn_around_its_problem(inspect: Screen) -> None:
    body = json.dumps([{**EVENT, "eventId": f"x{number}"} for number in range(400)])
    inspect.paste(body[:-2] + ', "sessionId": 5}]')
    ((_, sign, text),) = lines(inspect)
    assert sign == "◆"
    assert len(text) < 21_000
    assert '"sessionId": 5' in text


def test_good_events_are_sent_and_then_known_as_sent(inspect: Screen) -> None:
    inspect.paste(json.dumps([EVENT, {"eventId": "e3", "data": {}}]))
    assert [button.label for button in inspect.app.button if button.key == "inspect-send"] == [
        "Send 1 event to Sandbox"
    ]
    inspect.send("inspect-send")
    assert "● accepted" in inspect.markdown
    assert "already sent" not in inspect.texts
    assert "status 201" in inspect.texts
    body = {key: content for key, content in EVENT.items() if key != "name"}
    assert json.loads(next(code for code in inspect.codes if code.startswith('{"track"'))) == {
        "track": [{"name": "Product viewed", "payload": [body]}]
    }


def test_reading_the_same_text_again_forgets_nothing(inspect: Screen) -> None:
    inspect.paste(json.dumps([{**EVENT, "eventId": f"again-{number}"} for number in range(120)])).send("inspect-send")
    batch = inspect.inspect_state.guard.batch
    inspect.press("inspect-edit").press("inspect-read")
    assert inspect.inspect_state.guard.batch == batch
    assert "no problems found" in inspect.markdown
    assert inspect.press("inspect-send").inspect_state.guard.batch == batch
    assert "Double click ignored" in inspect.texts


def test_everything_is_sent_as_it_is_after_a_confirmation(inspect: Screen) -> None:
    assert not inspect.paste(BROKEN).has("inspect-send")
    inspect.send("inspect-send-as-it-is")
    sent = next(code for code in inspect.codes if code.startswith('{"track"'))
    assert json.loads(sent) == json.loads(BROKEN)


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
def test_compose_takes_what_was_pasted_unchanged(inspect: Screen, text: str) -> None:
    inspect.paste(text).press("inspect-compose")
    assert not inspect.compose_state.note
    inspect.go("compose.py").press("compose-keep-ids")
    given = json.loads(text)
    name = given.pop("name", None)
    body = given if "track" in given else {"track": [{"name": name, "payload": [given]}]}
    assert json.loads(inspect.codes[0].partition("\n\n")[2]) == body


def test_the_first_request_can_be_copied_as_code_when_it_is_asked_for(inspect: Screen) -> None:
    inspect.paste(json.dumps([{**EVENT, "eventId": "e2", "userId": "u2"}, EVENT]))
    assert not inspect.inspect_state.plans  # nothing is planned to show the text
    inspect.app.session_state["inspect-copy"] = True
    written = [code for code in inspect.run().codes if "INTEMPT_API_KEY" in code]
    assert [code.split()[0] for code in written] == ["curl", "import", "const"]
    assert "1487580005268456287" in written[0]


def test_compose_notes_what_it_cannot_hold(inspect: Screen) -> None:
    inspect.paste(json.dumps([{**EVENT, "eventId": f"e{number}"} for number in range(60)])).press("inspect-compose")
    assert "The form takes the first 50 of 60 events." in inspect.texts
    inspect.go("explain.py").paste('[{"eventId": "1", "userId": "u"}]').press("inspect-compose")
    assert "The form cannot hold 1 event unchanged" in inspect.texts


def test_a_hostile_key_cannot_reach_the_script_that_leads_to_a_field(inspect: Screen) -> None:
    evil = "x'),alert(1)//"
    inspect.paste(
        json.dumps({"eventId": "e1", "userId": "u", "data": {"productId": "p", evil: 123456789012345678901234567}})
    )
    inspect.press("inspect-compose").go("compose.py").press("compose-check")
    for number in range(len(inspect.compose_state.issues)):
        inspect.press(f"compose-go-{number}")
        assert not any("alert" in element.proto.body for element in inspect.app.get("html"))


# ── several requests in one text ─────────────────────────────────────────────────────────────────────────────────────

TRACK = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
HAR_KEY = "shopprefix:9f3c51d2a7e84b60"


def har_file(count: int = 2, *, padding: int = 0) -> str:
    """A HAR file: one page, then so many requests that post an event each."""
    headers = [{"name": "Authorization", "value": f"Basic {base64.b64encode(HAR_KEY.encode()).decode()}"}]
    page = {"method": "GET", "url": "https://shop.example/?token=t0psecret-9"}
    entries: list[object] = [{"request": page, "response": {"status": 200}}]
    for number in range(count):
        text = json.dumps({"track": [{"name": "product viewed", "payload": [{**EVENT, "eventId": f"h{number}"}]}]})
        request = {"method": "POST", "url": TRACK, "headers": headers, "postData": {"text": text}}
        entries.append({"request": request, "response": {"status": 201, "content": {"text": "x" * padding}}})
    return json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=1)


def test_the_requests_of_a_har_file_are_listed_and_one_is_chosen(inspect: Screen) -> None:
    inspect.paste(har_file())
    assert "Recognised: HAR file of 3 requests with 2 request bodies one after another, 2 events" in inspect.texts
    assert f"● 2 · POST · {TRACK} · 201" in inspect.texts
    assert "– 1 · GET · https://shop.example/?token=•••• · 200" in inspect.texts
    inspect.app.selectbox(key="inspect-request").set_value(3)
    inspect.run()
    assert "Recognised: HAR file of 3 requests with request body, 1 group, 1 event" in inspect.texts
    assert "Event 1 · product viewed · h1" in inspect.texts
    inspect.press("inspect-fix-0").press("inspect-fix-apply")
    assert inspect.app.selectbox(key="inspect-request").value == 3
    assert "Event 1 · Product viewed · h1" in inspect.texts
    assert [pasted(inspect).count(name) for name in ('\\"product viewed', '\\"Product viewed')] == [1, 3]
    inspect.app.selectbox(key="inspect-request").set_value(None)
    assert "2 events" in inspect.run().texts
    inspect.paste(json.dumps(EVENT))
    assert not [one for one in inspect.app.selectbox if one.key == "inspect-request"]


def test_where_no_request_goes_to_a_track_path_one_is_chosen(inspect: Screen) -> None:
    inspect.paste(har_file().replace("/track", "/other"))
    assert "None of the 3 requests goes to a track path" in inspect.texts
    assert not inspect.has("inspect-send")
    inspect.app.selectbox(key="inspect-request").set_value(2)
    inspect.run()
    assert "Event 1 · product viewed · h0" in inspect.texts
    inspect.app.selectbox(key="inspect-request").set_value(1)
    assert "The request posts no body." in inspect.run().texts
    inspect.app.selectbox(key="inspect-request").set_value(3)
    assert "Event 1 · product viewed · h1" in inspect.run().texts


def test_of_a_large_har_file_the_requests_are_read(inspect: Screen) -> None:
    content = har_file(3, padding=2_000_000).encode()
    inspect.app.file_uploader(key="inspect-file-0").upload("shop.har", content)
    inspect.run()
    assert "HAR file of 4 requests with 3 request bodies one after another, 3 events" in inspect.texts
    assert "The HAR file has 6 MB. Here are its requests alone" in inspect.texts
    assert len(pasted(inspect)) < 5_000
    inspect.app.file_uploader(key="inspect-file-1").upload("cut.har", content[:-200])
    assert "The HAR file ends before its brackets are closed" in inspect.run().texts
    inspect.paste(har_file(1, padding=2_000_000))
    assert "The HAR file has 2 MB. Here are its requests alone" in inspect.texts
    assert "HAR file of 2 requests with request body, 1 group, 1 event" in inspect.texts


def test_a_mailbox_is_a_sentence_and_is_not_kept(inspect: Screen) -> None:
    mail = (
        "From a@b.example Sat Oct  1 10:00:00 2022\nReceived: x\nMessage-ID: <1>\nSubject: s\n\npassword: hunter2-9\n\n"
    )
    inspect.paste(mail * 30_000)
    assert "This is a mailbox of 30,000 messages, and no request." in inspect.texts
    assert pasted(inspect) == ""
    assert "hunter2" not in str(vars(inspect.inspect_state)) + str(inspect.app.session_state)
