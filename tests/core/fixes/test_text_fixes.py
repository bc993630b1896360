"""What is certain is fixed in the text itself: the problem is gone, and everything else stays byte for byte."""

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.issues import Issue
from intempt_core.fixes.text_fixes import TextFix, apply_text_fixes, find_text_fix, preview_text_fixes
from intempt_core.readers.payload import Payload, read_payload
from intempt_core.validation.annotations import find_issue_span
from intempt_core.validation.check import check_events

BEGIN = '{"name": "Product viewed", "eventId": "e1", "userId": "u1"'


def found(text: str) -> tuple[Payload, list[tuple[Issue, TextFix | None]]]:
    payload = read_payload(text)
    issues = check_events(payload.events, None, payload.issues).issues()
    return payload, [(issue, find_text_fix(payload, issue)) for issue in issues]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BEGIN + ', "data": {"x": 1, "productID" : "A1"}}', BEGIN + ', "data": {"x": 1, "productId" : "A1"}}'),
        (BEGIN + ', "data": {"product_id": "A1"}}', BEGIN + ', "data": {"productId": "A1"}}'),
        (BEGIN + ', "productId": "A1",  "data": {"x": 1}}', BEGIN + ', "data": {"productId": "A1", "x": 1}}'),
        (BEGIN + ', "data": {}, "Product_Id": "A1"}', BEGIN + ', "data": {"productId": "A1"}}'),
        (BEGIN + ', "product-id": "A1"}', BEGIN + ', "data": {"productId": "A1"}}'),
        ('{"name":"product_viewed","eventId":"e","userId":"u","data":{"productId":"p"}}',
         '{"name":"Product viewed","eventId":"e","userId":"u","data":{"productId":"p"}}'),
        (BEGIN + ', "timestamp": 1664582400, "data": {"productId": "p"}}',
         BEGIN + ', "timestamp": 1664582400000, "data": {"productId": "p"}}'),
        (BEGIN + ', "timestamp": 1664582400.25, "data": {"productId": "p"}}',
         BEGIN + ', "timestamp": 1664582400250, "data": {"productId": "p"}}'),
        (BEGIN + ', "timestamp": 1664582400123456, "data": {"productId": "p"}}',
         BEGIN + ', "timestamp": 1664582400123, "data": {"productId": "p"}}'),
        (BEGIN + ', "timestamp": 1664582400123456789, "data": {"productId": "p"}}',
         BEGIN + ', "timestamp": 1664582400123, "data": {"productId": "p"}}'),
        (BEGIN + ', "data": {"productId": "=\\"00123\\""}}', BEGIN + ', "data": {"productId": "00123"}}'),
        (BEGIN + ', "data": {"productId": "\'0045"}}', BEGIN + ', "data": {"productId": "0045"}}'),
        ('[' + BEGIN + ', "data": {"productId": "17850.0"}}, {"name": "Product viewed", "eventId": "e2", '
         '"userId": "u1", "data": {"productId": "13047"}}]',
         '[' + BEGIN + ', "data": {"productId": "17850"}}, {"name": "Product viewed", "eventId": "e2", '
         '"userId": "u1", "data": {"productId": "13047"}}]'),
        (BEGIN + ', "data": {"productId": "1.48E18"}}', None),
        (BEGIN + ', "timestamp": "1664582400", "data": {"productId": "p"}}',
         BEGIN + ', "timestamp": 1664582400000, "data": {"productId": "p"}}'),
        (BEGIN + ', "timestamp": "2022-10-01T00:00:00Z", "data": {"productId": "p"}}',
         BEGIN + ', "timestamp": 1664582400000, "data": {"productId": "p"}}'),
        (BEGIN + ', "timestamp": "2022-10-01 00:00:00", "data": {"productId": "p"}}', None),
        (BEGIN + ', "timestamp": 5, "data": {"productId": "p"}}', None),
        (BEGIN + ', "data": {"productId": " \\u200bA1\\t"}}', BEGIN + ', "data": {"productId": "A1"}}'),
        (BEGIN + ', "data": {"productId": "A\\u200b1"}}', None),
        (BEGIN + ', "data": {"productId": 1487580005268}}', BEGIN + ', "data": {"productId": "1487580005268"}}'),
        (BEGIN + ', "data": {"productId": 1.5}}', None),
        ('{"name":"Product viewed","event_id":"e","user_id":"u","data":{"productId":"p"}}',
         '{"name":"Product viewed","eventId":"e","userId":"u","data":{"productId":"p"}}'),
        ('{"name":"Product viewed","eventId":"e","userID":"u","user_id":"v","data":{"productId":"p"}}', None),
        ('{"name":"Product viewed","eventId":"e","profileid":7,"ACCOUNT_ID":"v","data":{"productId":"p"}}',
         '{"name":"Product viewed","eventId":"e","profileId":"7","accountId":"v","data":{"productId":"p"}}'),
        (BEGIN + ', "data": {"productID": "A1", "product_id": "A2"}}', None),
        (BEGIN + ', "data": {"productId": "", "product_id": "A2"}}', None),
        (BEGIN + ', "data": null, "product_id": "A2"}', None),
        (BEGIN + ', "data": "x", "product_id": "A2"}', None),
        (BEGIN + ', "data": {"productID": null}}', None),
        ('{"track": {"name": "x", "payload": []}}', '{"track": [{"name": "x", "payload": []}]}'),
        ('{"track": 5}', None),
        (BEGIN + ', // why\n "data": {"productId": "p",}, }', BEGIN + ', \n "data": {"productId": "p"} }'),
        (BEGIN + ', "data": {"productId": "p", "x": [1,], "y": [2, ],},}',
         BEGIN + ', "data": {"productId": "p", "x": [1], "y": [2 ]}}'),
        (BEGIN + ', /* a */ "data": /* a */ {"productId": "p"}} // a', BEGIN + ',  "data":  {"productId": "p"}} '),
        (BEGIN + ', "data": {"x": 1,}, "productId": "A1",}', BEGIN + ', "data": {"productId": "A1", "x": 1}}'),
        ('{"name": "Product viewd", "eventId": "e", "userId": "u", "data": {"productId": "p"}}', None),
    ],
)  # fmt: skip
def test_what_is_certain_is_fixed_and_nothing_else_is_touched(before: str, after: str | None) -> None:
    text = before
    for _ in range(3):
        payload, some = found(text)
        fixes = [fix for _, fix in some if fix]
        text = apply_text_fixes(payload, fixes) or ""
    assert text == (after or before)
    _, left = found(text)
    assert not [issue for issue, fix in left if fix]
    assert bool(left) == (after is None)


