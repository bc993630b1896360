"""A failure explains itself: of applications that are wrong in one way each, the text names the cause."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from intempt_core.testing import ExpectationFailed, TrackApi
from intempt_core.testing.pytest_plugin import pytest_assertrepr_compare
from tests.core.testing import planted_causes
from tests.core.testing.pytest_process import run_pytest

PLANTED = Path(__file__).with_name("planted_causes.py")

CAUSES = {
    "name_in_another_case": "case, spaces and spelling of a name count|[event_name]|Write “Added to cart”",
    "another_name": 'name: expected "Added to cart", got "Product viewed"',
    "id_as_a_number": 'userId: expected "17", got 17: the type is wrong, a number and not a text|[id_number]',
    "id_that_lost_digits": "got \"1841503112918048800\": it lost digits as a number",
    "identity_missing": 'userId: expected "u1", and it is missing|ignored: No identity is given.|[identity_missing]',
    "identity_in_another_spelling": "that value is in user_id, and must be in userId, exactly|[identity_missing]",
    "another_user": 'userId: expected "u1", got "u2"',
    "white_space_in_an_id": 'got "u1 ": white space around it|[id_white_space]',
    "placeholder_as_an_id": 'got "undefined"|[id_placeholder]',
    "product_id_missing": "ignored: The product id is missing.|[product_id_missing]",
    "product_id_in_another_spelling": "that value is in data.product_id, and must be in data.productId, exactly",
    "product_id_outside_of_data": "that value is in productId, and must be in data.productId, exactly",
    "value_of_another_type": 'data.price: expected 12.5, got "12.5": the type is wrong, a text and not a number',
    "event_id_missing": "ignored: The event id is missing.|[event_id_missing]",
    "event_id_used_twice": "its event id was already used by event",
    "time_in_seconds": "1 request to this test's project was rejected|→ 400|before 2010-01-01|seconds",
    "time_in_microseconds": "timestamp: expected 1790000000000, got 1790000000000000|[timestamp_after_2040]",
    "wrong_project": "it came to the project “shop”, and this test's is “test-|give the application track_api.project",
    "wrong_organisation": "the organisation is “acme”, and this test's is “test”",
    "source_that_lost_digits": "the source is “1841503112918048768”|it lost digits as a number",
    "body_without_a_list": "was rejected|→ 400: The body has no list “track”.",
    "body_that_is_cut": "was rejected|→ 400: The body is no JSON",
    "wrong_key": "was rejected|→ 401: The API key is wrong.",
    "wrong_content_type": "was rejected|→ 415: The content type is text/plain.",
    "wrong_path": "was rejected|→ 404: Nothing is served at this path|/events by shop/1",
    "failure_that_is_not_retried": "met a failure that this test simulates; the application did not send it again|429",
    "nothing_sent": "Not one request reached this sandbox since the test began.",
    "expected_twice": "an earlier expect() took it: each event is expected once",
    "order_of_events": "the order of events: it arrived before event",
    "inside_an_event_loop": "inside a running event loop",
    "removed_afterwards": "A1 is not in Recently Added to Cart: its “Removed from cart” at|was processed, after the",
    "feed_in_another_order": "a feed goes by the order of arrival, the last first. Their last events came: A1 at",
    "feed_of_an_ignored_event": "was ignored: the event id is missing.",
    "feed_of_another_identity": '1 event of this test names "u1" as profileId, not as userId',
    "feed_of_another_event": "no “Added to cart” of it reached the sandbox.",
    "product_that_should_be_gone": "A1 is in Recently Added to Cart, at place 1, since its “Added to cart” at",
    "event_sent_twice": "there is 1 other event.|is the same as event|it was sent twice",
    "request_rejected_beside": "there is 1 rejected request.|→ 400|before 2010-01-01",
}  # fmt: skip
"""By planted cause, the words that name it, separated by ``|``."""


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of each failure, by the name of its test; of a pytest that is a process of its own."""
    folder = tmp_path_factory.mktemp("planted")
    (folder / "test_planted.py").write_bytes(PLANTED.read_bytes())
    done = run_pytest(folder, "--junitxml=report.xml")
    assert done.returncode == 1, done.stdout + done.stderr
    cases = ET.parse(folder / "report.xml").iter("testcase")  # noqa: S314  pytest's own
    found = {case.attrib["name"].removeprefix("test_"): case.find("failure") for case in cases}
    return {name: failure.text or "" for name, failure in found.items() if failure is not None}


