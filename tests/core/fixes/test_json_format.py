"""Formatting changes the white space between the parts of a JSON text, and nothing else."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.fixes.json_format import find_format_fix, format_json
from intempt_core.fixes.text_fixes import apply_text_fixes
from intempt_core.readers.payload import read_payload

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
ONE_LINE = '{"track":[{"name":"Added to cart","payload":[{"eventId":"e","eventId":"f","data":{"price":12.50}}]}]}'


def test_digits_order_and_repeated_keys_stay_as_they_are() -> None:
    text = '{"b":1487580005268456287,"a":1.0,"a":1e400,"c":"\\u00e9  {,}","d":[],"e":{},"f":[1,[2]]}'
    assert format_json(text) == (
        '{\n  "b": 1487580005268456287,\n  "a": 1.0,\n  "a": 1e400,\n  "c": "\\u00e9  {,}",\n  "d": [],\n  "e": {},\n'
        '  "f": [\n    1,\n    [\n      2\n    ]\n  ]\n}'
    )


@given(VALUES, st.sampled_from([None, 1, 4]))
def test_it_is_what_the_standard_library_writes(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert format_json(text) == json.dumps(value, indent=2)
    assert format_json(format_json(text)) == format_json(text)


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ('{"a":1} {"b":2}', '{\n  "a": 1\n}\n{\n  "b": 2\n}'),
        ('{"a":1, // why\n"b":2,}', '{\n  "a": 1,\n  // why\n  "b": 2,\n}'),
        ('/* x */{"a":[1 # y\n,2]}', '/* x */\n{\n  "a": [\n    1 # y\n    ,\n    2\n  ]\n}'),
    ],
)
def test_comments_trailing_commas_and_json_lines_are_kept(text: str, formatted: str) -> None:
    assert format_json(text) == formatted


@pytest.mark.parametrize(
    "text", [ONE_LINE, f"curl https://a.example/track -d '{ONE_LINE}'", "\n " + ONE_LINE + "\n", ONE_LINE[:-3]]
)
def test_the_text_is_formatted_where_it_stands(text: str) -> None:
    payload = read_payload(text, salvage=True)
    fix = find_format_fix(payload)
    assert fix is not None
    formatted = apply_text_fixes(payload, [fix])
    assert formatted is not None
    assert formatted.count("\n") > 10
    assert re.sub(r"\s", "", formatted) == re.sub(r"\s", "", text)
    again = read_payload(formatted, salvage=True)
    assert [(one.name, one.body) for one in again.events] == [(one.name, one.body) for one in payload.events]
    assert find_format_fix(again) is None


def test_a_body_in_the_quotes_of_a_har_file_or_of_several_requests_is_not_formatted() -> None:
    post = {"request": {"method": "POST", "url": "https://a.example/track", "postData": {"text": ONE_LINE}}}
    assert find_format_fix(read_payload(json.dumps({"log": {"entries": [post]}}))) is None
    command = f"curl https://a.example/track -d '{ONE_LINE}'"
    assert find_format_fix(read_payload(f"{command}\n{command}")) is None
