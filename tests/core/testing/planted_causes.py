"""Tests of applications that are wrong, each in one way. They are run by ``test_failures.py``, and all of them fail."""

import asyncio
import base64
import json
import urllib.error
import urllib.request
from typing import Any

from intempt_core.testing import TrackApi

NOW = 1_790_000_000_000


def post(url: str, body: bytes, key: str = "sandbox.sandbox", kind: str = "application/json") -> None:
    credential = base64.b64encode(key.replace(".", ":").encode()).decode()
    headers = {"Content-Type": kind, "Authorization": f"Basic {credential}", "User-Agent": "shop/1"}
    try:
        urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10).close()
    except urllib.error.HTTPError as error:
        error.close()


def send(url: str, name: str = "Added to cart", key: str = "sandbox.sandbox", **fields: Any) -> None:
    event = {"eventId": "e1", "userId": "u1", "data": {"productId": "A1"}, **fields}
    given = {field: value for field, value in event.items() if value is not None}
    post(url, json.dumps({"track": [{"name": name, "payload": [given]}]}).encode(), key)


def expect(track_api: TrackApi, **fields: Any) -> None:
    track_api.expect("Added to cart", timeout=0.05, **({"userId": "u1", "data": {"productId": "A1"}} | fields))


def test_name_in_another_case(track_api: TrackApi) -> None:
    send(track_api.url, "added_to_cart")
    expect(track_api)


def test_another_name(track_api: TrackApi) -> None:
    send(track_api.url, "Product viewed")
    expect(track_api)


def test_id_as_a_number(track_api: TrackApi) -> None:
    send(track_api.url, userId=17)
    expect(track_api, userId="17")


def test_id_that_lost_digits(track_api: TrackApi) -> None:
    send(track_api.url, userId="1841503112918048800")
    expect(track_api, userId="1841503112918048768")


def test_identity_missing(track_api: TrackApi) -> None:
    send(track_api.url, userId=None)
    expect(track_api)


def test_identity_in_another_spelling(track_api: TrackApi) -> None:
    send(track_api.url, userId=None, user_id="u1")
    expect(track_api)


def test_another_user(track_api: TrackApi) -> None:
    send(track_api.url, userId="u2")
    expect(track_api)


def test_white_space_in_an_id(track_api: TrackApi) -> None:
    send(track_api.url, userId="u1 ")
    expect(track_api)


def test_placeholder_as_an_id(track_api: TrackApi) -> None:
    send(track_api.url, userId="undefined")
    expect(track_api)


def test_product_id_missing(track_api: TrackApi) -> None:
    send(track_api.url, data={"price": 5})
    expect(track_api, data={"price": 5})


def test_product_id_in_another_spelling(track_api: TrackApi) -> None:
    send(track_api.url, data={"product_id": "A1"})
    expect(track_api)


def test_product_id_outside_of_data(track_api: TrackApi) -> None:
    send(track_api.url, data=None, productId="A1")
    expect(track_api)


def test_value_of_another_type(track_api: TrackApi) -> None:
    send(track_api.url, data={"productId": "A1", "price": "12.5"})
    expect(track_api, data={"productId": "A1", "price": 12.5})


def test_event_id_missing(track_api: TrackApi) -> None:
    send(track_api.url, eventId=None)
    expect(track_api)


def test_event_id_used_twice(track_api: TrackApi) -> None:
    send(track_api.url, "Product viewed")
    send(track_api.url)
    expect(track_api)


def test_time_in_seconds(track_api: TrackApi) -> None:
    send(track_api.url, timestamp=NOW // 1000)
    expect(track_api)


def test_time_in_microseconds(track_api: TrackApi) -> None:
    send(track_api.url, timestamp=NOW * 1000)
    expect(track_api, timestamp=NOW)


def test_wrong_project(track_api: TrackApi) -> None:
    send(track_api.url.replace(track_api.project, "shop"))
    expect(track_api)


def test_wrong_organisation(track_api: TrackApi) -> None:
    send(track_api.url.replace("/v1/test/", "/v1/acme/"))
    expect(track_api)


def test_source_that_lost_digits(track_api: TrackApi) -> None:
    send(track_api.url.replace(track_api.source, f"{float(track_api.source):.0f}"))
    expect(track_api)


def test_body_without_a_list(track_api: TrackApi) -> None:
    post(track_api.url, b'{"events": []}')
    expect(track_api)


def test_body_that_is_cut(track_api: TrackApi) -> None:
    post(track_api.url, b'{"track": [')
    expect(track_api)


def test_wrong_key(track_api: TrackApi) -> None:
    send(track_api.url, key="live.secret")
    expect(track_api)


def test_wrong_content_type(track_api: TrackApi) -> None:
    post(track_api.url, b'{"track": []}', kind="text/plain")
    expect(track_api)


def test_wrong_path(track_api: TrackApi) -> None:
    send(track_api.url.replace("/track", "/events"))
    expect(track_api)


def test_failure_that_is_not_retried(track_api: TrackApi) -> None:
    track_api.fail(status=429, times=1)
    send(track_api.url)
    expect(track_api)


def test_nothing_sent(track_api: TrackApi) -> None:
    expect(track_api)


def test_expected_twice(track_api: TrackApi) -> None:
    send(track_api.url)
    expect(track_api)
    expect(track_api)


def test_order_of_events(track_api: TrackApi) -> None:
    send(track_api.url, "Removed from cart")
    send(track_api.url, eventId="e2")
    added = track_api.expect("Added to cart")
    track_api.expect("Removed from cart", after=added, timeout=0.05)


def test_inside_an_event_loop(track_api: TrackApi) -> None:
    async def check() -> None:
        later = asyncio.create_task(asyncio.to_thread(send, track_api.url))
        expect(track_api)
        await later

    asyncio.run(check())


def test_removed_afterwards(track_api: TrackApi) -> None:
    send(track_api.url)
    send(track_api.url, "Removed from cart", eventId="e2")
    assert track_api.feed("recently-added-to-cart", userId="u1") == ["A1"]


def test_feed_in_another_order(track_api: TrackApi) -> None:
    send(track_api.url)
    send(track_api.url, eventId="e2", data={"productId": "B2"})
    assert track_api.feed("recently-added-to-cart", userId="u1") == ["A1", "B2"]


def test_feed_of_an_ignored_event(track_api: TrackApi) -> None:
    send(track_api.url, eventId=None)
    assert "A1" in track_api.feed("recently-added-to-cart", userId="u1")


def test_feed_of_another_identity(track_api: TrackApi) -> None:
    send(track_api.url, userId=None, profileId="u1")
    assert track_api.feed("recently-added-to-cart", userId="u1") == ["A1"]


def test_feed_of_another_event(track_api: TrackApi) -> None:
    send(track_api.url, "Product viewed")
    assert track_api.feed("recently-added-to-cart", userId="u1") == ["A1"]


def test_product_that_should_be_gone(track_api: TrackApi) -> None:
    send(track_api.url)
    assert track_api.feed("recently-added-to-cart", userId="u1") == []


def test_event_sent_twice(track_api: TrackApi) -> None:
    send(track_api.url)
    send(track_api.url, eventId="e2")
    expect(track_api)
    track_api.expect_nothing_else()


def test_request_rejected_beside(track_api: TrackApi) -> None:
    send(track_api.url)
    send(track_api.url, timestamp=1)
    expect(track_api)
    track_api.expect_nothing_else()
