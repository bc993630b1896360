"""What a test of an application says with ``track_api``, over real HTTP."""

import threading
from collections.abc import Callable

import httpx
import pytest

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
