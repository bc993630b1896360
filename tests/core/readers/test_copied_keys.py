"""No key is left of a request that is copied in any form, wherever in it a key is, and its body stays what it is."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.errors import ReadError
from intempt_core.readers.pasted.pasted_keys import mask_pasted_keys
from intempt_core.readers.payload import read_payload
from tests.core.readers.copied_forms import EVENT, FORMS, KEY_TRACES, KeyedRequest, write_request


@pytest.mark.parametrize("form", FORMS)
@given(st.randoms(use_true_random=False))
def test_no_key_is_left_in_what_is_kept_shown_or_said(form: str, random: Random) -> None:
    text = write_request(KeyedRequest(random), form)
    masked, _ = mask_pasted_keys(text)
    assert not KEY_TRACES.search(masked)
    assert not KEY_TRACES.search(mask_pasted_keys(masked)[0])
    try:
        payload = read_payload(text)
        said = repr(vars(payload))
        assert [event.body for event in payload.events] == [EVENT]
    except ReadError as error:  # a key may have signs that hide where it ends; more is masked then
        said = str(error)
    assert not KEY_TRACES.search(said)


@pytest.mark.parametrize("form", FORMS)
def test_with_plain_keys_every_form_is_read(form: str) -> None:
    for seed in range(10):
        request = KeyedRequest(Random(seed))
        request.headers = [(name, value) for name, value in request.headers if value.isalnum() or "/" in value]
        request.login = ""
        assert [event.body for event in read_payload(write_request(request, form)).events] == [EVENT]


def test_a_login_that_was_posted_elsewhere_is_masked() -> None:
    login = '{"request": {"method": "POST", "url": "https://shop.example/login", "postData": {"text": %s}}}'
    text = '{"log": {"entries": [%s, %s]}}' % (  # noqa: UP031
        login % r'"{\"user\": \"anna\", \"password\": \"S3cr3tZ-9-of-the-shop\"}"',
        write_request(KeyedRequest(Random(1)), "HAR").partition("[")[2].rpartition("]")[0],
    )
    payload = read_payload(text)
    assert len(payload.requests) == 2
    assert not KEY_TRACES.search(payload.text)
    assert "anna" in payload.text
