"""A server that uses one of the vendor's SDKs does not notice that it talks to the sandbox (CONTRACT 6).

The Python SDK itself is driven over real HTTP. Of Node's, PHP's and the browser's, the requests that their sources
make are replayed: path, headers and body.
"""

import base64
import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from intempt_core.sandbox import run_sandbox

SOURCE = "1841503112918048768"
NOW = 1_790_000_000_000
KEY = "apiKey=sandbox.sandbox"
BASIC = f"Basic {base64.b64encode(b'sandbox:sandbox').decode()}"
numbers = count(1)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_sandbox(tmp_path_factory.mktemp("sdks") / "s.sqlite3") as served:
        yield served


@pytest.fixture
def project() -> str:
    return f"shop & söhne {next(numbers)}"


def received(url: str, project: str, door: str = "events") -> list[dict[str, Any]]:
    page = httpx.get(f"{url}/_sandbox/{door}?apiKey=sandbox.sandbox").json()
    return [one for one in page[door] if one["project"] == project]


# ── Python, intempt 2.0.0 ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def python(url: str, project: str) -> Iterator[Any]:
    sdk = pytest.importorskip("intempt")
    host = url.removeprefix("http://")
    options = {"org": "acme inc", "project": project, "api_key": "sandbox.sandbox", "source_id": SOURCE}
    with sdk.Intempt(**options, host=host, scheme="http") as client:
        yield client


def test_python_tracks_identifies_and_groups(python: Any, url: str, project: str) -> None:
    python.track("Signed up", user_id="u1", properties={"plan": "x"})
    python.identify(user_id="u1", profile_id="p1", traits={"name": "Ana"})
    python.group(account_id="a1", user_id="u1", attributes={"tier": "gold"})
    signed_up, identify, group = received(url, project)
    assert (signed_up["org"], signed_up["source"], signed_up["client"]) == ("acme inc", SOURCE, "intempt-python/2.0.0")
    assert (signed_up["processed"], signed_up["because"]) == (
        False, "The event name is “Signed up”. The product id is missing.",
    )  # fmt: skip
    assert (identify["name"], identify["processed"], identify["profileId"]) == ("Identify", True, "p1")
    assert (group["name"], group["processed"], group["accountId"]) == ("Identify", True, "a1")
    assert group["event"]["accountAttributes"] == {"tier": "gold"}


def test_python_sells_and_recommends(python: Any) -> None:
    python.ecommerce.product_viewed(product_id="a", profile_id="p1")
    python.ecommerce.product_viewed(product_id="b", user_id="u1", account_id="x")
    python.ecommerce.added_to_cart(product_id="b", quantity=2, user_id="u1")
    python.ecommerce.ordered(products=[{"product_id": "b", "quantity": 2}, {"product_id": "c"}], user_id="u1")

    def feed(feed_id: str, **who: Any) -> Any:
        return python.recommend(feed_id=feed_id, fields=["id"], **who)

    assert feed("recently-viewed", user_id="u1") == {"products": [{"id": "b"}]}
    python.identify(user_id="u1", profile_id="p1")
    assert feed("recently-viewed", user_id="u1", limit=5, product_id="z") == {"products": [{"id": "b"}, {"id": "a"}]}
    assert feed("recently-viewed", account_id="x") == {"products": [{"id": "b"}]}
    assert feed("recently-added-to-cart", user_id="u1") == {"products": [{"id": "b"}]}
    assert feed("recently-purchased", user_id="u1") == {"products": [{"id": "c"}, {"id": "b"}]}
    assert feed("recently-purchased", user_id="nobody") == {"products": []}


def test_python_aliases_by_what_the_other_sdks_send(python: Any) -> None:
    """Its 2.0.0 has no alias of its own: the event goes by its transport, as its identify does."""
    python.ecommerce.product_viewed(product_id="a", user_id="old")
    event = python._build_event("Identify", {"user_id": "new"})
    event["payload"][0]["anotherUserId"] = "old"
    python._submit([event])
    assert python.recommend(feed_id="recently-viewed", fields=["id"], user_id="new") == {"products": [{"id": "a"}]}


def test_python_records_consents(python: Any, url: str, project: str) -> None:
    python.consent.grant(user_id="u1", category="mail")
    python.consent.revoke(profile_id="p1", reason="no more")
    granted, revoked = (one["consent"] for one in received(url, project, "consents"))
    assert (granted["action"], granted["userId"], granted["source"]) == ("accept", "u1", "Python tracker")
    assert (revoked["action"], revoked["profileId"], revoked["sourceId"]) == ("reject", "p1", SOURCE)


def test_python_sees_the_errors_that_it_expects(python: Any, url: str) -> None:
    sdk = pytest.importorskip("intempt")
    with pytest.raises(sdk.IntemptApiError) as unknown_feed:
        python.recommend(feed_id="000000000", fields=["id"], user_id="u1")
    assert unknown_feed.value.status == 400
    assert "Name is null" in unknown_feed.value.body
    with pytest.raises(sdk.IntemptApiError) as seconds:
        python.track("x", user_id="u1", timestamp=1_700_000_000)
    assert (seconds.value.status, seconds.value.retryable) == (400, False)
    stranger = sdk.Intempt(
        org="o", project="p", api_key="sandbox.wrong", host=url.removeprefix("http://"), scheme="http"
    )
    with stranger, pytest.raises(sdk.IntemptApiError) as wrong_key:
        stranger.track("x", user_id="u1")
    assert wrong_key.value.status == 401


