"""Floods: what comes without the key displaces nothing that has it, and the sandbox's database has a bound."""

import asyncio
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from intempt_core.errors import SandboxStoreUnavailable
from intempt_core.sandbox import create_sandbox_app, run_sandbox
from intempt_core.sandbox.http.received_request import KEPT_HEADER_CHARS, KEPT_PATH_CHARS
from intempt_core.sandbox.storage import projection, schema
from intempt_core.sandbox.storage import store as storing
from intempt_core.sandbox.storage.projection import KEPT_UNAUTHORIZED_REQUESTS
from intempt_core.sandbox.storage.store import MAX_WAITING_UNAUTHORIZED, SandboxStore, StoredRequest

TRACK = "/v1/acme/projects/shop/sources/1001/track"
FLOOD = 5_000
MB = 1_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "s.sqlite3"


@pytest.fixture
def http(file: Path) -> Iterator[httpx.Client]:
    """A client with the key, of a sandbox on a real port."""
    with (
        run_sandbox(file) as url,
        httpx.Client(base_url=url, auth=("sandbox", "sandbox"), trust_env=False, timeout=30) as client,
    ):
        yield client


def track(event_id: str, size: int = 0) -> dict[str, object]:
    event = {"eventId": event_id, "userId": "u1", "data": {"productId": "p1", "note": "x" * size}}
    return {"track": [{"name": "Product viewed", "payload": [event]}]}


def kept(file: Path) -> dict[str, int]:
    """How many requests are kept, by whether they had the key."""
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT authorized, count(*) FROM requests GROUP BY 1").fetchall()
    connection.close()
    return {"key": dict(rows).get(1, 0), "no key": dict(rows).get(0, 0)}


def disk_bytes(file: Path) -> int:
    return sum(one.stat().st_size for one in file.parent.glob(file.name + "*"))


ATTACKS: dict[str, tuple[str, dict[str, str], int]] = {
    "no key": (TRACK, {}, FLOOD),
    "a large head": (TRACK, {"X-Padding": "x" * 30_000}, 300),
    "a wrong key": (TRACK + "?apiKey=other.key", {}, 300),
    "another project's path": ("/v1/evil/projects/evil/sources/evil/track", {}, 300),
    "an unknown path": ("/v1/evil", {}, 300),
    "a page of another origin, with the key": (TRACK + "?apiKey=sandbox.sandbox", {"Origin": "http://evil.test"}, 300),
}
"""By name: the path, more headers, and how many requests."""


def flood(url: str, path: str, headers: dict[str, str], count: int) -> None:
    """Send so many requests without waiting for their responses one by one."""
    address = urlsplit(url)
    lines = [f"POST {path} HTTP/1.1", f"Host: {address.netloc}", "Content-Length: 0"]
    one = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()
    where = address.hostname or "", address.port or 0
    with socket.create_connection(where, timeout=30) as raw, raw.makefile("rb") as answers:
        together = 50 if len(one) < 1_000 else 1  # the server's parser holds 64 kB of what is not yet asked for
        for _ in range(0, count, together):
            raw.sendall(one * together)
            answered = 0
            while answered < together:
                line = answers.readline()
                assert line, "the sandbox closed the connection"
                answered += b"HTTP/1.1 40" in line


@pytest.mark.parametrize(
    "attack",
    [pytest.param(name, marks=() if name == "a wrong key" else pytest.mark.long) for name in ATTACKS],
)
def test_a_flood_without_the_key_displaces_nothing_that_has_it(file: Path, http: httpx.Client, attack: str) -> None:
    for number in range(50):
        assert http.post(TRACK, json=track(f"e{number}")).status_code == 201
    assert http.post(TRACK, json={"tracks": []}).status_code == 400
    before = http.get("/_sandbox/live", params={"limit": 1000}).json()["rows"]
    flood(str(http.base_url), *ATTACKS[attack])
    after = http.get("/_sandbox/live", params={"limit": 1000}).json()["rows"]
    assert [row for row in after if row["status"] in (201, 400)] == before
    assert 200 < len(after) - len(before) <= 500  # both are on the screen
    assert 0 < kept(file)["no key"] <= KEPT_UNAUTHORIZED_REQUESTS
    assert all(http.get(f"/_sandbox/requests/{row['request']}").status_code == 200 for row in before)
    assert file.stat().st_size < 20 * MB
    assert disk_bytes(file) < 100 * MB  # its log too, which is written into it at the next pause