@pytest.mark.parametrize(
    "cause",
    ["name_in_another_case", "id_as_a_number", "identity_missing", "event_id_used_twice", "time_in_seconds",
     "wrong_project", "wrong_key", "order_of_events", "failure_that_is_not_retried", "event_sent_twice"],
)  # fmt: skip
def test_a_cause_is_named_in_the_error_itself(track_api: TrackApi, cause: str) -> None:
    with pytest.raises(ExpectationFailed) as error:
        getattr(planted_causes, f"test_{cause}")(track_api)
    assert [words for words in CAUSES[cause].split("|") if words not in str(error.value)] == []
    assert "${INTEMPT_API_KEY%%.*}" in str(error.value)


def test_a_feed_that_is_not_as_expected_says_why(track_api: TrackApi) -> None:
    planted_causes.send(track_api.url)
    planted_causes.send(track_api.url, "Removed from cart", eventId="e2")
    feed = track_api.feed("recently-added-to-cart", userId="u1")
    lines = pytest_assertrepr_compare("==", feed, ["A1"])
    assert lines is not None
    assert lines[0] == "track_api.feed('recently-added-to-cart', userId='u1') shows []; expected: == ['A1']"
    assert "A1 is not in Recently Added to Cart: its “Removed from cart” at" in "\n".join(lines)
    assert pytest_assertrepr_compare("in", "A1", feed) is not None
    assert pytest_assertrepr_compare("not in", "A1", feed) is not None
    assert pytest_assertrepr_compare("<", feed, ["A1"]) is None
    assert pytest_assertrepr_compare("==", ["A1"], []) is None


def test_a_failure_explains_itself_though_feeds_fail_too(track_api: TrackApi) -> None:
    planted_causes.send(track_api.url, userId="u2")
    track_api.fail(status=503, path="*")
    with pytest.raises(ExpectationFailed) as error:
        planted_causes.expect(track_api)
    assert 'userId: expected "u1", got "u2"' in str(error.value)
    assert "could not be read: Simulated failure: 503." in str(error.value)


def test_a_rejected_request_is_named_though_many_others_were_rejected(
    track_api: TrackApi, request: pytest.FixtureRequest
) -> None:
    other = request.getfixturevalue("_track_api_server").open_project("another test")
    planted_causes.send(track_api.url, timestamp=1)
    for _ in range(60):
        planted_causes.send(other.url, key="a.b")
    with pytest.raises(ExpectationFailed, match="1 request to this test's project was rejected"):
        planted_causes.expect(track_api)


def test_what_another_test_sends_late_is_named_as_such(track_api: TrackApi, request: pytest.FixtureRequest) -> None:
    other = request.getfixturevalue("_track_api_server").open_project("tests/test_shop.py::test_cart")
    planted_causes.send(other.url)
    with pytest.raises(ExpectationFailed, match=r"the project of another test, tests/test_shop\.py::test_cart"):
        planted_causes.expect(track_api)


@pytest.mark.long  # a pytest of its own; of ten causes the tests above say it
def test_every_planted_cause_has_its_words_and_fails(failures: dict[str, str]) -> None:
    planted = re.findall(r"^def test_(\w+)", PLANTED.read_text("utf-8"), re.MULTILINE)
    assert list(CAUSES) == planted
    assert sorted(failures) == sorted(planted)


@pytest.mark.long
@pytest.mark.parametrize("cause", CAUSES)
def test_a_failure_names_its_cause(failures: dict[str, str], cause: str) -> None:
    text = failures[cause]
    lacking = [words for words in CAUSES[cause].split("|") if words not in text]
    assert not lacking, text