def test_python_sends_buffered_events_in_their_order_and_without_a_source(url: str, project: str) -> None:
    sdk = pytest.importorskip("intempt")
    options = {"org": "acme", "project": project, "api_key": "sandbox.sandbox", "scheme": "http"}
    with sdk.Intempt(**options, host=url.removeprefix("http://"), batch={"size": 50, "flush_ms": 60_000}) as client:
        for number in range(120):
            client.track("Product viewed", user_id="u1", properties={"productId": f"p{number}"})
    shown = received(url, project)
    assert [event["productId"] for event in shown] == [f"p{number}" for number in range(120)]
    assert {event["source"] for event in shown} == {""}


# ── Node, PHP, browser: the requests that their sources make ─────────────────────────────────────────────────────────


def item(**fields: Any) -> dict[str, Any]:
    return {"eventId": f"{next(numbers)}", "timestamp": NOW, **fields}


def track(name: str, *payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"track": [{"name": name, "payload": list(payload), **more}]}


NODE_2 = {"Content-Type": "application/json", "Authorization": BASIC, "X-Intempt-Lib": "intempt-node/2.0.0"}
NODE_1 = {"Content-Type": "application/json", "User-Agent": "axios/1.7.2"}
PHP = {"Content-Type": "application/json", "Authorization": BASIC, "X-Intempt-Lib": "intempt-php/1.0.1"}
PHP_0 = {"Content-Type": "application/json", "User-Agent": "GuzzleHttp/7"}
BROWSER = {"Content-Type": "application/json", "Authorization": BASIC, "User-Agent": "Mozilla/5.0"}

SENT = [
    (NODE_2, "track", track("Signed up", item(userId="u1", data={"plan": "x"}))),
    (NODE_2, "sources/S/track", track("Identify", item(userId="u1", userAttributes={"name": "Ana"}))),
    (NODE_2, "sources/S/track", track("Identify", item(userId="u1", accountId="a", accountAttributes={"tier": "x"}))),
    (NODE_2, "sources/S/track", track("Identify", item(userId="u1", anotherUserId="u0"))),
    (NODE_2, "sources/S/track", track("Product ordered", item(userId="u1", data={"productId": "a", "quantity": 1.5}))),
    (NODE_1, "sources/S/track?KEY", track("Identify", item(profileId="p", userId="u", anotherUserId="v"))),
    (PHP, "sources/S/track", track("Merged", item(userId="u1", anotherUserId="u0"))),
    (PHP_0, "sources/S/track?KEY", track("Identify user", item(userId="u", userAttributes='{"a":1}'))),
    (PHP_0, "sources/S/track?KEY", track("Alias", item(userId="u", anotherUserId="v"))),
    (BROWSER, "sources/S/track?ip=1", track("Product viewed", {"eventId": "ev1", "profileId": "p", "sessionId": "s",
     "pageId": "g", "data": {"productId": "a"}}, type="product")),
    (BROWSER, "sources/S/track?ip=0", track("Identify", item(profileId="p", sessionId="s", userId="u1"))),
]  # fmt: skip

CONSENTS = [
    (NODE_2, {"action": "accept", "timestamp": NOW // 1000, "userId": "u1", "validUntil": "unlimited",
     "source": "NodeJs tracker"}),
    (PHP, {"action": "reject", "timestamp": NOW // 1000, "profileId": "p", "sourceId": SOURCE,
     "validUntil": "unlimited", "source": "PHP tracker"}),
    (BROWSER, {"type": "consent", "action": "accept", "sourceId": SOURCE, "profileId": "p", "source": "web",
     "validUntil": NOW}),
]  # fmt: skip


def post(url: str, project: str, headers: dict[str, str], path: str, body: dict[str, Any]) -> httpx.Response:
    quoted = str(httpx.URL(url).copy_with(path=f"/v1/acme/projects/{project}/")) + path.replace(
        "/S/", f"/{SOURCE}/"
    ).replace("KEY", KEY)
    return httpx.post(quoted, content=json.dumps(body), headers=headers)


@pytest.mark.parametrize(("headers", "path", "body"), SENT)
def test_what_the_other_sdks_track_is_taken(
    url: str, project: str, headers: dict[str, str], path: str, body: dict[str, Any]
) -> None:
    assert post(url, project, headers, path, body).status_code == 201
    (event,) = received(url, project)
    assert event["client"] == headers.get("X-Intempt-Lib", headers.get("User-Agent"))
    assert event["event"] == body["track"][0]["payload"][0]
    known = ("Identify", "Product viewed", "Product ordered")
    assert event["processed"] == (event["name"] in known)


@pytest.mark.parametrize(("headers", "body"), CONSENTS)
def test_what_the_other_sdks_record_as_consent_is_taken(
    url: str, project: str, headers: dict[str, str], body: dict[str, Any]
) -> None:
    assert post(url, project, headers, "consents/data", body).status_code == 200
    assert [one["consent"] for one in received(url, project, "consents")] == [body]


def test_what_the_other_sdks_ask_of_a_feed_is_answered(url: str, project: str) -> None:
    post(url, project, NODE_2, "sources/S/track", track("Product viewed", item(userId="u1", data={"productId": "a"})))
    body = {"id": "u1", "type": "user", "sourceId": SOURCE, "fields": ["id"], "limit": 3, "productId": "z"}
    for headers in (NODE_2, PHP):
        assert post(url, project, headers, "feeds/recently-viewed/data", body).json() == {"products": [{"id": "a"}]}


def test_a_feed_read_without_identity_is_answered_as_live_servers_answer_it(url: str, project: str) -> None:
    """Node's 1.x and the browser send a profileId that feeds never read."""
    body = {"profileId": "p", "fields": ["id"], "sourceId": SOURCE, "limit": 3}
    answer = post(url, project, NODE_1, "feeds/recently-viewed/data?apiKey=sandbox.sandbox", body)
    assert (answer.status_code, answer.json()["message"]) == (400, "Name is null")
