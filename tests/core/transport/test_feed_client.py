"""Feeds read from a real server that misbehaves (CONTRACT 5)."""

import json
from dataclasses import replace

import pytest

from intempt_core.contract.feeds import FeedIdentity
from intempt_core.settings import Settings
from intempt_core.transport.feed_client import FeedResponse, read_feed
from tests.core.transport.factories import HALF, PATIENT, assert_no_key, run_with_client, target_at
from tests.core.transport.fault_server import answers, closed_port, hostile, http, says


def read(
    base: str,
    identity: FeedIdentity = FeedIdentity.USER,
    feed: str = "recently-viewed",
    *,
    settings: Settings = PATIENT,
) -> FeedResponse:
    answer = run_with_client(
        lambda client: read_feed(client, target_at(base), feed, identity, "0017"), settings=settings
    )
    assert_no_key(answer)
    return answer


@pytest.mark.parametrize("identity", FeedIdentity)
def test_a_feed_is_asked_for_as_the_contract_says(identity: FeedIdentity) -> None:
    with hostile(answers(200, b'{"products":[{"id":"B7"},{"id":"A1"}]}')) as server:
        answer = read(server.url, identity)
    assert answer.products == ("B7", "A1")
    (request,) = server.received
    body = json.loads(request.body)
    assert request.path == "/v1/acme/projects/web/feeds/77/data"
    assert (body["type"], body["id"], body["fields"]) == (identity.value, "0017", ["id"])
    assert body.get("sourceId") == ("1481727395731910656" if identity is FeedIdentity.PROFILE else None)


def test_product_ids_keep_every_digit() -> None:
    ids = b'[{"id":1481727395731910656},{"id":"007"},{"id":1.0},{"id":1e400},{"id":"\\ud800"}]'
    with hostile(answers(200, b'{"products":' + ids + b"}")) as server:
        assert read(server.url).products == ("1481727395731910656", "007", "1.0", "1e400", "?")


def test_an_empty_feed_is_a_normal_answer() -> None:
    with hostile(answers(200, b'{"products":[]}')) as server:
        answer = read(server.url, settings=replace(PATIENT, response_bytes=0))
    assert answer.products == ()
    assert answer.message == f"127.0.0.1:{server.port} shows 0 in Recently Viewed."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(400, b"Name is null"), "the feed id of Recently Viewed may not be known there. It says: Name is null"),
        (http(401), "the key is wrong"),
        (http(500), "cannot be read now"),
        (http(200, b"<html><title>Hello</title>"), "not with JSON: an HTML page"),
        (http(200, b""), "not with JSON: an empty body"),
        (http(200, b"[" * 100_000), "not with JSON"),
        (http(200, b"[]"), "without a list of products"),
        (http(200, b'{"products":{"id":"A"}}'), "without a list of products"),
        (http(200, b'{"products":[{"id":"A"},{"name":"B"}]}'), "product 2 of its list has no id"),
        (http(200, b'{"products":["A"]}'), "product 1 of its list has no id"),
        (http(200, b'{"products":[{"id":null}]}'), "product 1 of its list has no id"),
        (http(200, b'{"products":[' + b" " * 1_100_000 + b"]}"), "too long to be read"),
        (http(200, b'{"products":[{"id":' + b"1" * 5000 + b"}]}"), "shows 1"),
    ],
)
def test_whatever_a_feed_answers_is_reported(answer: bytes, words: str) -> None:
    with hostile(says(answer)) as server:
        got = read(server.url)
    assert words in got.message
    assert (got.products is None) == ("shows" not in words)


def test_a_feed_that_cannot_be_asked_is_reported_without_a_request() -> None:
    with hostile(answers(200)) as server:
        assert "has no feed id for Recently Purchased" in read(server.url, feed="recently-purchased").message
    assert server.received == []


def test_a_feed_that_does_not_answer_is_reported() -> None:
    answer = read(f"http://127.0.0.1:{closed_port()}")
    assert answer.products is None
    assert "refuses connections" in answer.message
    with hostile(says(HALF % 200, then="close")) as server:
        assert "broke off" in read(server.url).message
