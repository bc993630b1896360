"""The sandbox over real HTTP: what it takes, what it refuses, and what it shows of what it took (CONTRACT 1–6)."""

import asyncio
import socket
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from intempt_core.contract.feeds import FEEDS, Interaction, compute_feeds
from intempt_core.contract.fields import EventName
from intempt_core.sandbox import MAX_BODY_BYTES, create_sandbox_app, run_sandbox
from tests.examples import scale_examples

SOURCE = "1841503112918048768"
numbers = count(1)


class Shop:
    """One project of the sandbox, used by one test."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.name = f"shop{next(numbers)}"
        self.base = f"/v1/acme/projects/{self.name}"

    def track(self, *groups: tuple[Any, list[Any]], source: str | None = SOURCE) -> httpx.Response:
        place = f"/sources/{source}" if source else ""
        body = {"track": [{"name": name, "payload": payload} for name, payload in groups]}
        return self.http.post(f"{self.base}{place}/track", json=body)

    def sent(self, *groups: tuple[Any, list[Any]], source: str | None = SOURCE) -> None:
        answer = self.track(*groups, source=source)
        assert (answer.status_code, answer.json()) == (201, {})

    def feed(self, feed: str = "recently-viewed", kind: str = "user", person: str = "u1", **more: Any) -> list[str]:
        body = {"type": kind, "id": person, "fields": ["id"], **more}
        answer = self.http.post(f"{self.base}/feeds/{feed}/data", json=body)
        assert answer.status_code == 200, answer.text
        return [product["id"] for product in answer.json()["products"]]

    @property
    def events(self) -> list[dict[str, Any]]:
        page = self.http.get("/_sandbox/events", params={"limit": 100_000}).json()
        return [event for event in page["events"] if event["project"] == self.name]

    @property
    def processed(self) -> list[bool]:
        return [event["processed"] for event in self.events]


@pytest.fixture
def shop(http: httpx.Client) -> Shop:
    return Shop(http)


def event(event_id: str, product: str = "p1", **fields: Any) -> dict[str, Any]:
    user = {} if fields.get("profileId") else {"userId": "u1"}
    return {"eventId": event_id, **user, "data": {"productId": product}, **fields}


def viewed(*payload: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    return ("Product viewed", list(payload))


# ── taking events ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_taken_and_shown_with_all_that_names_it(shop: Shop) -> None:
    ids = {"profileId": "12", "userId": "u1", "anotherUserId": "u0", "accountId": "a1"}
    sent = {"eventId": "e1", **ids, "timestamp": 1_700_000_000_000, "data": {"productId": "p1", "price": 12.50}}
    shop.sent(viewed(sent))
    (shown,) = shop.events
    assert shown.pop("received_at") > 1_700_000_000_000
    assert shown.pop("seq") > 0
    assert shown.pop("request") > 0
    assert shown.pop("client").startswith("python-httpx/")
    assert shown == {
        "org": "acme", "project": shop.name, "source": SOURCE, "name": "Product viewed", "eventId": "e1", **ids,
        "productId": "p1", "timestamp": 1_700_000_000_000, "processed": True, "because": None, "repeat_of": None,
        "codes": [],
        "event": sent,
    }  # fmt: skip


def test_percent_encoded_segments_are_whole(http: httpx.Client) -> None:
    org, project, source = "a/b ü%", "p/../q", "1/2"
    path = "/".join(quote(part, safe="") for part in ("v1", org, "projects", project, "sources", source, "track"))
    assert http.post(f"/{path}", json={"track": [{"name": "x", "payload": [{}]}]}).status_code == 201
    shown = http.get("/_sandbox/events", params={"name": "x"}).json()["events"][-1]
    assert (shown["org"], shown["project"], shown["source"]) == (org, project, source)


def test_without_a_source_the_shorter_path_is_taken(shop: Shop) -> None:
    shop.sent(viewed(event("e1")), source=None)
    assert [shown["source"] for shown in shop.events] == [""]
    assert shop.feed() == ["p1"]


def test_groups_keep_their_order_and_a_name_may_come_twice(shop: Shop) -> None:
    shop.sent(viewed(event("1", "a")), ("Added to cart", [event("2", "b")]), viewed(event("3", "c"), event("4", "d")))
    assert [shown["productId"] for shown in shop.events] == ["a", "b", "c", "d"]
    assert shop.feed() == ["d", "c", "a"]


def test_incomplete_and_unnamed_events_are_taken_and_say_why_they_are_not_processed(shop: Shop) -> None:
    shop.sent(
        viewed({"eventId": "1", "userId": "u1", "data": {}}), ("Signed up", [event("2")]), ("Product viewed", [7])
    )
    assert [shown["because"] for shown in shop.events] == [
        "The product id is missing.", "The event name is “Signed up”.", "The event is “7”.",
    ]  # fmt: skip
    assert shop.processed == [False, False, False]
    assert shop.feed() == []


def test_lone_surrogates_and_very_long_numbers_are_taken(shop: Shop) -> None:
    body = (
        b'{"track":[{"name":"Product viewed","payload":[{"eventId":"\\ud800","userId":%s,"data":{"productId":"p"}}]}]}'
    )
    answer = shop.http.post(
        f"{shop.base}/track", content=body % (b"9" * 40), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 201
    assert [(shown["eventId"], shown["userId"]) for shown in shop.events] == [("\\ud800", "9" * 40)]
    assert shop.feed(person="9" * 40) == ["p"]


def test_a_large_body_is_read_too(shop: Shop) -> None:
    shop.sent(viewed(*(event(f"e{number}", f"p{number}", more="x" * 200) for number in range(1_000))))
    assert len(shop.events) == 1_000
    assert shop.feed(limit=2) == ["p999", "p998"]


# ── refusing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", [None, ("sandbox", "wrong"), ("", ""), ("sandböx", "sandbox")])
@pytest.mark.parametrize("path", ["track", "feeds/recently-viewed/data", "consents/data"])
def test_a_missing_or_wrong_key_is_401(http: httpx.Client, key: tuple[str, str] | None, path: str) -> None:
    with httpx.Client(base_url=http.base_url, trust_env=False) as stranger:
        answer = stranger.post(f"/v1/a/projects/b/{path}", json={"track": []}, auth=key or httpx.USE_CLIENT_DEFAULT)
    assert answer.status_code == 401
    assert answer.json()["message"].startswith("The API key is")
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "header", ["Basic !!!", "Bearer sandbox.sandbox", "Basic", "Basic c2FuZGJveA==", "Basic /////w=="]
)
def test_an_authorization_that_is_no_key_is_401(http: httpx.Client, header: str) -> None:
    with httpx.Client(base_url=http.base_url, trust_env=False) as stranger:
        assert stranger.get("/_sandbox/events", headers={"authorization": header}).status_code == 401


def test_the_key_may_stand_in_the_query(http: httpx.Client, shop: Shop) -> None:
    with httpx.Client(base_url=http.base_url, trust_env=False) as stranger:
        for key, status in (("sandbox.sandbox", 201), ("sandbox.wrong", 401), ("", 401)):
            assert stranger.post(f"{shop.base}/track?apiKey={key}", json={"track": []}).status_code == status


@pytest.mark.parametrize(("content", "says"), [(b"[]", "a list"), (b"{}", "no list “track”"), (b"{", "no JSON")])
def test_what_is_no_track_request_is_400_with_a_sentence(shop: Shop, content: bytes, says: str) -> None:
    answer = shop.http.post(f"{shop.base}/track", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert says in answer.json()["message"]


def test_a_time_before_2010_rejects_everything_in_the_request(shop: Shop) -> None:
    answer = shop.track(viewed(event("e1"), event("e2", timestamp=1_664_582_400)))
    assert answer.status_code == 400
    assert "track[0].payload[1].timestamp" in answer.json()["message"]
    assert shop.events == []


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_write_that_is_not_declared_as_json_is_415(shop: Shop, kind: str) -> None:
    answer = shop.http.post(
        f"{shop.base}/track", content=b'{"track":[]}', headers={"content-type": kind} if kind else {}
    )
    assert answer.status_code == 415
    assert "application/json" in answer.json()["message"]


def test_json_with_a_charset_is_json_and_a_packed_body_is_not(shop: Shop) -> None:
    kind = {"content-type": "application/json; charset=UTF-8"}
    assert shop.http.post(f"{shop.base}/track", content=b'{"track":[]}', headers=kind).status_code == 201
    packed = kind | {"content-encoding": "gzip"}
    assert shop.http.post(f"{shop.base}/track", content=b"", headers=packed).status_code == 415


def test_a_page_of_another_origin_may_not_write_and_one_of_this_host_may(http: httpx.Client, shop: Shop) -> None:
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{(http.base_url.port or 0) + 1}"):
        assert http.post(f"{shop.base}/track", json={"track": []}, headers={"origin": origin}).status_code == 403
        assert http.delete("/_sandbox/events", headers={"origin": origin}).status_code == 403
    own = {"origin": str(http.base_url).rstrip("/")}
    assert http.post(f"{shop.base}/track", json={"track": []}, headers=own).status_code == 201


def test_another_host_name_is_turned_away(http: httpx.Client) -> None:
    assert http.get("/_sandbox/events", headers={"host": "rebound.example"}).status_code == 400
    assert http.get("/_sandbox/events", headers={"host": "[::1]:8501"}).status_code == 200
    assert http.get("/_sandbox/events").headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_413(shop: Shop, chunked: bool) -> None:
    body = b'{"track":[]}' + b" " * MAX_BODY_BYTES
    content = iter([body[:1_000_000]] * 11) if chunked else body
    answer = shop.http.post(f"{shop.base}/track", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "10,000,000 bytes" in answer.json()["message"]


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/a/projects/b", "/v1/a/projects/b/track/", "/v1/a/projects//track", "/a/b"]
)
def test_any_other_path_is_404(http: httpx.Client, path: str) -> None:
    answer = http.post(path, json={"track": []})
    assert answer.status_code == 404
    assert answer.json()["message"] == "Nothing is served at this path."


def test_any_other_method_is_405(shop: Shop) -> None:
    answer = shop.http.get(f"{shop.base}/track")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["message"] == "GET is not taken here."
    assert shop.http.put("/_sandbox/events").status_code == 405


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing_behind(http: httpx.Client, shop: Shop) -> None:
    with socket.create_connection((http.base_url.host, http.base_url.port or 0)) as connection:
        head = f"POST {shop.base}/track?apiKey=sandbox.sandbox HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert shop.events == []


# ── repeats ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_repeat_is_stored_and_not_processed_and_says_of_what(shop: Shop) -> None:
    shop.sent(viewed(event("e1", "a")))
    shop.sent(viewed(event("e2", "b"), event("e1", "c")), source="another")
    first, _, repeat = shop.events
    assert shop.processed == [True, True, False]
    assert repeat["because"] == f"The event id “e1” was already used: repeat of event {first['seq']}."
    assert repeat["codes"] == ["event_id_repeated"]
    assert shop.feed() == ["b", "a"]


def test_a_resend_changes_nothing(shop: Shop) -> None:
    groups = [viewed(event("1", "a"), event("2", "b")), ("Product ordered", [event("o", "a"), event("o", "b")])]
    shop.sent(*groups)
    before = {feed: shop.feed(feed) for feed in FEEDS}
    shop.sent(*groups)
    assert shop.processed == [True] * 4 + [False] * 4
    assert {feed: shop.feed(feed) for feed in FEEDS} == before


def test_an_event_id_is_free_again_where_its_first_event_had_an_error(shop: Shop) -> None:
    shop.sent(viewed({"eventId": "e1", "userId": "u1"}, event("e1", "a"), event("e1", "b")))
    assert shop.processed == [False, True, False]


def test_another_project_has_event_ids_of_its_own(http: httpx.Client) -> None:
    for shop in (Shop(http), Shop(http)):
        shop.sent(viewed(event("e1")))
        assert shop.processed == [True]


def test_lines_of_one_order_share_an_event_id_and_only_they(shop: Shop) -> None:
    shop.sent(("Product ordered", [event("o", "a"), event("o", "b"), event("o", "a")]))
    shop.sent(viewed(event("o", "c")), ("Product ordered", [event("o", "d")]))
    assert shop.processed == [True, True, False, False, False]
    assert shop.feed("recently-purchased") == ["b", "a"]


def test_an_order_of_one_line_is_not_processed_again_as_part_of_a_longer_one(shop: Shop) -> None:
    shop.sent(("Product ordered", [event("o", "a")]))
    shop.sent(("Product ordered", [event("o", "a"), event("o", "b")]))
    assert shop.processed == [True, False, True]


# ── who is who, and feeds ────────────────────────────────────────────────────────────────────────────────────────────


def alias(number: str, user: str, another: str, name: str = "Identify") -> tuple[str, list[dict[str, Any]]]:
    return (name, [{"eventId": number, "userId": user, "anotherUserId": another}])


@pytest.mark.parametrize("name", ["Identify", "Alias", "Merged in shop"])
def test_an_alias_makes_two_ids_one_person_both_ways_and_for_earlier_events_too(shop: Shop, name: str) -> None:
    shop.sent(viewed(event("1", "a", userId="new"), event("2", "b", userId="old")))
    assert (shop.feed(person="new"), shop.feed(person="old")) == (["a"], ["b"])
    shop.sent(alias("3", "new", "old", name))
    shop.sent(viewed(event("4", "c", userId="old"), event("5", "d", userId="new")))
    assert shop.feed(person="new") == shop.feed(person="old") == ["d", "c", "b", "a"]


def test_aliases_are_followed_from_one_to_the_next(shop: Shop) -> None:
    shop.sent(viewed(event("1", "a", userId="u1")), alias("2", "u2", "u1"), alias("3", "u3", "u2"))
    assert shop.feed(person="u3") == ["a"]


def test_an_event_that_names_two_ids_makes_them_one_person(shop: Shop) -> None:
    shop.sent(viewed(event("1", "a", profileId="p")))
    shop.sent(("Identify", [{"eventId": "2", "profileId": "p", "userId": "u1", "userAttributes": {"plan": "x"}}]))
    assert shop.feed() == ["a"]
    assert shop.feed(kind="profile", person="p", sourceId=SOURCE) == ["a"]


def test_a_profile_belongs_to_its_source(shop: Shop) -> None:
    shop.sent(viewed(event("1", "a", profileId="p")), source="1")
    shop.sent(viewed(event("2", "b", profileId="p")), source="2")
    assert shop.feed(kind="PROFILE", person="p", sourceId="1") == ["a"]
    assert shop.feed(kind="profile", person="p", sourceId=2) == ["b"]


def test_no_feed_is_readable_by_another_user_id(shop: Shop) -> None:
    shop.sent(viewed({"eventId": "1", "anotherUserId": "x", "data": {"productId": "a"}}))
    assert shop.processed == [True]
    assert shop.feed(person="x") == []
    shop.sent(alias("2", "u1", "x"))
    assert shop.feed(person="x") == shop.feed() == ["a"]


def test_placeholders_link_no_events_and_can_be_read_by_themselves(shop: Shop) -> None:
    shop.sent(
        viewed(event("1", "a", profileId="p", userId="anonymous"), event("2", "b", profileId="q", userId="anonymous"))
    )
    assert shop.feed(kind="profile", person="p", sourceId=SOURCE) == ["a"]
    assert shop.feed(person="anonymous") == ["b", "a"]


def test_an_account_links_no_events_and_has_a_feed_of_its_own(shop: Shop) -> None:
    shop.sent(viewed(event("1", "a", userId="u1", accountId="x"), event("2", "b", userId="u2", accountId="x")))
    assert shop.feed(kind="Account", person="x") == ["b", "a"]
    assert shop.feed(person="u1") == ["a"]


def test_a_repeat_or_a_broken_identify_links_no_ids(shop: Shop) -> None:
    shop.sent(
        viewed(event("1", "a", userId="u1")), ("Identify", [{"eventId": "1", "userId": "u2", "anotherUserId": "u1"}])
    )
    shop.sent(("Identify", [{"userId": "u2", "anotherUserId": "u1"}]))
    assert shop.processed == [True, False, False]
    assert shop.feed(person="u2") == []


def test_a_removed_product_leaves_the_cart_feed_and_comes_back_with_an_add(shop: Shop) -> None:
    shop.sent(("Added to cart", [event("1", "a"), event("2", "b")]), ("Removed from cart", [event("3", "a")]))
    assert shop.feed("recently-added-to-cart") == ["b"]
    shop.sent(("Product ordered", [event("4", "b")]), ("Added to cart", [event("5", "a")]))
    assert shop.feed("recently-added-to-cart") == ["a", "b"]


@settings(max_examples=scale_examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(list(EventName)), st.sampled_from("abc")), max_size=12), st.integers(1, 4))
def test_feeds_over_the_wire_are_the_feeds_of_the_same_events(
    http: httpx.Client, done: list[tuple[EventName, str]], requests: int
) -> None:
    shop = Shop(http)
    groups = [(name.value, [event(f"e{number}", product)]) for number, (name, product) in enumerate(done)]
    for start in range(0, len(groups), requests):
        shop.sent(*groups[start : start + requests])
    expected = compute_feeds(Interaction(name, product) for name, product in done)
    assert {feed: shop.feed(feed) for feed in FEEDS} == expected


def test_limit_offset_and_fields_choose_what_is_answered(shop: Shop) -> None:
    shop.sent(viewed(*(event(str(number), f"p{number}") for number in range(5))))
    assert shop.feed(limit=2) == ["p4", "p3"]
    assert shop.feed(limit=2, offset=3) == ["p1", "p0"]
    assert shop.feed(offset=9) == []
    body = {"type": "user", "id": "u1", "limit": 1}
    for fields, products in ((["title"], [{}]), (["id", "title"], [{"id": "p4"}]), (None, [{"id": "p4"}])):
        answer = shop.http.post(f"{shop.base}/feeds/recently-viewed/data", json={**body, "fields": fields})
        assert answer.json() == {"products": products}


@pytest.mark.parametrize(
    ("feed", "body", "says"),
    [
        ("000000000", {"type": "user", "id": "u"}, "Name is null"),
        ("recently-viewed", {"profileId": "p", "sourceId": "1", "fields": ["id"]}, "Name is null"),
        ("recently-viewed", {"type": "user"}, "Name is null"),
        ("recently-viewed", {"type": "anotherUser", "id": "u"}, "The type is not one of user, profile, account."),
        ("recently-viewed", {"type": ["user"], "id": "u"}, "The type is not one of user, profile, account."),
        ("recently-viewed", {"type": "profile", "id": "p"}, "needs the sourceId"),
        ("recently-viewed", {"type": "user", "id": "u", "fields": "id"}, "The fields are no list of names."),
        ("recently-viewed", {"type": "user", "id": "u", "limit": 0}, "The limit is no whole number from 1."),
        ("recently-viewed", {"type": "user", "id": "u", "offset": -1}, "The offset is no whole number from 0."),
        ("recently-viewed", {"type": "user", "id": "u", "limit": True}, "The limit is no whole number from 1."),
        ("recently-viewed", [], "a list, not a JSON object"),
    ],
)
def test_a_feed_read_that_cannot_be_answered_is_400(shop: Shop, feed: str, body: Any, says: str) -> None:
    answer = shop.http.post(f"{shop.base}/feeds/{feed}/data", json=body)
    assert answer.status_code == 400
    assert says in answer.json()["message"]


def test_an_unknown_project_has_empty_feeds(shop: Shop) -> None:
    assert shop.feed() == []


# ── consents ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_consent_is_taken_and_shown(shop: Shop) -> None:
    consent = {
        "action": "accept",
        "timestamp": 1_700_000_000,
        "userId": "u1",
        "category": "mail",
        "validUntil": "unlimited",
    }
    answer = shop.http.post(f"{shop.base}/consents/data", json=consent)
    assert (answer.status_code, answer.json()) == (200, {})
    shown = shop.http.get("/_sandbox/consents").json()["consents"][-1]
    assert (shown["project"], shown["consent"]) == (shop.name, consent)
    assert shop.events == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"userId": "u"}, "neither accept nor reject"),
        ({"action": ["accept"], "userId": "u"}, "neither accept nor reject"),
        ({"action": "accept"}, "The identity is missing"),
        ({"action": "reject", "profileId": "p"}, "needs the sourceId"),
        ({"action": "accept", "userId": "u", "timestamp": "now"}, "no number of seconds"),
        ({"action": "accept", "userId": "u", "timestamp": True}, "no number of seconds"),
        ({"action": "accept", "userId": "u", "timestamp": 1_262_303_999}, "before 2010-01-01"),
    ],
)
def test_a_consent_that_says_too_little_is_400(shop: Shop, body: dict[str, Any], says: str) -> None:
    answer = shop.http.post(f"{shop.base}/consents/data", json=body)
    assert answer.status_code == 400
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    "more", [{"userId": "u"}, {"profileId": "p", "sourceId": SOURCE}, {"profileId": "p", "userId": "u"}]
)
def test_a_consent_names_a_user_or_a_profile_of_a_source(shop: Shop, more: dict[str, str]) -> None:
    assert shop.http.post(f"{shop.base}/consents/data", json={"action": "reject", **more}).status_code == 200


# ── what it tells about itself ───────────────────────────────────────────────────────────────────────────────────────


def test_the_list_is_counted_filtered_and_paged(tmp_path: Path) -> None:
    with run_sandbox(tmp_path / "s.sqlite3") as url, httpx.Client(base_url=url, auth=("sandbox", "sandbox")) as http:
        shop = Shop(http)
        shop.sent(viewed(*(event(str(number), userId=f"u{number % 2}") for number in range(5)), event("0")))
        shop.sent(("Added to cart", [event("a"), {}]))

        def listed(**params: Any) -> tuple[int, int, list[int], int | None]:
            page = http.get("/_sandbox/events", params=params).json()
            return page["count"], page["processed"], [shown["seq"] for shown in page["events"]], page["next"]

        assert listed() == (8, 6, [1, 2, 3, 4, 5, 6, 7, 8], None)
        assert listed(limit=3) == (8, 6, [1, 2, 3], 3)
        assert listed(limit=3, after=3) == (8, 6, [4, 5, 6], 6)
        assert listed(limit=3, after=6) == (8, 6, [7, 8], None)
        assert listed(limit=0) == (8, 6, [], None)
        assert listed(name="Added to cart") == (2, 1, [7, 8], None)
        assert listed(person="u0") == (3, 3, [1, 3, 5], None)
        assert listed(person="u1", name="Product viewed", limit=1) == (3, 2, [2], 2)
        assert http.get("/_sandbox/events", params={"limit": "-1"}).status_code == 400
        assert http.get("/_sandbox/events", params={"after": "x"}).status_code == 400

        assert http.delete("/_sandbox/events").json() == {"deleted": 8}
        assert listed() == (0, 0, [], None)
        shop.sent(viewed(event("0")))
        assert listed(after=8) == (1, 1, [9], None)


def test_the_sender_is_known_by_its_library_or_its_user_agent(shop: Shop) -> None:
    library = {"x-intempt-lib": "intempt-node/2.0.0", "user-agent": "node"}
    for headers in (library, {"user-agent": "curl/8"}, {"user-agent": ""}):
        shop.http.post(f"{shop.base}/track", json={"track": [{"name": "x", "payload": [{}]}]}, headers=headers)
    assert [shown["client"] for shown in shop.events] == ["intempt-node/2.0.0", "curl/8", ""]


def test_mounted_it_serves_the_same_paths_below_its_place(tmp_path: Path) -> None:
    async def talk() -> None:
        sandbox = create_sandbox_app(tmp_path / "s.sqlite3", latency_ms=1, clock=lambda: 1_234)
        console = Starlette(routes=[Mount("/sandbox", sandbox)])
        transport = httpx.ASGITransport(console)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://t/sandbox", auth=("sandbox", "sandbox")
        ) as http:
            body = {"track": [{"name": "Product viewed", "payload": [event("e1")]}]}
            path = f"v1/a%2Fb/projects/p/sources/{SOURCE}/track"
            assert (await http.post(path, json=body)).status_code == 201
            (shown,) = (await http.get("_sandbox/events")).json()["events"]
            assert (shown["org"], shown["received_at"]) == ("a/b", 1_234)
            feed = await http.post("v1/a%2Fb/projects/p/feeds/recently-viewed/data", json={"type": "user", "id": "u1"})
            assert feed.json() == {"products": [{"id": "p1"}]}
            assert (await http.post("v1/a/b/projects/p/track", json=body)).status_code == 404
        sandbox.state.store.close()

    asyncio.run(talk())


def test_a_time_that_no_database_has_a_number_for_harms_nothing(shop: Shop) -> None:
    for time in (-1e30, -(10**40)):
        answer = shop.http.post(f"{shop.base}/track", json={"track": [{"name": "x", "timestamp": time}]})
        assert answer.status_code == 201
    assert [shown["timestamp"] for shown in shop.events] == [None, None]


def test_an_origin_that_is_no_address_is_rejected(shop: Shop) -> None:
    headers = {"Origin": "http://[bad"}
    assert shop.http.post(f"{shop.base}/track", json={"track": []}, headers=headers).status_code == 403


def test_a_key_that_is_half_a_character_is_no_error_of_the_server(shop: Shop) -> None:
    body = rb'{"track":[{"name":"Identify","payload":[{"eventId":"s","userId":"u","k\ud800":1}]}]}'
    answer = shop.http.post(f"{shop.base}/track", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (201, 400)
    assert len(shop.events) == (answer.status_code == 201)


def test_a_consent_nested_a_thousand_deep_is_rejected_and_what_json_cannot_say_is_null(shop: Shop) -> None:
    deep = b'{"action":"accept","userId":"u","x":' + b"[" * 980 + b"]" * 980 + b"}"
    headers = {"Content-Type": "application/json"}
    assert shop.http.post(f"{shop.base}/consents/data", content=deep, headers=headers).status_code in (200, 400)
    body = rb'{"track":[{"name":"Product viewed","payload":[{"eventId":"e","data":{"x":1e400,"y":"\ud800"}}]}]}'
    assert shop.http.post(f"{shop.base}/track", content=body, headers=headers).status_code in (201, 400)
    listed = shop.http.get("/_sandbox/events", params={"limit": 100_000}).content
    assert b"Infinity" not in listed
