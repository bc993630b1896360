"""The sandbox and large requests: few are in memory at once, none is lost, and all come in their order."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pytest

from intempt_core.sandbox import create_sandbox_app
from intempt_core.sandbox.http.body_limits import SMALL_BODY_BYTES, BodyLimiter
from intempt_core.sandbox.storage import store as storing
from intempt_core.sandbox.storage.listing import EventListQuery, list_received_events
from intempt_core.sandbox.storage.projection import (
    KEPT_BODY_BYTES,
    PROJECTION_MAX_BYTES,
    PROJECTION_MAX_REQUESTS,
    insert_block,
    update_projection,
)
from intempt_core.sandbox.storage.schema import prepare_sandbox_database
from intempt_core.sandbox.storage.store import MAX_BACKLOG, SandboxStore, StoredRequest

PATH = "/v1/o/projects/p/track"
MB = 1_000_000


def body(event_id: str, size: int = 0) -> bytes:
    event = {"eventId": event_id, "userId": "u1", "data": {"productId": "a", "note": "x" * size}}
    return orjson.dumps({"track": [{"name": "Product viewed", "payload": [event]}]})


def store_unprojected(file: Path, *bodies: bytes) -> None:
    """Make a database as a killed sandbox leaves it: requests that are stored and not projected."""
    connection = sqlite3.connect(file, isolation_level=None)
    prepare_sandbox_database(connection)
    for one in bodies:
        insert_block(
            connection,
            "INSERT INTO requests (received_at, org, project, source, client, body, size, method, path, address,"
            " headers, status, message, fault, stored, deduplicates)",
            [(1, "o", "p", "1", "", one, len(one), "POST", "", "", "[]", 201, "", "", True, True)],
        )
    connection.close()


def seen(store: SandboxStore) -> list[str]:
    page = orjson.loads(list_received_events(store, EventListQuery(limit=1_000_000)))
    return [event["eventId"] for event in page["events"]]


def test_an_update_takes_no_more_bytes_than_its_bound_and_always_one_request(tmp_path: Path) -> None:
    large = [body("0", 12 * MB), *(body(str(number), 3 * MB) for number in range(1, 6))]
    small = [body(str(number)) for number in range(6, 6 + PROJECTION_MAX_REQUESTS)]
    store_unprojected(tmp_path / "s.sqlite3", *large, *small)
    connection = sqlite3.connect(tmp_path / "s.sqlite3", isolation_level=None)
    done = [update_projection(connection, set(), {}) for _ in range(5)]
    connection.close()
    assert max(map(len, large[1:])) * 3 < PROJECTION_MAX_BYTES < min(map(len, large[1:])) * 4
    # The oldest is larger than all that is allowed; the last of the large ones leave space for small ones.
    assert [one.request_count for one in done] == [1, 3, PROJECTION_MAX_REQUESTS, 2, 0]
    assert [one.has_more for one in done] == [True, True, True, False, False]
    assert [one.upto for one in done] == [1, 4, 68, 70, 70]
    assert seen(SandboxStore(tmp_path / "s.sqlite3")) == [str(number) for number in range(70)]


def test_a_full_update_after_which_nothing_remains_says_so(tmp_path: Path) -> None:
    store_unprojected(tmp_path / "s.sqlite3", *(body(str(number)) for number in range(PROJECTION_MAX_REQUESTS)))
    connection = sqlite3.connect(tmp_path / "s.sqlite3", isolation_level=None)
    done = update_projection(connection, set(), {})
    assert done[:3] == (PROJECTION_MAX_REQUESTS, PROJECTION_MAX_REQUESTS, False)
    connection.close()


def test_what_a_killed_sandbox_stored_is_all_projected_for_a_query(tmp_path: Path) -> None:
    store_unprojected(tmp_path / "s.sqlite3", *(body(str(number), 4 * MB) for number in range(7)))
    store = SandboxStore(tmp_path / "s.sqlite3")
    asyncio.run(store.catch_up())
    assert seen(store) == [str(number) for number in range(7)]
    store.close()


def test_large_requests_are_all_projected_by_themselves_and_in_their_order(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")
    bodies = [body(str(number), 4 * MB) for number in range(7)]

    async def send() -> None:
        await asyncio.gather(*(store.add(StoredRequest(1, "o", "p", "1", "", one, size=len(one))) for one in bodies))

    asyncio.run(send())
    for _ in range(200):
        if len(seen(store)) == len(bodies):
            break
        threading.Event().wait(0.05)
    assert seen(store) == [str(number) for number in range(7)]
    store.close()


def test_a_backlog_that_takes_several_turns_is_projected_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "PROJECTION_TURN_SECONDS", 0.0)
    numbers = range(MAX_BACKLOG * 4)
    store_unprojected(tmp_path / "s.sqlite3", *(body(str(number)) for number in numbers))
    store = SandboxStore(tmp_path / "s.sqlite3")
    asyncio.run(store.add(StoredRequest(1, "o", "p", "1", "", body("last"))))
    asyncio.run(store.catch_up())
    assert seen(store) == [*map(str, numbers), "last"]
    store.close()


def post(file: Path, limiter: BodyLimiter, *contents: bytes | AsyncIterator[bytes]) -> list[httpx.Response]:
    """The responses to bodies that come at once, where so many may be in memory."""

    async def send() -> list[httpx.Response]:
        made = create_sandbox_app(file, body_limiter=limiter)
        transport = httpx.ASGITransport(made)
        headers = {"content-type": "application/json"}
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://t", auth=("sandbox", "sandbox")) as http:
                return await asyncio.gather(*(http.post(PATH, content=one, headers=headers) for one in contents))
        finally:
            made.state.store.close()

    return asyncio.run(send())


def test_large_bodies_wait_for_a_place_and_all_are_taken(tmp_path: Path) -> None:
    bodies = [body(str(number), SMALL_BODY_BYTES) for number in range(12)]
    answers = post(tmp_path / "s.sqlite3", BodyLimiter(slots=1), *bodies)
    assert [answer.status_code for answer in answers] == [201] * 12
    store = SandboxStore(tmp_path / "s.sqlite3")
    asyncio.run(store.catch_up())
    assert sorted(seen(store), key=int) == [str(number) for number in range(12)]
    store.close()


def test_without_a_slot_a_large_body_may_come_again_and_a_small_one_is_taken(tmp_path: Path) -> None:
    large, small = post(
        tmp_path / "s.sqlite3", BodyLimiter(slots=0, wait_seconds=0.01), body("1", SMALL_BODY_BYTES), body("2")
    )
    assert (large.status_code, large.headers["retry-after"]) == (503, "1")
    assert large.json()["message"] == "Too many large requests have come at once. Nothing of this one was stored."
    assert small.status_code == 201


def test_a_body_that_does_not_come_gives_its_place_up(tmp_path: Path) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    slow, next_one = post(
        tmp_path / "s.sqlite3", BodyLimiter(slots=1, read_seconds=0.5), stuck(), body("1", SMALL_BODY_BYTES)
    )
    message = "The body has not come within 0.5 seconds. Nothing of it was stored."
    assert (slow.status_code, slow.json()["message"]) == (503, message)
    assert next_one.status_code == 201


async def send_in_parts(whole: bytes, then_stop: bool = False) -> AsyncIterator[bytes]:
    """A body by parts of 64 kB, as the server gives it; with ``then_stop`` its end never comes."""
    for at in range(0, len(whole), 65_536):
        yield whole[at : at + 65_536]
        await asyncio.sleep(0)
    if then_stop:
        await asyncio.Event().wait()


def test_slow_bodies_that_hold_all_the_memory_are_given_up_for_others(tmp_path: Path) -> None:
    slow = [send_in_parts(body("slow", 200_000), then_stop=True) for _ in range(10)]
    honest = [send_in_parts(body(str(number), 400_000)) for number in range(3)]
    limiter = BodyLimiter(max_held_bytes=MB, read_seconds=6.0)
    answers = post(tmp_path / "s.sqlite3", limiter, *slow, *honest)
    assert [answer.status_code for answer in answers] == [503] * 10 + [201] * 3  # none of them waited for 6 seconds
    message = "The body came too slowly while others were waiting. Nothing of it was stored."
    assert answers[0].json()["message"] == message
    assert limiter.held_bytes == 0


def test_bodies_that_are_not_slow_are_all_taken_however_little_memory_there_is(tmp_path: Path) -> None:
    bodies = [send_in_parts(body(str(number), 300_000)) for number in range(12)]
    answers = post(tmp_path / "s.sqlite3", BodyLimiter(max_held_bytes=100_000), *bodies)
    assert [answer.status_code for answer in answers] == [201] * 12


def test_of_a_large_body_that_is_rejected_the_beginning_is_kept(tmp_path: Path) -> None:
    rejected = orjson.dumps({"no track": "x" * (KEPT_BODY_BYTES * 2)})
    (answer,) = post(tmp_path / "s.sqlite3", BodyLimiter(), rejected)
    assert answer.status_code == 400
    ((kept, size),) = SandboxStore(tmp_path / "s.sqlite3").rows("SELECT body, size FROM requests", {})
    assert (kept, size) == (rejected[:KEPT_BODY_BYTES], len(rejected))
