"""What a test of an application says with ``track_api``, over real HTTP."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from intempt_core.errors import ConsoleError
from intempt_core.testing import ExpectationFailed, TrackApi

Sender = Callable[..., httpx.Response]


def test_the_example_of_the_documentation(track_api: TrackApi, send: Sender) -> None:
    send("Added to cart", eventId="e1", userId="u1", data={"productId": "A1"})
    event = track_api.expect("Added to cart", userId="u1", data={"productId": "A1"})
    assert (event.name, event.event_id, event.product_id, event.processed) == ("Added to cart", "e1", "A1", True)
    assert track_api.feed("recently-added-to-cart", userId="u1") == ["A1"]
    track_api.expect_nothing_else()


def test_the_address_is_whole(track_api: TrackApi) -> None:
    parts = f"{track_api.scheme}://{track_api.host}/v1/{track_api.org}/projects/{track_api.project}"
    assert track_api.url == f"{parts}/sources/{track_api.source}/track"
    assert track_api.key == "sandbox.sandbox"


def test_an_event_is_expected_once(track_api: TrackApi, send: Sender) -> None:
    send("Product viewed", eventId="e1", userId="u1", data={"productId": "A1"})
    assert track_api.expect("Product viewed").event_id == "e1"
    with pytest.raises(ExpectationFailed):
        track_api.expect("Product viewed", timeout=0)
    send("Product viewed", eventId="e2", userId="u1", data={"productId": "A1"})
    assert track_api.expect("Product viewed").event_id == "e2"


def test_an_event_that_comes_later_is_waited_for(track_api: TrackApi, send: Sender) -> None:
    event = {"eventId": "e1", "userId": "u1", "data": {"productId": "A1"}}
    later = threading.Timer(0.2, send, ["Product viewed"], event)
    later.start()
    assert track_api.expect("Product viewed", timeout=30).event_id == "e1"
    later.join()


def test_an_unexpected_event_is_something_else(track_api: TrackApi, send: Sender) -> None:
    send("Product viewed", eventId="e1", userId="u1", data={"productId": "A1"})
    with pytest.raises(ExpectationFailed):
        track_api.expect_nothing_else()


def test_a_failure_is_simulated_in_this_project_alone(
    track_api: TrackApi, send: Sender, request: pytest.FixtureRequest
) -> None:
    event = {"eventId": "e1", "userId": "u1", "data": {"productId": "A1"}}
    track_api.fail(status=429, times=2)
    other = request.getfixturevalue("_track_api_server").open_project("another test")
    assert send("Product viewed", url=other.url, **event).status_code == 201
    assert [send("Product viewed", **event).status_code for _ in range(3)] == [429, 429, 201]
    assert [event.event_id for event in track_api.events()] == ["e1"]


def test_a_wait_ends_though_the_test_has_stopped_all_clocks(
    track_api: TrackApi, send: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1_000.0)
    monkeypatch.setattr(time, "time", lambda: 1_500_000_000.0)
    with pytest.raises(ExpectationFailed):
        track_api.expect("Product viewed", timeout=0.1)
    event = {"eventId": "e1", "userId": "u1", "data": {"productId": "A1"}}
    later = threading.Timer(0.1, send, ["Product viewed"], event)
    later.start()
    assert track_api.expect("Product viewed", timeout=30).event_id == "e1"
    later.join()


def test_the_vendors_sdk_is_an_application(track_api: TrackApi) -> None:
    """As ``docs/testing-applications.md`` has it."""
    sdk = pytest.importorskip("intempt")
    with sdk.Intempt(
        org=track_api.org,
        project=track_api.project,
        source_id=track_api.source,
        api_key=track_api.key,
        host=track_api.host,
        scheme=track_api.scheme,
    ) as client:
        client.identify(user_id="u1", traits={"name": "Ana"})
        client.ecommerce.added_to_cart(product_id="A1", quantity=2, user_id="u1")
        client.ecommerce.ordered(products=[{"product_id": "A1"}, {"product_id": "B2"}], user_id="u1")
        added = track_api.expect("Added to cart", userId="u1", data={"productId": "A1", "quantity": 2})
        assert added.client == "intempt-python/2.0.0"
        lines = [track_api.expect("Product ordered", after=added).product_id for _ in range(2)]
        assert lines == ["A1", "B2"]
        assert track_api.feed("recently-purchased", userId="u1") == ["B2", "A1"]
        assert client.recommend(feed_id="recently-added-to-cart", fields=["id"], user_id="u1") == {
            "products": [{"id": "A1"}]
        }
        track_api.expect("Identify", userId="u1", userAttributes={"name": "Ana"})
        track_api.expect_nothing_else()


def test_only_what_an_object_is_asked_for_counts(track_api: TrackApi, send: Sender) -> None:
    data = {"productId": "A1", "price": 12.0, "tags": ["a", "b"], "shop": {"id": "s", "city": "Linz"}, "gift": True}
    send("Product viewed", eventId="e1", userId="u1", data=data)
    for wrong in ({"tags": ["b", "a"]}, {"gift": 1}, {"shop": {"id": "t"}}, {"price": "12.0"}, {"colour": None}):
        with pytest.raises(ExpectationFailed):
            track_api.expect("Product viewed", data=wrong, timeout=0)
    track_api.expect("Product viewed", data={"price": 12, "shop": {"id": "s"}, "tags": ["a", "b"], "gift": True})


def test_an_ignored_event_is_expected_by_saying_so(track_api: TrackApi, send: Sender) -> None:
    send("Signed up", eventId="e1", userId="u1")
    send("Product viewed", eventId="e2", userId="u1")
    with pytest.raises(ExpectationFailed, match="say processed=None"):
        track_api.expect("Signed up", timeout=0)
    assert track_api.expect("Signed up", processed=None).codes == ("event_name", "product_id_missing")
    assert track_api.expect("Product viewed", processed=False).reason == "The product id is missing."
    track_api.expect_nothing_else()


def test_an_event_that_should_be_ignored_and_is_processed_is_not_it(track_api: TrackApi, send: Sender) -> None:
    send("Product viewed", eventId="e1", userId="u1", data={"productId": "A1"})
    with pytest.raises(ExpectationFailed, match="it was processed, and expected to be ignored"):
        track_api.expect("Product viewed", processed=False, timeout=0)


def test_nothing_else_may_be_waited_for(track_api: TrackApi, send: Sender) -> None:
    track_api.expect_nothing_else(within=0.05)
    later = threading.Timer(0.1, send, ["Product viewed"], {"eventId": "late", "userId": "u1"})
    later.start()
    with pytest.raises(ExpectationFailed, match="late"):
        track_api.expect_nothing_else(within=30)
    later.join()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda api: api.expect("Product viewed", user_id="u1"), "“user_id” is none. Did you mean “userId”?"),
        (lambda api: api.feed("recently-view", userId="u1"), "No feed has the id “recently-view”. Did you mean"),
        (lambda api: api.feed("recently-viewed"), "takes one person, by one of userId, profileId or accountId"),
        (lambda api: api.feed("recently-viewed", userId="u1", profileId="p1"), "takes one person"),
        (lambda api: api.fail(), "status: Field required"),
        (lambda api: api.fail(status=99), "greater than or equal to 200"),
        (lambda api: api.fail(status=500, time=2), "time: Extra inputs are not permitted"),
    ],
)
def test_a_call_that_is_wrong_is_a_sentence(
    track_api: TrackApi, call: Callable[[TrackApi], object], sentence: str
) -> None:
    with pytest.raises((TypeError, ValueError, ConsoleError)) as error:
        call(track_api)
    assert sentence in str(error.value)


def test_a_failure_ends_when_it_is_told_to(track_api: TrackApi, send: Sender) -> None:
    track_api.fail(fault="cut")
    with pytest.raises(httpx.TransportError):
        send("Product viewed", eventId="e1", userId="u1")
    track_api.fail(status=503)
    assert send("Product viewed", eventId="e1", userId="u1").status_code == 503
    track_api.stop_failing()
    assert send("Product viewed", eventId="e1", userId="u1").status_code == 201


def test_many_threads_expect_each_their_own_event(track_api: TrackApi, send: Sender) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = [pool.submit(track_api.expect, "Product viewed", userId="u1", timeout=30) for _ in range(8)]
        for number in range(8):
            send("Product viewed", eventId=f"e{number}", userId="u1", data={"productId": "A1"})
        assert {wait.result().event_id for wait in waits} == {f"e{number}" for number in range(8)}
    track_api.expect_nothing_else()


@pytest.fixture
def projects(request: pytest.FixtureRequest) -> tuple[TrackApi, TrackApi]:
    server = request.getfixturevalue("_track_api_server")
    return server.open_project("earlier"), server.open_project("later")


def test_what_an_earlier_test_sends_late_is_not_taken_for_this_ones(
    projects: tuple[TrackApi, TrackApi], send: Sender
) -> None:
    earlier, later = projects
    send("Product viewed", url=earlier.url, eventId="e1", userId="u1", data={"productId": "A1"})
    with pytest.raises(ExpectationFailed):
        later.expect("Product viewed", timeout=0)
    later.expect_nothing_else()
    assert later.feed("recently-viewed", userId="u1") == []
    assert earlier.expect("Product viewed").event_id == "e1"