def test_an_event_beside_a_comment_is_not_moved_over_it() -> None:
    _, some = found(BEGIN + ', "productId": "A1", /* not this */ "data": {}}')
    assert [issue.code for issue, fix in some if fix] == ["json_comment"]


@pytest.mark.parametrize("quoted", [shlex.quote, lambda text: "$'" + text.replace("'", "\\'") + "'",
                                    lambda text: '"' + text.replace('"', '\\"') + '"'])  # fmt: skip
def test_a_document_inside_a_command_is_fixed_in_its_quotes(quoted: object) -> None:
    event = {"name": "product_viewed", "event_id": "it's", "user_id": "u", "data": {"product_id": "p"}}
    assert callable(quoted)
    text = f"curl https://a.example/track \\\n  -d {quoted(json.dumps(event))} --compressed"
    payload, some = found(text)
    new = apply_text_fixes(payload, [fix for _, fix in some if fix])
    assert new is not None
    assert new.startswith("curl https://a.example/track \\\n  -d ")
    assert new.endswith(" --compressed")
    again, left = found(new)
    assert left == []
    assert again.events[0].body == {"eventId": "it's", "userId": "u", "data": {"productId": "p"}}


BARE = st.none() | st.booleans() | st.integers(-9, 9) | st.text("a,]}/*#'\\\" ", max_size=5)
JSONS: st.SearchStrategy[object] = st.recursive(
    st.lists(BARE, min_size=1, max_size=3),
    lambda inside: (
        st.lists(BARE | inside, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "userId", "x", "//"]), BARE | inside, max_size=3)
    ),
    max_leaves=8,
)
INSIDE = st.text("a,]}[{/#'\" ", max_size=5).map(lambda text: text + ".")
COMMENTS = (
    INSIDE.map(lambda text: f"/*{text}\n*/")
    | INSIDE.map(lambda text: f"/*{text}*/")
    | st.tuples(st.sampled_from(["//", "#"]), INSIDE).map("".join)
)