def test_after_5_000_requests_without_the_key_every_one_with_it_is_still_there(file: Path) -> None:
    """At the store, as fast as it can be written: thrice as many as a ring holds."""
    store = SandboxStore(file)
    request = StoredRequest(1, "o", "p", "1", "", b"", status=401, message="no key", stored=False, authorized=False)
    with_key = [StoredRequest(1, "o", "p", "1", "", orjson.dumps(track(f"e{n}"))) for n in range(100)]

    async def attack() -> None:
        for number in range(FLOOD):
            store.add_nowait(request._replace(headers=orjson.dumps([["x", "y" * KEPT_HEADER_CHARS]]).decode()))
            if number % 50 == 0:
                await store.add(with_key[number // 50])
        await store.catch_up()

    asyncio.run(attack())
    store.close()
    assert kept(file) == {"key": 100, "no key": KEPT_UNAUTHORIZED_REQUESTS}
    assert disk_bytes(file) < KEPT_UNAUTHORIZED_REQUESTS * 3 * KEPT_HEADER_CHARS


def test_those_with_the_key_have_their_own_bound_and_displace_no_rejection(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "KEPT_REQUESTS", 20)
    monkeypatch.setattr(projection, "KEPT_UNAUTHORIZED_REQUESTS", 5)
    store = SandboxStore(file)
    no_key = StoredRequest(1, "", "", "", "", b"", status=401, message="no key", stored=False, authorized=False)

    async def send() -> None:
        for number in range(60):
            await store.add(StoredRequest(1, "o", "p", "1", "", orjson.dumps(track(f"e{number}"))))
            store.add_nowait(no_key)
        await store.catch_up()

    asyncio.run(send())
    assert kept(file) == {"key": 20, "no key": 5}
    (events,) = store.rows("SELECT count(*) FROM events", {})
    assert events[0] == 60  # only the requests as they came are forgotten
    store.close()


def test_a_queue_that_grows_takes_no_more_requests_without_the_key(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SandboxStore(file)
    no_key = StoredRequest(1, "", "", "", "", b"", status=401, stored=False, authorized=False)
    monkeypatch.setattr(SandboxStore, "_run_writer", lambda _: None)  # a writer that does not keep up
    for _ in range(3 * MAX_WAITING_UNAUTHORIZED):
        store.add_nowait(no_key)
    assert store._jobs.qsize() == MAX_WAITING_UNAUTHORIZED


def test_of_a_large_head_a_part_is_kept(file: Path, http: httpx.Client) -> None:
    head = {"X-A": "a" * 20_000, "X-B": "b" * 20_000, "User-Agent": "u" * 5_000}
    assert http.post("/v1/" + "p" * 10_000, headers=head).status_code == 404
    (row,) = http.get("/_sandbox/live").json()["rows"]
    found = http.get(f"/_sandbox/requests/{row['request']}").json()
    assert sum(len(name) + len(value) for name, value in found["headers"]) <= KEPT_HEADER_CHARS + 10
    assert len(found["path"]) == KEPT_PATH_CHARS + 1
    assert found["client"] == "u" * 500 + "…"


# ── the disk ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_with_the_key_stops_at_the_bound_and_emptying_gives_the_disk_back(file: Path) -> None:
    bound = 20 * MB
    made = create_sandbox_app(file, max_store_bytes=bound)

    async def flood() -> None:
        transport = httpx.ASGITransport(made)
        async with httpx.AsyncClient(transport=transport, base_url="http://t", auth=("sandbox", "sandbox")) as http:
            statuses, peak = [], 0
            for number in range(200):
                answer = await http.post(TRACK, json=track(f"e{number}", MB // 2))
                statuses.append(answer.status_code)
                peak = max(peak, disk_bytes(file))
                if statuses[-3:] == [503] * 3:
                    break
            assert statuses[0] == 201
            assert answer.json()["message"] == (
                "The sandbox cannot use its database: it holds the 20 MB that CONSOLE_SANDBOX_MB allows; empty it on"
                " the Sandbox screen, or by DELETE /_sandbox/events. Nothing was stored."
            )
            consent = await http.post("/v1/o/projects/p/consents/data", json={"action": "accept", "userId": "u1"})
            assert consent.status_code == 503
            taken = statuses.count(201)
            assert (await http.get("/_sandbox/events", params={"limit": 1})).json()["count"] == taken
            assert peak < 2.5 * bound  # a request, its events and the log of both
            assert (await http.delete("/_sandbox/events")).json() == {"deleted": taken}
            assert disk_bytes(file) < MB
            assert (await http.post(TRACK, json=track("again"))).status_code == 201

    asyncio.run(flood())
    made.state.store.close()


def test_a_disk_that_is_nearly_full_is_left_to_others(file: Path) -> None:
    store = SandboxStore(file, free_bytes=lambda _: storing.RESERVED_DISK_BYTES - 1)
    with pytest.raises(SandboxStoreUnavailable, match="its disk has less than 64 MB left"):
        asyncio.run(store.add(StoredRequest(1, "o", "p", "1", "", orjson.dumps(track("e1")))))
    with pytest.raises(SandboxStoreUnavailable, match="less than 64 MB"):
        store.add_consent(1, "o", "p", "{}")
    store.close()


def test_rings_of_earlier_databases_are_told_apart_by_the_status(file: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    earlier = schema.SANDBOX_TABLES.replace(", authorized INTEGER NOT NULL DEFAULT 1", "")
    for statement in earlier.split(";")[:-1]:
        if "request_rings" not in statement:
            connection.execute(statement)
    connection.execute("PRAGMA user_version = 3")
    for status, fault, stored in ((201, "", 1), (401, "", 0), (401, "status 401", 0), (404, "", 0), (400, "", 0)):
        connection.execute(
            "INSERT INTO requests (received_at, org, project, source, client, body, size, method, path, address,"
            " headers, status, message, fault, stored, deduplicates) VALUES (1, 'o', 'p', '', '', x'', 0, 'POST', '',"
            " '', '[]', ?, '', ?, ?, 1)",
            (status, fault, stored),
        )
    connection.close()
    store = SandboxStore(file)
    rows = store.rows("SELECT status, fault, authorized FROM requests ORDER BY id", {})
    assert [tuple(row) for row in rows] == [
        (201, "", 1), (401, "", 0), (401, "status 401", 1), (404, "", 0), (400, "", 1),
    ]  # fmt: skip
    store.close()
