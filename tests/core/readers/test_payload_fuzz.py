"""Whatever is pasted: it is read, checked, marked and fixed, or rejected with a sentence. Nothing else happens."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intempt_core.errors import ReadError
from intempt_core.exports.case_file import read_case
from intempt_core.fixes.text_fixes import apply_text_fixes, find_text_fix, preview_text_fixes
from intempt_core.readers.payload import read_payload
from intempt_core.validation.annotations import annotate_issues, annotate_lines, escape_invisible
from intempt_core.validation.check import check_events

FRAGMENTS = st.sampled_from(
    """{ } [ ] , : " ' \\ // # /* */ 1 -0 1e400 NaN Infinity null true "a" "\\ud800" "name" "product viewed" "track"
    "payload" "data" "productID" "user_id" "userId" "eventId" "timestamp" 1664582400 "2022-10-01T00:00:00Z" curl -d
    --data-raw --json -u key:secret $'..' <<EOF EOF ^" ^ | ; & $(id) `id` @- https://a.example/?apiKey=a.b <html>
    <pre\u0020id="case-file"> "case_file" {"case_file":1""".split()
) | st.sampled_from(["\n", " ", "\r\n", "\u202e", "\u200b", "\ufeff", "\0", "9" * 400, "[" * 1000, '{"a":' * 300])
TEXTS = st.lists(FRAGMENTS, max_size=25).map("".join) | st.lists(FRAGMENTS, max_size=25).map(" ".join)


T = TypeVar("T")


def tried(read: Callable[[str], T], text: str) -> tuple[T | None, str]:
    """What a reader gives, or its sentence; anything else that it raises is a fault."""
    try:
        return read(text), ""
    except ReadError as error:
        return None, str(error)


@given(TEXTS)
@example('{"eventId": 1' + "0" * 400 + ', "userId": "\\ud800", "user_id": "x"}')
@example("curl -d '" + '{"name": "product viewed", "eventId": "\\u200b"}' + "' ; rm -rf /")
@example('{"eventId": "a"}\n{"eventId": "b"}')
@example('[{"a": 1},\n// no\n]')
def test_any_text_comes_to_an_end_that_can_be_shown(text: str) -> None:
    payload, rejected = tried(read_payload, text)
    if payload is None:
        assert escape_invisible(rejected).encode().endswith(b".")
        return
    issues = check_events(payload.events, None, payload.issues).issues()
    marks = annotate_issues(payload, issues)
    assert all(0 <= mark.at <= mark.end <= len(payload.text) for mark in marks)
    for line in annotate_lines(payload.text, marks):
        "".join(piece.text for piece in line.pieces).encode()
    for issue in issues:
        escape_invisible(issue.sentence).encode()
        fix = find_text_fix(payload, issue)
        if fix is not None:
            assert preview_text_fixes(payload.text, [fix])
            new = apply_text_fixes(payload, [fix])
            assert new is None or read_payload(new).events is not None


@given(TEXTS)
def test_any_text_is_a_case_file_or_none_or_rejected(text: str) -> None:
    case, rejected = tried(read_case, text)
    assert case is None or not rejected
    assert not rejected or rejected.endswith(".")


@pytest.mark.parametrize("levels", [199, 1_000, 100_000])
def test_however_deep_a_text_is_it_is_read_or_rejected(levels: int) -> None:
    text = '{"data": ' + "[" * levels + "]" * levels + "}"
    if levels < 200:
        assert read_payload(text).events
    else:
        with pytest.raises(ReadError, match="nested more than 200 levels"):
            read_payload(text)
