"""What the sandbox makes of a body (CONTRACT 2, 3.8, 6.1)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.fields import EVENT_FIELDS, PLAIN_FIELDS, EventName
from intempt_core.contract.issues import Place
from intempt_core.contract.rules import GivenEvent, find_event_errors
from intempt_core.errors import SandboxRejection
from intempt_core.sandbox.storage.fast_path import IncomingEvent, try_fast_path
from intempt_core.sandbox.storage.parser import read_track

NOW = 1_700_000_000_000
GOOD = {"eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}


def read(document: Any) -> list[IncomingEvent]:
    return read_track(json.dumps(document).encode(), NOW).to_rows()


def one(name: Any, body: Any) -> IncomingEvent:
    (event,) = read({"track": [{"name": name, "payload": [body]}]})
    return event


values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 3 * 10**12), st.just({}), st.just([1]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", " ", "u1", "0", "null", "é", "\u200b", "a\u0000", "1841503112918048768", "-x"]),
)  # fmt: skip
fields = (*PLAIN_FIELDS, "data", "more")
inner_fields = (*(field.partition(".")[2] for field in EVENT_FIELDS if "." in field), "brand")
bodies = st.one_of(
    values,
    st.builds(
        lambda some, data: {**some, **({"data": data} if data is not None else {})},
        st.dictionaries(st.sampled_from(fields), values),
        st.none() | st.dictionaries(st.sampled_from(inner_fields), values),
    ),
    st.dictionaries(st.sampled_from(("userId", "sessionId", "timestamp")), values).map(lambda some: {**GOOD, **some}),
)
names = st.sampled_from([*(name.value for name in EventName), "Identify", "product viewed", "", None, 7])


@given(names, st.lists(bodies, max_size=4))
def test_what_passes_at_a_glance_the_model_passes_too(name: Any, payload: list[Any]) -> None:
    if try_fast_path(name, payload, frozenset()) is not None:
        assert [find_event_errors(GivenEvent(name, body, Place())) for body in payload] == [[]] * len(payload)


@given(names, st.lists(bodies | st.just(GOOD), max_size=9))
def test_events_of_one_payload_are_read_as_each_is_alone(name: Any, payload: list[Any]) -> None:
    try:
        alone = [one(name, body) for body in payload]
    except SandboxRejection:
        with pytest.raises(SandboxRejection):
            read({"track": [{"name": name, "payload": payload}]})
        return
    together = read({"track": [{"name": name, "payload": payload}]})
    assert [event._replace(because="", line=False) for event in together] == [
        event._replace(because="", line=False) for event in alone
    ]
    assert [bool(event.because) for event in together] == [bool(event.because) for event in alone]


@given(st.sampled_from(list(EventName)), bodies)
def test_an_event_of_the_four_has_the_issues_that_the_rules_find(name: EventName, body: Any) -> None:
    expected = [issue.code for issue in find_event_errors(GivenEvent(name.value, body, Place()))]
    if "timestamp_before_2010" in expected:
        with pytest.raises(SandboxRejection):
            one(name.value, body)
    else:
        assert one(name.value, body).codes.split() == expected


def test_an_ordinary_event_does_pass_at_a_glance() -> None:
    found = try_fast_path("Product viewed", [GOOD, GOOD], frozenset())
    assert found is not None
    assert found.to_rows() == [one("Product viewed", GOOD)] * 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'{"track": [NaN]}', "NaN is no JSON number"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"track":' + b"[" * 3_000 + b"]" * 3_000 + b"}", "nested too deeply"),
        (b'{"track": [' + b"1" * 5_000 + b"]}", "no JSON"),
        (b"\xff\xfe\xfa", "no JSON"),
        (b"[]", "a list, not a JSON object"),
        (b'"x"', "a text, not"),
        (b"true", "a truth value, not"),
        (b"null", "null, not"),
        (b"12", "a number, not"),
        (b"{}", "no list “track”"),
        (b'{"track": {}}', "no list “track”"),
        (b'{"track": null}', "no list “track”"),
    ],
)
def test_a_body_that_is_no_track_request_is_rejected_with_a_sentence(body: bytes, says: str) -> None:
    with pytest.raises(SandboxRejection, match=says) as rejection:
        read_track(body, NOW)
    assert rejection.value.status == 400


@pytest.mark.parametrize("depth", [200, 260, 600, 1_000])
def test_deep_nesting_inside_an_event_is_taken_or_rejected_and_nothing_else(depth: int) -> None:
    body = '{"track":[{"name":"x","payload":[{"eventId":"e","data":' + "[" * depth + "]" * depth + "}]}]}"
    try:
        (event,) = read_track(body.encode(), NOW).to_rows()
    except SandboxRejection as rejection:
        assert rejection.status == 400  # noqa: PT017  either is right
    else:
        assert event.event_id == "e"


@pytest.mark.parametrize("time", [0, 1_262_303_999_999, 1_664_582_400, 1.0e9, -1])
@pytest.mark.parametrize("name", ["Product viewed", "Identify", "Signed up"])
def test_a_time_before_2010_rejects_the_whole_request(name: str, time: float) -> None:
    with pytest.raises(SandboxRejection, match=r"track\[0\]\.payload\[1\]\.timestamp.*before 2010-01-01"):
        read({"track": [{"name": name, "payload": [GOOD, {**GOOD, "timestamp": time}]}]})


def test_seconds_where_milliseconds_were_meant_are_called_by_name() -> None:
    with pytest.raises(SandboxRejection, match="These look like seconds: multiply by 1,000"):
        one("Product viewed", {**GOOD, "timestamp": 1_664_582_400})


def test_a_time_after_2040_becomes_the_time_of_receipt() -> None:
    assert one("Product viewed", {**GOOD, "timestamp": 1_664_582_400_000_000}).time == NOW


def test_a_time_of_the_allowed_years_is_kept() -> None:
    assert one("Product viewed", {**GOOD, "timestamp": 1_664_582_400_000}).time == 1_664_582_400_000


def test_a_time_that_cannot_be_read_is_stored_as_not_processed() -> None:
    assert one("Product viewed", {**GOOD, "timestamp": "yesterday"}).codes == "timestamp_unreadable"


@pytest.mark.parametrize(
    ("name", "body", "codes"),
    [
        ("product viewed", GOOD, "event_name"),
        (None, GOOD, "event_name"),
        ("Product viewed", {**GOOD, "eventId": " "}, "event_id_missing"),
        ("Product viewed", {"eventId": "e", "data": {"productId": "p"}}, "identity_missing"),
        ("Product viewed", {**GOOD, "data": {}}, "product_id_missing"),
        ("Product viewed", {**GOOD, "userId": {}}, "id_not_text"),
        ("Product viewed", "e1", "event_not_object"),
        ("Identify", {"userId": "u"}, "event_id_missing"),
        ("Identify", {"eventId": "i"}, "identity_missing"),
        ("Identify", {"eventId": "i", "userId": "u", "data": 3}, ""),
        ("Identify", 3, "event_not_object"),
    ],
)
def test_an_incomplete_event_is_taken_and_says_why_it_is_not_processed(name: Any, body: Any, codes: str) -> None:
    event = one(name, body)
    assert event.codes == codes
    assert bool(event.because) == bool(codes)


@pytest.mark.parametrize("group", [3, None, "x", [GOOD], {}, {"name": "Product viewed"}, {"payload": GOOD}])
def test_a_group_of_the_wrong_shape_is_taken_and_not_processed(group: Any) -> None:
    (event,) = read({"track": [group]})
    assert event.codes == "request_shape"
    assert json.loads(event.body) == group


def test_no_events_are_no_events() -> None:
    assert read({"track": []}) == read({"track": [{"name": "Product viewed", "payload": []}]}) == []


@pytest.mark.parametrize(
    ("given_id", "text"),
    [
        ("1841503112918048768", "1841503112918048768"),
        (1841503112918048768, "1841503112918048768"),
        (123456789012345678901234567890, "123456789012345678901234567890"),
        (-(2**64), "-18446744073709551616"),
        (12.5, "12.5"),
        ("\ud800x", "\\ud800x"),
        ("日本", "日本"),
        ("a\u0000b", "a\u0000b"),
    ],
)
def test_every_id_keeps_every_digit_and_letter(given_id: Any, text: str) -> None:
    event = one("Product viewed", {"eventId": given_id, "userId": given_id, "data": {"productId": given_id}})
    assert (event.event_id, event.user_id, event.product_id, event.because) == (text, text, text, "")


def test_the_event_itself_is_kept_as_it_came() -> None:
    body = {**GOOD, "userAttributes": {"größe": 1.0, "long": 2**80}, "data": {"productId": "p1", "price": 12.50}}
    assert json.loads(one("Product viewed", body).body) == body


def test_a_byte_order_mark_and_utf_16_are_read() -> None:
    text = json.dumps({"track": [{"name": "Product viewed", "payload": [GOOD]}]})
    given = read(json.loads(text))
    assert (
        read_track(text.encode("utf-8-sig"), NOW).to_rows() == read_track(text.encode("utf-16"), NOW).to_rows() == given
    )


def test_only_lines_of_one_order_share_an_event_id() -> None:
    def lines(name: str, *products: str) -> list[bool]:
        payload = [{**GOOD, "data": {"productId": product}} for product in products]
        return [event.line for event in read({"track": [{"name": name, "payload": payload}]})]

    assert lines("Product ordered", "a", "b", "a") == [True, True, True]
    assert lines("Product ordered", "a", "a") == [False, False]
    assert lines("Product ordered", "a") == [False]
    assert lines("Product viewed", "a", "b") == [False, False]
