"""A body that a log has cut: its whole events are read as they are, the rest is said, and nothing is made up."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract import Json
from intempt_core.errors import ReadError
from intempt_core.readers.payload import Payload, read_payload

EVENT = {"eventId": "e1", "userId": "u", "data": {"productId": "9007199254740993", "items": [{"a": 1}, {"b": 2}]}}
OTHER = {**EVENT, "eventId": "e2"}
BODY = json.dumps(
    {"track": [{"name": "Added to cart", "payload": [EVENT, OTHER]}, {"name": "Product viewed", "payload": [EVENT]}]}
)
SHAPES = [
    BODY,
    json.dumps([{"name": "Added to cart", **EVENT}, {"name": "Product viewed", **OTHER}]),
    json.dumps([{"name": "Added to cart", "payload": [EVENT, OTHER]}]),
    json.dumps({"name": "Added to cart", "payload": [EVENT, OTHER]}),
    "\n".join(json.dumps({"name": "Added to cart", **one}) for one in (EVENT, OTHER, EVENT)),
]


def list_events(payload: Payload) -> list[tuple[Json, Json]]:
    return [(event.name, event.body) for event in payload.events]


def test_the_whole_events_of_a_cut_body_are_read_and_the_rest_is_said() -> None:
    text = BODY[: BODY.index('"e2"') + 40]
    with pytest.raises(ReadError, match="the JSON ends early, probably cut by a log; 6 brackets are open"):
        read_payload(text)
    payload = read_payload(text, salvage=True)
    assert list_events(payload) == [("Added to cart", EVENT)]
    rest = len(text) - text.index("}]}}") - 4
    (note,) = payload.notes
    assert note.startswith(f"The JSON ends early at column {len(text) + 1}; 6 brackets open; probably cut by a log.")
    assert note.endswith(f"1 whole event is read, the last {rest} characters are not.")
    (issue,) = payload.issues
    assert (issue.code, issue.place.span) == ("json_cut", (len(text) - rest, len(text)))
    assert payload.text == text


@pytest.mark.parametrize("text", SHAPES)
def test_wherever_it_is_cut_no_event_is_made_up(text: str) -> None:
    whole = list_events(read_payload(text))
    for end in range(1, len(text)):
        with suppress(ReadError):
            found = list_events(read_payload(text[:end], salvage=True))
            assert found == whole[: len(found)]
            assert len(found) >= text[:end].count('"items": [{"a": 1}, {"b": 2}]}}'), end


@given(st.integers(0, len(BODY)), st.sampled_from(["", "...", " …", "... [truncated 123 bytes]", "\n<14 more lines>"]))
def test_the_mark_of_a_log_changes_nothing(end: int, mark: str) -> None:
    with suppress(ReadError):
        plain = list_events(read_payload(BODY[:end], salvage=True))
        if end < len(BODY):
            assert list_events(read_payload(BODY[:end] + mark, salvage=True)) == plain


@pytest.mark.parametrize(
    "text", ['{"eventId": "e1}', '[{"eventId": "e1}]', '{"track": [{"name": 5,, "a": 1', "[1, }", '{"a": 1}}']
)
def test_what_is_wrong_otherwise_is_not_taken_for_a_cut(text: str) -> None:
    with pytest.raises(ReadError) as raised:
        read_payload(text, salvage=True)
    assert "ends early" not in str(raised.value)


def test_without_being_asked_nothing_is_salvaged() -> None:
    with pytest.raises(ReadError):
        read_payload(BODY[:-1])
