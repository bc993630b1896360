"""The sandbox's database: nothing lost, nothing doubled, one order, even if others have the file open."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.feeds import Interaction
from intempt_core.contract.fields import EventName
from intempt_core.errors import SandboxStoreUnavailable
from intempt_core.sandbox import create_sandbox_app, run_sandbox
from intempt_core.sandbox.storage.listing import EventListQuery, list_received_events
from intempt_core.sandbox.storage.store import MAX_BACKLOG, SandboxStore, StoredRequest

Talk = Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]


def arrival(*events: tuple[str, str, str], user: str = "u1", project: str = "p") -> StoredRequest:
    """A request of (name, event id, product) triples."""
    track = [
        {"name": name, "payload": [{"eventId": event_id, "userId": user, "data": {"productId": product}}]}
        for name, event_id, product in events
    ]
    return StoredRequest(1, "o", project, "1", "test", orjson.dumps({"track": track}))


def seen(store: SandboxStore) -> list[tuple[str, bool]]:
    found = orjson.loads(list_received_events(store, EventListQuery(limit=1_000_000)))
    return [(event["eventId"], event["processed"]) for event in found["events"]]


def add(store: SandboxStore, *arrivals: StoredRequest) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(store.add(one) for one in arrivals))
        await store.catch_up()

    asyncio.run(all_of_them())


def track_body(event_id: str) -> dict[str, Any]:
    event = {"eventId": event_id, "userId": "u1", "data": {"productId": event_id}}
    return {"track": [{"name": "Product viewed", "payload": [event]}]}


def talk(file: Path, *talks: Talk) -> None:
    """Let one or more clients talk to applications that have the same file open, all at once."""

    async def one(say: Talk) -> None:
        made = create_sandbox_app(file)
        transport = httpx.ASGITransport(made)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://t", auth=("sandbox", "sandbox")) as http:
                await say(http)
        finally:
            made.state.store.close()

    async def everybody() -> None:
        await asyncio.gather(*(one(say) for say in talks))

    asyncio.run(everybody())


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "s.sqlite3"
    for number in range(2):
        with run_sandbox(file) as url, httpx.Client(base_url=url, auth=("sandbox", "sandbox")) as http:
            assert http.post("/v1/o/projects/p/track", json=track_body("e1")).status_code == 201
            found = http.get("/_sandbox/events").json()
            assert [event["processed"] for event in found["events"]] == [True, False][: number + 1]


def test_what_is_stored_and_not_yet_projected_survives_too(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite3"
    first = SandboxStore(file)
    asyncio.run(first.add(arrival(("Product viewed", "e1", "a"))))
    first.close()
    second = SandboxStore(file)
    asyncio.run(second.catch_up())
    assert seen(second) == [("e1", True)]
    second.close()


def test_requests_are_projected_by_themselves_after_a_pause(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")
    asyncio.run(store.add(arrival(("Product viewed", "e1", "a"))))
    waiting = threading.Event()
    for _ in range(200):
        if seen(store):
            break
        waiting.wait(0.05)
    assert seen(store) == [("e1", True)]
    store.close()


def test_a_backlog_is_projected_without_a_query_and_in_its_order(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")
    ids = [f"e{number}" for number in range(MAX_BACKLOG + 300)]
    add(store, *(arrival(("Product viewed", event_id, "a")) for event_id in ids))
    assert seen(store) == [(event_id, True) for event_id in ids]
    store.close()


def test_a_body_that_cannot_be_read_a_second_time_holds_up_no_other(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")
    add(store, StoredRequest(1, "o", "p", "1", "test", b"{"), arrival(("Product viewed", "e1", "a")))
    found = orjson.loads(list_received_events(store, EventListQuery()))["events"]
    assert [(event["processed"], event["codes"]) for event in found] == [(False, ["request_shape"]), (True, [])]
    store.close()


def test_what_cannot_be_projected_now_is_projected_later_and_once(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")
    add(store, arrival(("Product viewed", "e1", "a")))
    with sqlite3.connect(tmp_path / "s.sqlite3") as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON firsts BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    for _ in range(2):
        with pytest.raises(SandboxStoreUnavailable, match="disk is full"):
            add(store, arrival(("Product viewed", "e2", "b")))
    with other:
        other.execute("DROP TRIGGER full")
    other.close()
    asyncio.run(store.catch_up())
    assert seen(store) == [("e1", True), ("e2", True), ("e2", False)]
    store.close()


def test_closing_is_no_end(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")
    store.close()
    for number in range(2):
        add(store, arrival(("Product viewed", f"e{number}", "a")))
        store.close()
    assert [event_id for event_id, _ in seen(store)] == ["e0", "e1"]


def test_two_processes_on_one_file_lose_and_double_nothing(tmp_path: Path) -> None:
    def sender(name: str) -> Talk:
        async def say(http: httpx.AsyncClient) -> None:
            for number in range(60):
                body = track_body(f"{number}" if number % 2 else f"{name}{number}")
                assert (await http.post("/v1/o/projects/p/track", json=body)).status_code == 201
                if number % 20 == 0:
                    await http.get("/_sandbox/events")

        return say

    talk(tmp_path / "s.sqlite3", sender("a"), sender("b"))
    store = SandboxStore(tmp_path / "s.sqlite3")
    asyncio.run(store.catch_up())
    listed = seen(store)
    assert len(listed) == 120
    assert sum(processed for _, processed in listed) == 90
    assert len({event_id for event_id, processed in listed if processed}) == 90
    store.close()


def test_links_are_found_again_after_another_process_emptied_the_sandbox(tmp_path: Path) -> None:
    store, other = SandboxStore(tmp_path / "s.sqlite3"), SandboxStore(tmp_path / "s.sqlite3")
    alias = {"name": "Identify", "payload": [{"eventId": "i", "userId": "u1", "anotherUserId": "u0"}]}
    for _ in range(2):
        add(store, StoredRequest(1, "o", "p", "1", "", orjson.dumps({"track": [alias]})))
        add(store, arrival(("Product viewed", "e", "a"), user="u0"))
        assert store.interactions("o", "p", "user:u1") == [Interaction("Product viewed", "a")]
        assert other.clear() == 2
    store.close()


def test_a_database_that_cannot_be_used_is_503_and_recovers(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite3"
    file.write_bytes(b"this is no database, and long enough to be looked at" * 50)

    async def say(http: httpx.AsyncClient) -> None:
        feed = ("/v1/o/projects/p/feeds/recently-viewed/data", {"type": "user", "id": "u1"})
        consent = ("/v1/o/projects/p/consents/data", {"action": "accept", "userId": "u1"})
        for path, body in (("/v1/o/projects/p/track", track_body("e1")), feed, consent):
            answer = await http.post(path, json=body)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["message"] == (
                "The sandbox cannot use its database: file is not a database. Nothing was stored."
            )
        assert (await http.get("/_sandbox/events")).status_code == 503
        assert (await http.get("/_sandbox/consents")).status_code == 503
        assert (await http.delete("/_sandbox/events")).status_code == 503
        file.unlink()
        assert (await http.post("/v1/o/projects/p/track", json=track_body("e1"))).status_code == 201
        assert (await http.get("/_sandbox/events")).json()["count"] == 1

    talk(file, say)


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(SandboxStoreUnavailable, match="made by another version of the sandbox"):
        SandboxStore(file).clear()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = SandboxStore(tmp_path / "file" / "s.sqlite3")
    with pytest.raises(SandboxStoreUnavailable):
        asyncio.run(store.add(arrival(("Product viewed", "e1", "a"))))
    store.close()


def test_a_request_that_is_given_up_is_stored_and_harms_no_other(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")

    async def give_up() -> None:
        given_up = asyncio.ensure_future(store.add(arrival(("Product viewed", "e1", "a"))))
        await asyncio.sleep(0)
        given_up.cancel()
        await store.add(arrival(("Product viewed", "e2", "a")))
        await store.catch_up()

    asyncio.run(give_up())
    assert seen(store) == [("e1", True), ("e2", True)]
    store.close()


def test_an_error_of_ours_reaches_who_waits_and_the_writer_goes_on(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")
    impossible = StoredRequest(1, "o", "p", "1", "test", cast("bytes", object()))
    with pytest.raises(SandboxStoreUnavailable):
        asyncio.run(store.add(impossible))
    add(store, arrival(("Product viewed", "e1", "a")))
    assert seen(store) == [("e1", True)]
    store.close()


def test_a_port_is_said_to_be_taken_and_the_server_there_goes_on(tmp_path: Path) -> None:
    with run_sandbox(tmp_path / "s.sqlite3") as url:
        with (
            pytest.raises(OSError, match="in use"),
            run_sandbox(tmp_path / "other.sqlite3", httpx.URL(url).port or 0),
        ):
            pass
        assert httpx.get(f"{url}/_sandbox/events?apiKey=sandbox.sandbox").status_code == 200


steps = st.lists(
    st.lists(
        st.tuples(st.sampled_from(list(EventName)), st.sampled_from("123"), st.sampled_from("ab")),
        min_size=1,
        max_size=4,
    ),
    max_size=6,
)


@given(requests=steps)
def test_which_events_are_processed_is_what_reading_them_one_by_one_gives(
    tmp_path_factory: pytest.TempPathFactory, requests: list[list[tuple[EventName, str, str]]]
) -> None:
    """The model: the first of an event id is processed; lines of one order go by event id and product."""
    taken: set[str] = set()
    lines: set[tuple[str, str]] = set()
    expected = []
    arrivals = []
    for request in requests:
        name = request[0][0]  # one payload of one name
        products: dict[str, set[str]] = {}
        for _, event_id, product in request:
            products.setdefault(event_id, set()).add(product)
        for _, event_id, product in request:
            is_line = name == EventName.ORDERED and len(products[event_id]) > 1
            fresh = (event_id, product) not in lines if is_line else event_id not in taken
            if name == EventName.ORDERED and fresh:
                lines.add((event_id, product))
            taken.add(event_id)
            expected.append((event_id, fresh))
        payload = [{"eventId": e, "userId": "u", "data": {"productId": p}} for _, e, p in request]
        arrivals.append(
            StoredRequest(1, "o", "p", "1", "", orjson.dumps({"track": [{"name": name.value, "payload": payload}]}))
        )
    store = SandboxStore(tmp_path_factory.mktemp("repeats") / "s.sqlite3")
    add(store, *arrivals)
    assert seen(store) == expected
    store.close()
