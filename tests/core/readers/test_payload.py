"""A pasted text becomes events whose places point at what was pasted."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.body import build_request_body
from intempt_core.contract.rules import find_event_errors
from intempt_core.errors import ReadError
from intempt_core.readers.json_text.json_positions import MAX_JSON_DEPTH
from intempt_core.readers.payload import MAX_PASTED_CHARS, locate_in_payload, read_payload

EVENT = {"eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}


def pasted(value: object) -> str:
    return json.dumps(value, indent=2)


def named(name: str, **more: object) -> dict[str, object]:
    return {"name": name, **EVENT, **more}


def group(name: str, *events: object) -> dict[str, object]:
    return {"name": name, "payload": list(events)}


# ── what is taken ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "recognised", "pointers"),
    [
        (
            {"track": [group("Product viewed", EVENT, EVENT), group("Added to cart", EVENT)]},
            "request body, 2 groups, 3 events",
            ["/track/0/payload/0", "/track/0/payload/1", "/track/1/payload/0"],
        ),
        ({"track": []}, "request body, 0 groups, 0 events", []),
        (group("Product viewed", EVENT), "one group, 1 event", ["/payload/0"]),
        (
            [group("Product viewed", EVENT), group("Added to cart", EVENT)],
            "list of 2 groups, 2 events",
            ["/0/payload/0", "/1/payload/0"],
        ),
        (
            [group("Product viewed", EVENT), named("Added to cart")],
            "list of 1 group, 2 events",
            ["/0/payload/0", "/1"],
        ),
        (named("Product viewed"), "one event", [""]),
        ({}, "one event", [""]),
        ([named("Product viewed"), named("Added to cart")], "list of 2 events", ["/0", "/1"]),
        ([], "list of 0 events", []),
        ({"data": {"productId": "p", "name": "Shirt"}}, "one event", [""]),
    ],
)
def test_every_shape_that_holds_events_is_recognised(value: object, recognised: str, pointers: list[str]) -> None:
    payload = read_payload(pasted(value))
    assert payload.recognised == recognised
    assert [event.place.pointer for event in payload.events] == pointers
    assert [event.place.row for event in payload.events] == list(range(1, len(pointers) + 1))
    assert payload.issues == ()


def test_an_event_of_a_group_is_named_by_its_group_and_keeps_a_name_of_its_own() -> None:
    (event,) = read_payload(pasted({"track": [group("Product viewed", named("other"))]})).events
    assert event.name == "Product viewed"
    assert event.body == named("other")
    assert event.name_pointer == "/track/0/name"


def test_an_event_by_itself_gives_its_name_away_so_that_the_wire_carries_it_once() -> None:
    (event,) = read_payload(pasted([named("Product viewed")])).events
    assert (event.name, event.name_pointer) == ("Product viewed", "/0/name")
    assert event.body == EVENT
    assert find_event_errors(event) == []
    assert json.loads(build_request_body([(event.name, event.body)])) == {"track": [group("Product viewed", EVENT)]}


def test_a_group_without_a_name_gives_events_without_one() -> None:
    (event,) = read_payload(pasted({"payload": [EVENT]})).events
    assert event.name is None


def test_what_stands_in_the_place_of_an_event_is_handed_on_to_be_checked() -> None:
    events = read_payload('[5, {"name": "n", "payload": [null, "x"]}]').events
    assert [(event.name, event.body) for event in events] == [(None, 5), ("n", None), ("n", "x")]
    assert [issue.code for event in events for issue in find_event_errors(event)].count("event_not_object") == 3


@pytest.mark.parametrize(
    ("text", "recognised", "pointers"),
    [
        ('{"eventId": "a"}\n{"eventId": "b"}\n', "JSON Lines, 2 events", ["/0", "/1"]),
        ('{"eventId": "a"},\n{"eventId": "b"}', "JSON Lines, 2 events", ["/0", "/1"]),
        ('{"track": []}{"track": [{"name": "n", "payload": [{}]}]}', "2 request bodies one after another, 1 event",
         ["/1/track/0/payload/0"]),
        ('{"track": []} [{"eventId": "a"}] {"name": "n", "payload": [{}]}', "JSON Lines, 2 events",
         ["/1/0", "/2/payload/0"]),
    ],
)  # fmt: skip
def test_what_stands_one_after_another_is_read_one_by_one(text: str, recognised: str, pointers: list[str]) -> None:
    payload = read_payload(text)
    assert payload.recognised == recognised
    assert [event.place.pointer for event in payload.events] == pointers
    assert "each is read by itself" in payload.notes[-1]
    for event in payload.events:
        assert text_at(text, *locate_in_payload(payload, event.place.pointer)).startswith("{")


def test_comments_and_trailing_commas_are_ignored_and_noted_at_their_place() -> None:
    text = '// a body\n{"name": "n", # why\n "a": "//no, #no, /*no",\n "b": [1, /* one\n two */ 2,],\n}'
    payload = read_payload(text)
    assert payload.events[0].body == {"a": "//no, #no, /*no", "b": [1, 2]}
    assert payload.text == text
    assert [(issue.code, issue.given, issue.place.line, issue.place.row) for issue in payload.issues] == [
        ("json_comment", "// a body", 1, None),
        ("json_comment", "# why", 2, 1),
        ("json_comment", "/* one\n two */", 4, 1),
        ("json_comma", ",", 5, 1),
        ("json_comma", ",", 5, 1),
    ]
    assert payload.notes == ("The text has comments and trailing commas, which JSON does not know. They were ignored.",)


@pytest.mark.parametrize("around", ["{}", "curl https://a.example/track -d '{}' --compressed"])
def test_each_of_several_commas_and_comments_on_one_line_has_its_own_place(around: str) -> None:
    text = around.replace("{}", '{"a": [1,], "b": /* x */ [2, ], /* x */ "c": {"d": 3,},}')
    payload = read_payload(text)
    spans = [issue.place.span or (0, 0) for issue in payload.issues]
    begin = text.index('{"a"')
    assert [begin + at for at, _ in spans] == [
        text.index(",]"), text.index("/*"), text.index(", ]"), text.rindex("/*"), text.index(",}"), text.rindex(",}"),
    ]  # fmt: skip
    assert [payload.source.value[at:end] for at, end in spans] == [",", "/* x */", ",", "/* x */", ",", ","]
    assert {issue.place.line for issue in payload.issues} == {1}


def test_a_text_that_is_too_long_is_rejected_with_the_limit() -> None:
    with pytest.raises(ReadError, match="up to 5,000,000 are read here"):
        read_payload(" " * 5_000_001, max_chars=MAX_PASTED_CHARS)


# ── what is misplaced ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"track": {"name": "n", "payload": []}}, "/track"),
        ({"track": None}, "/track"),
        ({"track": [EVENT]}, "/track/0"),
        ({"track": [7]}, "/track/0"),
        ({"track": [{"name": "Product viewed"}]}, "/track/0"),
        ({"track": [{"name": "n", "payload": EVENT}]}, "/track/0/payload"),
        ({"payload": "x"}, "/payload"),
        ({"events": [EVENT]}, "/events"),
        ({"data": [EVENT]}, "/data"),
        ({"a/b~": {"track": []}}, "/a~1b~0"),
        ({"body": EVENT}, "/body"),
        ([{"track": [group("n", EVENT)]}], "/0/track"),
        ("text", ""),
        (12, ""),
        (None, ""),
    ],
)
def test_events_in_another_shape_are_named_with_their_place_and_are_no_events(value: object, pointer: str) -> None:
    payload = read_payload(pasted(value))
    assert payload.events == ()
    (issue,) = payload.issues
    assert (issue.code, issue.place.pointer) == ("request_shape", pointer)
    assert issue.place.line == locate_in_payload(payload, pointer)[0]
    assert issue.given is not None
    assert issue.sentence.endswith(".")


def test_a_misplaced_group_leaves_the_good_ones_beside_it() -> None:
    payload = read_payload(pasted({"track": [7, group("Product viewed", EVENT)]}))
    assert [event.place.pointer for event in payload.events] == ["/track/1/payload/0"]
    assert [issue.place.pointer for issue in payload.issues] == ["/track/0"]


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_digit_of_an_integer_is_kept() -> None:
    long = "9" * 400
    (event,) = read_payload(f'{{"eventId": 1487580005268456192, "data": {{"n": {long}, "m": -0}}}}').events
    assert event.body["eventId"] == 1487580005268456192
    assert event.body["data"]["n"] == int(long)


def test_white_space_a_byte_order_mark_and_lone_surrogates_are_read() -> None:
    (event,) = read_payload('\ufeff \u00a0\r\n{"eventId": "\\ud800"}\u200b\n ').events
    assert event.body == {"eventId": "\ud800"}
    assert event.place.line == 2


def test_a_repeated_key_is_a_warning_at_its_later_line_in_its_event() -> None:
    payload = read_payload('[\n{"eventId": "a"},\n{"data": {"x": 1,\n"x": 2}, "a/b": 1, "a/b": 2}]')
    assert [(i.code, i.given, i.place.row, i.place.line, i.place.pointer) for i in payload.issues] == [
        ("key_repeated", "x", 2, 4, "/1/data/x"),
        ("key_repeated", "a/b", 2, 4, "/1/a~1b"),
    ]
    assert payload.events[1].body == {"data": {"x": 2}, "a/b": 2}


def test_a_repeated_key_outside_of_events_belongs_to_no_row_and_its_last_value_counts() -> None:
    payload = read_payload('{"track": [1, 2],\n"track": [{"name": "n", "payload": [{}]}]}')
    (issue,) = payload.issues
    assert (issue.place.row, issue.place.line, issue.place.pointer) == (None, 2, "/track")
    assert locate_in_payload(payload, "/track/0/name") == (2, 20)
    assert locate_in_payload(payload, "/track/1") == locate_in_payload(payload, "/track")


@pytest.mark.parametrize(
    "literal", ["0.12345678901234567891", "1.0000000000000000001e5", "1e-400", "12345678901234567.25"]
)
def test_a_number_that_loses_digits_is_a_warning_with_what_was_written(literal: str) -> None:
    payload = read_payload(f'[{{"data":\n{{"price": {literal}}}}}]')
    (issue,) = payload.issues
    assert (issue.code, issue.given) == ("number_precision", literal)
    assert (issue.place.row, issue.place.line, issue.place.pointer) == (1, 2, "/0/data/price")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_as_programs_write_it_loses_nothing(number: float) -> None:
    payload = read_payload(json.dumps({"data": {"price": number}}))
    assert payload.issues == ()
    assert payload.events[0].body["data"]["price"] == number


@pytest.mark.parametrize("literal", ["0.0000000000000000000000", "0e999", "1.50000000000000000000", "1E5", "-0.0"])
def test_zeros_that_say_nothing_are_no_lost_digits(literal: str) -> None:
    assert read_payload(f'{{"data": {{"price": {literal}}}}}').issues == ()


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "Nothing was pasted"),
        (" \n\ufeff\u00a0", None, "Nothing was pasted"),
        ("[1,\n,2]", 2, "a comma is where a value belongs"),
        ("{\n'a': 1}", 2, "single quotes"),
        ('{"a":\n“b”}', 2, "typographic quotes"),
        ('{"a": True}', 1, "True is no JSON"),
        ("[\nundefined]", 2, "undefined is no JSON"),
        ("{\n\neventId: 1}", 3, "the key eventId has no quotes"),
        ('{"a": 1\n"b": 2}', 2, "a comma or a closing bracket is missing"),
        ('{"a"\n1}', 2, "a colon is missing"),
        ('{"a": "x\ny"}', 1, "line break"),
        ('{"a": "x', 1, "the JSON ends early"),
        ('{"a": "\\x"}', 1, "backslash"),
        ('{"a": [1', 1, "the JSON ends early"),
        ('{"a": 1} x', 1, "“x” follows"),
        ('{"a": 1}\n{"a": }', 2, "“}” is no JSON value"),
        ('{"a": 1}\n2', 2, "“2” follows"),
        ('{"a": {"b": [1],\n"c": 2', 2, "2 brackets are open, the last of them since line 1"),
        ('{// why\n"a": }', 2, "“}” is no JSON value"),
        ("[1,,]", 1, "no value follows after the comma"),
        ("curl -X POST https://a.example/track", None, "posts no body"),
        ("curl https://a.example -d @body.json", None, "from the file body.json"),
        ("curl https://a.example -d @-", None, "from what is piped into the command"),
        ('curl https://a.example \\\n -d \'{"a":1}', 2, "the quote that opens here is never closed"),
        ("curl https://a.example \\\n -d '{\"a\": b}'", 2, "“b” is no JSON value"),
        ("Product viewed", 1, "begins with “Product”"),
        ("[\n}", 2, "“}” is no JSON value"),
        ('[\n"NaN", NaN]', 2, "NaN is no JSON"),
        ("[1,\n-Infinity]", 2, "-Infinity is no JSON"),
        ("[Infinity]", 1, "Infinity is no JSON"),
        ('{"a": "1e999",\n"b": [0.5, 12, 1e999]}', 2, "larger than any"),
        ('{"a": 1,\n"b": -' + "7" * 5000 + "}", 2, "5,000 digits"),
        ("[" * MAX_JSON_DEPTH + "\n[" + "]" * MAX_JSON_DEPTH + "]", 2, "nested more than"),
        ('{"a":' * 100_000, 1, "nested more than"),
        ('["' + "[" * 500, 1, "the JSON ends early"),
    ],
)
def test_what_is_no_json_is_shown_with_line_and_fix(text: str, line: int | None, says: str) -> None:
    with pytest.raises(ReadError) as raised:
        read_payload(text)
    assert says in str(raised.value)
    assert raised.value.line == line
    assert str(raised.value).endswith(".")
    assert len(str(raised.value)) < 400


def test_brackets_in_texts_and_beside_each_other_are_not_deep() -> None:
    assert read_payload(json.dumps({"data": {"a": '[{"\\' * 500, "b": [[]] * 500}})).events
    assert read_payload("[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH).events


@given(st.text() | st.text(alphabet="{}[]\",:\\ \n01e.-truefalsn/'“a", max_size=40))
def test_any_text_is_read_or_rejected_with_a_sentence(text: str) -> None:
    try:
        sentence = read_payload(text).recognised
    except ReadError as error:
        sentence = str(error).removesuffix(".")
    assert sentence
    assert not sentence.endswith(".")


# ── where things stand ───────────────────────────────────────────────────────────────────────────────────────────────

KEYS = st.text(max_size=5) | st.sampled_from(["a/b", "~1", "track", "payload", "name", "0", '"\\'])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)
SPACE = st.text(alphabet=" \t\n\r", max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(KEYS, inside, max_size=4), max_leaves=15
)


def written(draw: st.DrawFn, value: object) -> str:
    """A value as JSON with white space wherever it may stand, and texts escaped or not."""

    def space() -> str:
        return draw(SPACE)

    match value:
        case dict():
            members = [
                f"{space()}{json.dumps(key)}{space()}:{space()}{written(draw, v)}{space()}" for key, v in value.items()
            ]
            return f"{{{','.join(members) or space()}}}"
        case list():
            return f"[{','.join(f'{space()}{written(draw, item)}{space()}' for item in value) or space()}]"
        case _:
            return json.dumps(value, ensure_ascii=draw(st.booleans()))


@st.composite
def documents(draw: st.DrawFn) -> tuple[object, str]:
    value = draw(VALUES)
    return value, draw(SPACE) + written(draw, value) + draw(SPACE)


def pointers(value: object, above: str = "") -> list[tuple[str, object]]:
    found = [(above, value)]
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        found += pointers(member, f"{above}/{str(key).replace('~', '~0').replace('/', '~1')}")
    return found


def text_at(text: str, line: int, column: int) -> str:
    lines = io.StringIO(text, newline="").readlines()
    return "".join(lines[line - 1 :])[column - 1 :]


@given(documents())
def test_a_position_points_at_text_that_reads_as_the_value(document: tuple[object, str]) -> None:
    value, text = document
    payload = read_payload(text)
    for pointer, expected in pointers(value):
        found, _ = json.JSONDecoder().raw_decode(text_at(text, *locate_in_payload(payload, pointer)))
        assert repr(found) == repr(expected)
        assert locate_in_payload(payload, f"{pointer}/no such key") == locate_in_payload(payload, pointer)
    for event in payload.events:
        assert event.place.line == locate_in_payload(payload, event.place.pointer)[0]


def test_a_position_counts_characters_and_every_kind_of_line_end() -> None:
    payload = read_payload('{"ü\\n":\r\n 1, "b":\r"x",\n\n "c": [true, [ 7 ]]}')
    assert locate_in_payload(payload, "") == (1, 1)
    assert locate_in_payload(payload, "/ü\n") == (2, 2)
    assert locate_in_payload(payload, "/b") == (3, 1)
    assert locate_in_payload(payload, "/c/1/0") == (5, 16)
    assert locate_in_payload(payload, "/c/2/5") == locate_in_payload(payload, "/c")
    assert locate_in_payload(payload, "nonsense") == (1, 1)


def test_an_event_is_found_again_by_the_line_of_its_bracket() -> None:
    text = pasted({"track": [group("Product viewed", EVENT, EVENT)]})
    lines = text.splitlines()
    for event in read_payload(text).events:
        assert event.place.line is not None
        assert lines[event.place.line - 1].strip() == "{"