def tokens(value: object) -> list[str]:
    """JSON in tokens."""
    if isinstance(value, dict):
        members = [[json.dumps(key), ":", *tokens(one)] for key, one in value.items()]
    elif isinstance(value, list):
        members = [tokens(one) for one in value]
    else:
        return [json.dumps(value)]
    between = [token for number, member in enumerate(members) for token in ([","] if number else []) + member]
    return ["{", *between, "}"] if isinstance(value, dict) else ["[", *between, "]"]


@given(JSONS, st.data(), st.sampled_from(["{}", "curl https://a.example/track -d '{}' --compressed"]))
def test_every_comma_and_comment_put_into_a_document_is_marked_and_fixed_and_nothing_else(
    value: object, data: st.DataObject, around: str
) -> None:
    strict, loose, before, put = "", "", "", []
    for token in tokens(value):
        if token in ("]", "}") and before not in ("[", "{") and data.draw(st.booleans()):
            put.append((len(loose), len(loose) + 1))
            loose += ","
        for comment in data.draw(st.lists(COMMENTS, max_size=2)):
            put.append((len(loose), len(loose) + len(comment)))
            ended = data.draw(st.sampled_from(["\n", "\r\n"])) if comment[:2] != "/*" else ""
            loose, strict = loose + comment + ended, strict + ended
        space = data.draw(st.sampled_from(["", " ", "\n"]))
        loose, strict, before = loose + token + space, strict + token + space, token

    def pasted(document: str) -> str:
        return around.replace("{}", document.replace("'", "'\\''") if around != "{}" else document)

    def placed(at: int) -> int:
        return around.index("{}") + len(pasted(loose[:at])) - len(pasted(""))

    payload, some = found(pasted(loose))
    over = [(issue, fix) for issue, fix in some if issue.code in ("json_comma", "json_comment")]
    assert sorted(find_issue_span(payload, issue) for issue, _ in over) == [
        (placed(at), placed(end)) for at, end in put
    ]
    assert apply_text_fixes(payload, [fix for _, fix in over if fix]) == pasted(strict)
    assert json.loads(strict) == value
    assert read_payload(pasted(strict)).blanked == ()


def test_what_is_in_two_kinds_of_quotes_is_fixed_only_where_it_reads_as_meant() -> None:
    payload, some = found("""curl https://a.example -d '{"eventId": "'" a'b\\" "'}'""")
    fix = next(fix for _, fix in some if fix)
    new = apply_text_fixes(payload, [fix])
    assert new is None or read_payload(new).events[0].body == {"eventId": "a'b"}


def test_the_difference_shows_each_edit_in_its_line() -> None:
    text = '[\n{"name": "product viewed"},\n{"name": "ADDED TO CART"}]'
    _, some = found(text)
    changes = preview_text_fixes(text, [fix for _, fix in some if fix])
    assert [(change.line, change.before, change.after) for change in changes] == [
        (2, '{"name": "product viewed"},', '{"name": "Product viewed"},'),
        (3, '{"name": "ADDED TO CART"}]', '{"name": "Added to cart"}]'),
    ]


def test_a_long_line_is_cut_around_its_edit() -> None:
    text = '{"data": "' + "x" * 500 + '", "name": "product viewed", "y": "' + "z" * 500 + '"}'
    _, some = found(text)
    (change,) = preview_text_fixes(text, [fix for _, fix in some if fix])
    assert len(change.after) < 120
    assert '"Product viewed"' in change.after


KEYS = st.sampled_from(
    [
        "productId",
        "product_id",
        "productID",
        "userId",
        "user_id",
        "eventId",
        "event_id",
        "data",
        "name",
        "timestamp",
        "x",
    ]
)
VALUES: st.SearchStrategy[object] = st.sampled_from(
    ["Product viewed", "product viewed", "a", " a ", "", 5, 1664582400, 1.5, None, True, [], {"productID": "p"}, {}]
)
EVENTS = st.lists(st.tuples(KEYS, VALUES), max_size=7).map(
    lambda pairs: "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs) + "}"
)


@given(st.lists(EVENTS, max_size=3).map(lambda events: "[" + ",\n".join(events) + "]"))
def test_every_fix_is_well_formed_and_leaves_fewer_problems(text: str) -> None:
    payload, some = found(text)
    for _, fix in some:
        if fix is not None:
            new = apply_text_fixes(payload, [fix])
            assert new is not None
            _, left = found(new)
            # another issue may appear (a number as an id), the one that was fixed does not come back
            assert len(left) <= len(some)
            assert new != text
