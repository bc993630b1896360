"""The live view: everything that reaches the sandbox, accepted or rejected, newest first, without credentials."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from intempt_core.sandbox import run_sandbox
from intempt_core.sandbox.storage.listing import EventListQuery, list_received_events
from intempt_core.sandbox.storage.live import read_kept_request
from intempt_core.sandbox.storage.projection import KEPT_BODY_BYTES, KEPT_REQUESTS
from intempt_core.sandbox.storage.store import SandboxStore, StoredRequest

SECRET = "shopprefix.9f3c51d2a7e84b60"
TRACK = "/v1/acme/projects/shop/sources/1001/track"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_sandbox(tmp_path_factory.mktemp("sandbox") / "s.sqlite3") as url:
        yield url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, auth=("sandbox", "sandbox"), trust_env=False) as client:
        client.delete("/_sandbox/events")
        yield client


def track(*events: dict[str, Any], name: str = "Product viewed") -> dict[str, Any]:
    return {"track": [{"name": name, "payload": list(events)}]}


def event(event_id: str, **fields: Any) -> dict[str, Any]:
    return {"eventId": event_id, "userId": "u1", "data": {"productId": "p1"}, **fields}


def rows(http: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    answer = http.get("/_sandbox/live", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_events_and_rejections_are_in_one_list_newest_first(http: httpx.Client) -> None:
    http.post(TRACK, json=track(event("e1"), event("e2", userId=None)), headers={"user-agent": "shop/1"})
    http.post(TRACK, json=track(event("e3")), auth=("wrong", "key"))
    http.post(TRACK, json={"tracks": []})
    http.get("/v1/acme")
    http.post("/v1/acme/projects/shop/feeds/recently-viewed/data", json={"type": "user", "id": "u1"})
    http.post(TRACK, json=track(event("e1")))
    seen = [(row["status"], row["name"].split("/")[0].strip(), row["processed"], row["because"]) for row in rows(http)]
    assert seen[0] == (
        201,
        "Product viewed",
        False,
        f"The event id “e1” was already used: repeat of event {first(http)}.",
    )
    assert seen[1][:3] == (200, "POST", None)
    assert seen[2] == (404, "GET", None, "Nothing is served at this path, by this method.")
    assert seen[3][:3] == (400, "POST", None)
    assert str(seen[3][3]).startswith("The body has no list “track”.")
    assert seen[4][:3] == (401, "POST", None)
    assert seen[5:] == [
        (201, "Product viewed", False, "No identity is given."),
        (201, "Product viewed", True, None),
    ]
    oldest = rows(http)[-1]
    assert (oldest["client"], oldest["address"], oldest["person"], oldest["identity"], oldest["product"]) == (
        "shop/1", "127.0.0.1", "u1", "userId", "p1",
    )  # fmt: skip


def first(http: httpx.Client) -> int:
    number: int = http.get("/_sandbox/events").json()["events"][0]["seq"]
    return number


def test_what_is_shown_can_be_chosen_and_searched(http: httpx.Client) -> None:
    http.post(TRACK, json=track(event("alpha"), event("beta", userId="HELGA")), headers={"user-agent": "shop/1"})
    http.post(TRACK, json=track(event("gamma", data={}), name="Added to cart"))
    http.post(TRACK, json=track(event("delta")), auth=("wrong", "key"), headers={"user-agent": "other/2"})
    http.post("/v1/acme/projects/shop/consents/data", json={"action": "accept", "userId": "u1"})

    def names(**asked: Any) -> list[str]:
        return [str(row["seq"] and row["person"]) + " " + str(row["status"]) for row in rows(http, **asked)]

    assert names(shown="events") == ["u1 201", "HELGA 201", "u1 201"]
    assert names(shown="processed") == ["HELGA 201", "u1 201"]
    assert names(shown="not processed") == ["u1 201"]
    assert names(shown="rejected") == ["None 401"]
    assert names(shown="refused") == ["None 401"]  # a link or a program of an earlier version
    assert names(shown="other calls") == ["None 200"]
    assert names(name="Added to cart") == ["u1 201"]
    assert names(text="helga") == ["HELGA 201"]
    assert names(text="OTHER/2") == ["None 401"]
    assert names(text="shop/1") == ["HELGA 201", "u1 201"]
    assert names(text="%") == []
    assert len(names(limit=2)) == 2
    assert http.get("/_sandbox/live", params={"shown": "nothing"}).status_code == 400
    assert http.get("/_sandbox/live", params={"limit": "x"}).status_code == 400
    assert http.get("/_sandbox/live", auth=("a", "b")).status_code == 401


def test_a_request_opens_as_it_came_and_holds_no_credential(http: httpx.Client) -> None:
    body = b'{"track": [{"name": "Product viewed",  "payload": [{"eventId": 12345678901234567890, "x": 1.0}]}]}'
    sent = {"content-type": "application/json", "cookie": f"k={SECRET}", "x-intempt-lib": "node/3", "x-own": "kept"}
    http.post(TRACK, content=body, headers=sent)
    wrong = {**sent, "authorization": f"Basic {SECRET}"}
    http.post(f"{TRACK}?apiKey={SECRET}&x=1", content=body, headers=wrong, auth=httpx.Auth())  # as they are
    rejected, taken = rows(http)
    assert SECRET not in http.get("/_sandbox/live").text
    kept = [http.get(f"/_sandbox/requests/{row['request']}") for row in (taken, rejected)]
    assert not any(SECRET in answer.text for answer in kept)
    good, bad = (answer.json() for answer in kept)
    assert good["body"] == body.decode()
    assert (good["status"], good["stored"], good["first"], good["events"]) == (201, True, taken["seq"], 1)
    assert (good["client"], good["method"], good["path"], good["whole"]) == ("node/3", "POST", TRACK, True)
    headers = dict(good["headers"])
    assert (headers["authorization"], headers["cookie"], headers["x-own"]) == ("(not kept)", "(not kept)", "kept")
    assert (bad["status"], bad["stored"], bad["events"]) == (401, False, 0)
    assert bad["path"] == f"{TRACK}?apiKey=(not+kept)&x=1"
    assert bad["message"].startswith("The API key is wrong.")


@pytest.mark.parametrize("name", ["apikey", "api_key", "api%4Bey", "key", "access_token", "client_secret"])
def test_a_key_under_another_name_is_not_kept_either(http: httpx.Client, name: str) -> None:
    headers = {"X-Auth-Token": SECRET, "api-key": SECRET}
    http.post(f"{TRACK}?x=1&{name}={SECRET}", json={"track": []}, headers=headers, auth=httpx.Auth())
    (row,) = rows(http)
    kept = http.get(f"/_sandbox/requests/{row['request']}")
    assert SECRET not in kept.text + http.get("/_sandbox/live").text
    assert "x=1" in kept.json()["path"]


def test_a_request_that_is_not_kept_is_a_404_with_a_sentence(http: httpx.Client) -> None:
    for number in ("999999999", "0", "x", "9" * 30):
        answer = http.get(f"/_sandbox/requests/{number}")
        assert answer.status_code == 404
        assert answer.json()["message"] == (
            "No such request is kept. The last 5,000 with the key are, and the last 1,000 without it; of older ones,"
            " their events."
        )


def test_the_last_requests_are_kept_and_long_bodies_are_cut(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")
    long = b'{"track": [], "x": "' + b"y" * (KEPT_BODY_BYTES + 1000) + b'"}'

    async def send() -> None:
        for _ in range(0, KEPT_REQUESTS + 200, 100):
            await asyncio.gather(
                *(store.add(StoredRequest(1, "o", "p", "1", "c", b'{"track": []}')) for _ in range(100))
            )
        await store.add(StoredRequest(1, "o", "p", "1", "c", long, size=len(long)))
        await store.catch_up()

    asyncio.run(send())
    ((count, longest),) = store.rows("SELECT count(*), max(length(body)) FROM requests", {})
    assert (count, longest) == (KEPT_REQUESTS, KEPT_BODY_BYTES)
    ((last,),) = store.rows("SELECT max(id) FROM requests", {})
    kept = read_kept_request(store, last)
    assert kept is not None
    assert b'"whole":false' in kept
    assert read_kept_request(store, last - KEPT_REQUESTS) is None
    store.close()


@pytest.mark.parametrize("version", [1, 2])
def test_a_database_of_an_earlier_version_goes_on(tmp_path: Path, version: int) -> None:
    file = tmp_path / "s.sqlite3"
    with sqlite3.connect(file) as old:
        old.executescript({1: VERSION_1, 2: VERSION_2}[version])
    old.close()
    store = SandboxStore(file)
    asyncio.run(store.add(StoredRequest(2, "o", "p", "1", "c", body("e3"))))
    asyncio.run(store.catch_up())
    page = list_received_events(store, EventListQuery())
    assert [id_ in page for id_ in (b'"eventId":"e1"', b'"eventId":"e2"', b'"eventId":"e3"')] == [True] * 3
    assert [row["id"] for row in store.rows("SELECT id FROM arrivals ORDER BY id", {})] == [1, 2, 3]
    indexes = store.rows("SELECT name FROM pragma_index_list('requests') ORDER BY name", {})
    assert [row["name"] for row in indexes] == ["not_stored", "request_rings"]
    kept = read_kept_request(store, 2)
    assert kept is not None
    assert b'"stored":true' in kept
    assert b'"message":""' in kept
    store.close()


def body(event_id: str) -> bytes:
    return f'{{"track":[{{"name":"Product viewed","payload":[{{"eventId":"{event_id}","userId":"u"}}]}}]}}'.encode()


VERSION_1 = """
CREATE TABLE projects (id INTEGER PRIMARY KEY, org TEXT NOT NULL, project TEXT NOT NULL, UNIQUE (org, project));
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, org TEXT NOT NULL, project TEXT NOT NULL,
    source TEXT NOT NULL, client TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE arrivals (
    id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, project INTEGER NOT NULL, source TEXT NOT NULL,
    client TEXT NOT NULL
);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, arrival INTEGER NOT NULL, project INTEGER NOT NULL, name TEXT,
    event_id TEXT, profile_id TEXT, user_id TEXT, another_user_id TEXT, account_id TEXT, product_id TEXT, time INTEGER,
    line INTEGER NOT NULL, codes TEXT NOT NULL, because TEXT NOT NULL, repeat_of INTEGER, body TEXT NOT NULL
);
INSERT INTO projects VALUES (1, 'o', 'p');
INSERT INTO arrivals VALUES (1, 1, 1, '1', 'c');
INSERT INTO events VALUES (1, 1, 1, 'Product viewed', 'e1', NULL, 'u', NULL, NULL, 'p', NULL, 0, '', '', NULL, '{}');
INSERT INTO inbox VALUES (2, 1, 'o', 'p', '1', 'c', CAST('BODY' AS BLOB));
PRAGMA user_version = 1;
""".replace("BODY", body("e2").decode())

VERSION_2 = """
CREATE TABLE projects (id INTEGER PRIMARY KEY, org TEXT NOT NULL, project TEXT NOT NULL, UNIQUE (org, project));
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, org TEXT NOT NULL, project TEXT NOT NULL,
    source TEXT NOT NULL, client TEXT NOT NULL, body BLOB NOT NULL, size INTEGER NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, address TEXT NOT NULL, headers TEXT NOT NULL, status INTEGER, told TEXT NOT NULL,
    fault TEXT NOT NULL, taken INTEGER NOT NULL, deduplicates INTEGER NOT NULL
);
CREATE INDEX untaken ON requests (id) WHERE NOT taken;
CREATE TABLE digested (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL);
INSERT INTO digested (one, upto) VALUES (1, 1);
CREATE TABLE arrivals (
    id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, project INTEGER NOT NULL, source TEXT NOT NULL,
    client TEXT NOT NULL, address TEXT NOT NULL DEFAULT '', first INTEGER, events INTEGER
);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, arrival INTEGER NOT NULL, project INTEGER NOT NULL, name TEXT,
    event_id TEXT, profile_id TEXT, user_id TEXT, another_user_id TEXT, account_id TEXT, product_id TEXT, time INTEGER,
    line INTEGER NOT NULL, codes TEXT NOT NULL, because TEXT NOT NULL, repeat_of INTEGER, body TEXT NOT NULL
);
CREATE INDEX unprocessed ON events (seq) WHERE because <> '' OR repeat_of IS NOT NULL;
INSERT INTO projects VALUES (1, 'o', 'p');
INSERT INTO requests VALUES
    (1, 1, 'o', 'p', '1', 'c', '{}', 2, 'POST', '/', '', '[]', 201, '', '', 1, 1),
    (2, 1, 'o', 'p', '1', 'c', CAST('BODY' AS BLOB), 99, 'POST', '/', '', '[]', 201, '', '', 1, 1);
INSERT INTO arrivals VALUES (1, 1, 1, '1', 'c', '', 1, 1);
INSERT INTO events VALUES (1, 1, 1, 'Product viewed', 'e1', NULL, 'u', NULL, NULL, 'p', NULL, 0, '', '', NULL, '{}');
PRAGMA user_version = 2;
""".replace("BODY", body("e2").decode())
