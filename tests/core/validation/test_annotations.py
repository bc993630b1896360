"""Every issue is annotated at its place, and invisible characters are written out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.issue_kinds import Severity
from intempt_core.readers.payload import read_payload
from intempt_core.validation.annotations import (
    Annotation,
    annotate_issues,
    annotate_lines,
    escape_invisible,
    find_issue_span,
)
from intempt_core.validation.check import check_events


def marked(text: str) -> list[tuple[str, str]]:
    payload = read_payload(text)
    issues = check_events(payload.events, None, payload.issues).issues()
    return [(issue.code, payload.text[slice(*find_issue_span(payload, issue))]) for issue in issues]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ('{"name": "x", "eventId": "e", "userId": 5, "data": {"productId": " p"}}',
         [("event_name", '"x"'), ("id_number", "5"), ("id_white_space", '" p"')]),
        ('{"name": "Product viewed", "data": {"x": 1}}',
         [("event_id_missing", "{"), ("identity_missing", "{"), ("product_id_missing", "{")]),
        ('[{"track": {"payload": 5}}]', [("request_shape", "{")]),
        ('{"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": "p", "a": 1, "a" : 2}}',
         [("key_repeated", '"a"')]),
        ('{"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": "p", /* c */}}',
         [("json_comment", "/* c */"), ("json_comma", ",")]),
        ("curl u -d '{\"name\":\"it'\\''s\",\"eventId\": \"e\", \"userId\": \"u\", \"data\": {\"productId\": \"p\"}}'",
         [("event_name", "\"it'\\''s\"")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_annotated(text: str, marks: list[tuple[str, str]]) -> None:
    assert sorted(marked(text)) == sorted(marks)


EVENT = '{"name":"Product viewed","eventId":"e","userId":"u","data":{"productId":"p","x":[1,],"y":[2,],},}'


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (EVENT, [(1, 83), (1, 92), (1, 94), (1, 96)]),
        (f"curl u -d '{EVENT}'", [(1, 94), (1, 103), (1, 105), (1, 107)]),
        (EVENT.replace(",]", ",\n]"), [(1, 83), (2, 9), (3, 2), (3, 4)]),
        (f"curl u \\\n -d '{EVENT}'", [(2, 88), (2, 97), (2, 99), (2, 101)]),
        (EVENT.replace(",]", "]").replace(",}", " /* a */ /* a */}"), [(1, 93), (1, 101), (1, 110), (1, 118)]),
        ('{"name":"Product viewed","eventId":"e","userId":"u","data":{"x":1,},"productId":"A1",}',
         [(1, 60), (1, 66), (1, 85)]),
        ('{"name":"Product viewed","eventId":"e","userId":"u","data":{"productId":"p","a":1,"a":2,"a" :3}}',
         [(1, 83), (1, 89)]),
    ],
)  # fmt: skip
def test_each_of_several_problems_of_one_kind_on_one_line_is_marked_at_its_own_place(
    text: str, columns: list[tuple[int, int]]
) -> None:
    payload = read_payload(text)
    issues = check_events(payload.events, None, payload.issues).issues()
    assert [payload.line_column(mark.at) for mark in annotate_issues(payload, issues)] == columns


def test_what_nobody_sees_is_written_out() -> None:
    assert escape_invisible("a\u202eb\u200b\ud800\u00a0\r\n\t c\0") == (
        "a⟨U+202E⟩b⟨U+200B⟩⟨U+D800⟩⟨U+00A0⟩\r\n\t c⟨U+0000⟩"
    )


def test_a_line_comes_in_pieces_with_its_worst_and_its_problems() -> None:
    text = "ab\u200bcd\r\nefgh\n"
    marks = [Annotation(1, 4, Severity.WARNING, 7), Annotation(3, 9, Severity.ERROR, 2)]
    first, second, third = annotate_lines(text, marks)
    assert [(piece.text, piece.kind) for piece in first.pieces] == [
        ("a", ""), ("b", "warning"), ("⟨U+200B⟩", "unseen"), ("c", "warning"), ("d", "error"),
    ]  # fmt: skip
    assert (first.number, first.kind, first.problems) == (1, "error", (2, 7))
    assert [(piece.text, piece.kind) for piece in second.pieces] == [("ef", "error"), ("gh", "")]
    assert (second.kind, second.problems) == ("error", ())
    assert (third.pieces, third.kind) == ((), "")
    assert annotate_lines(text, marks, 2, 1) == [second]


@given(
    st.text(alphabet="ab\n\r\u200b\u202e é", max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=5),
)
def test_the_pieces_of_all_lines_are_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    marks = sorted(
        (Annotation(at, at + size, Severity.ERROR, number) for number, (at, size) in enumerate(spans)),
        key=lambda m: m.at,
    )
    lines = annotate_lines(text, marks)
    shown = "\n".join("".join(piece.text for piece in line.pieces) for line in lines)
    assert shown == escape_invisible(text.replace("\r\n", "\n").replace("\r", "\n"))


@given(st.recursive(st.none() | st.text(max_size=3) | st.integers(), lambda inside: st.lists(inside, max_size=3)
                    | st.dictionaries(st.sampled_from("name data userId eventId productId track payload".split()),
                                      inside, max_size=4), max_leaves=12))  # fmt: skip
def test_every_issue_of_any_document_has_a_mark_inside_the_text(value: object) -> None:
    payload = read_payload(json.dumps(value, indent=1))
    issues = check_events(payload.events, None, payload.issues).issues()
    marks = annotate_issues(payload, issues)
    assert len(marks) == len(issues)
    assert all(0 <= mark.at < mark.end <= len(payload.text) for mark in marks)
    assert {number for line in annotate_lines(payload.text, marks) for number in line.problems} == set(
        range(len(issues))
    )
