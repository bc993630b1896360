"""Whatever bytes come as a body, it is a report as its schema says, or a sentence."""

import json

import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intempt_core.errors import ReadError
from intempt_core.validation import build_report_schema
from intempt_core.validation.endpoint.bodies import BodyForm, validate_body

REPORT = jsonschema_rs.validator_for(build_report_schema())

KEYS = st.sampled_from(
    ["name", "eventId", "userId", "profileId", "timestamp", "data", "productId", "track", "payload", "log", "a.b", "é"]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["Product viewed", "2024-01-01", "\x00", " x ", "\u200b", "null"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
DOCUMENTS = st.builds(json.dumps, OBJECTS | st.lists(OBJECTS, max_size=3))
LINES = st.builds("\n".join, st.lists(DOCUMENTS | st.text(max_size=6), max_size=4))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A document or lines, as they are or with some bytes cut, doubled or replaced."""
    body = draw(st.one_of(DOCUMENTS, LINES)).encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(body)))
        end = draw(st.integers(at, len(body)))
        body = body[:at] + draw(st.binary(max_size=3)) + body[end:]
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b" \r\n"])) + body


@given(body=st.one_of(damaged(), st.binary(max_size=20)), form=st.sampled_from(BodyForm), most=st.integers(0, 5))
@example(body=b'{"\\ud800": 1, "name": "\\udfff"}', form=BodyForm.LINES, most=5)
@example(body=b'{"name":"Product viewed","timestamp":1e308,"data":{"productId":"p"}}', form=BodyForm.UNSAID, most=5)
@example(body=b"{}\n\n[1,2]\n{", form=BodyForm.LINES, most=5)
def test_any_body_is_a_report_or_a_sentence(body: bytes, form: BodyForm, most: int) -> None:
    try:
        report = validate_body(body, form, most)
    except ReadError as error:
        sentence = str(error)
    else:
        sentence = ""
        REPORT.validate(json.loads(json.dumps(report)))
        assert len(report["issues"]) == min(most, report["issue_count"])
    assert not sentence or sentence.endswith((".", "…", "”", ")"))


@pytest.mark.parametrize("form", BodyForm)
def test_one_event_is_the_same_in_every_form(form: BodyForm) -> None:
    body = b'{"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": ""}}'
    assert validate_body(body, form, 5)["counts"] == {"product_id_missing": 1}
