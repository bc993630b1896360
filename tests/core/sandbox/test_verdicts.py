"""What the sandbox says of events: in the header of its response, and of their ids later on."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from intempt_core.contract.sandbox_api import (
    MAX_ARRIVAL_IDS,
    MAX_VERDICT_EVENTS,
    IgnoredEvent,
    RequestVerdict,
    parse_verdict,
)
from intempt_core.errors import SandboxStoreUnavailable
from intempt_core.sandbox.storage.store import SandboxStore, StoredRequest

TRACK = "/v1/acme/projects/shop/sources/1/track"


def event(id_: str, **more: Any) -> dict[str, Any]:
    return {"eventId": id_, "userId": "u1", "data": {"productId": "A1"}, **more}


def post(http: httpx.Client, *events: Mapping[str, Any], name: str = "Product viewed") -> httpx.Response:
    return http.post(TRACK, json={"track": [{"name": name, "payload": list(events)}]})


def verdict_of(response: httpx.Response) -> RequestVerdict | None:
    return parse_verdict(response.headers.items())


def fresh() -> str:
    return f"evt_{uuid4().hex}"


def test_a_response_says_how_many_events_are_processed_and_which_are_ignored_and_why(http: httpx.Client) -> None:
    first, second = fresh(), fresh()
    assert verdict_of(post(http, event(first), event(second))) == RequestVerdict(2)
    nobody = {"eventId": fresh(), "data": {"productId": "A1"}}
    found = verdict_of(post(http, event(fresh()), event(first), nobody))
    ignored = IgnoredEvent(1, "event_id_repeated"), IgnoredEvent(2, "identity_missing")
    assert found == RequestVerdict(1, 2, 1, ignored)


def test_an_id_twice_in_one_request_is_ignored_the_second_time(http: httpx.Client) -> None:
    id_ = fresh()
    assert verdict_of(post(http, event(id_), event(id_))) == RequestVerdict(
        1, 1, 1, (IgnoredEvent(1, "event_id_repeated"),)
    )


def test_the_header_is_short_however_many_events_are_ignored(http: httpx.Client) -> None:
    response = post(http, *({"eventId": fresh(), "data": {}} for _ in range(1_000)))
    found = verdict_of(response)
    assert found is not None
    assert (found.processed, found.ignored, len(found.events)) == (0, 1_000, MAX_VERDICT_EVENTS)
    assert len(response.headers["sandbox-verdict"]) < 6_000
    assert response.headers["sandbox-verdict"].isascii()


def test_a_request_that_is_rejected_or_fails_has_no_verdict(http: httpx.Client) -> None:
    assert "sandbox-verdict" not in http.post(TRACK, content=b"[", headers={"content-type": "application/json"}).headers
    failing = {"faults": [{"fault": "status", "status": 500, "stored": True, "times": 1}]}
    http.put("/_sandbox/faults", json=failing).raise_for_status()
    id_ = fresh()
    failed = post(http, event(id_))
    assert (failed.status_code, "sandbox-verdict" in failed.headers) == (500, False)
    assert verdict_of(post(http, event(id_))) == RequestVerdict(0, 1, 1, (IgnoredEvent(0, "event_id_repeated"),))


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"processed": -1, "ignored": 0, "repeated": 0}', '{"processed": "x"}', "[" * 100_000,
     '{"processed": 1, "ignored": 0, "repeated": 0, "events": 5}', '{"processed": 1e999, "ignored": 0, "repeated": 0}'],
)  # fmt: skip
def test_a_header_of_something_else_is_no_verdict(text: str) -> None:
    assert parse_verdict([("sandbox-verdict", text)]) is None


def test_a_verdict_comes_back_from_its_header() -> None:
    verdict = RequestVerdict(3, 2, 1, (IgnoredEvent(0, "identity_missing product_id_missing"),))
    assert parse_verdict([("Sandbox-Verdict", verdict.as_header)]) == verdict


# ── arrivals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_arrivals_say_when_an_id_came_from_whom_and_what_became_of_it(http: httpx.Client) -> None:
    id_, before = fresh(), int(time.time() * 1000)
    post(http, event(id_, userId="user_9"))
    post(http, event(id_, userId="user_1", data={"productId": "B2"}), name="Added to cart")
    found = http.get("/_sandbox/arrivals", params={"ids": [id_, "never"]}).raise_for_status().json()
    first, second = found["arrivals"]
    assert found["missing"] == ["never"]
    assert (first["person"], first["processed"], first["because"], first["codes"]) == ("user_9", True, None, [])
    assert before - 1 <= first["received_at"] <= second["received_at"]
    assert (second["person"], second["productId"], second["name"]) == ("user_1", "B2", "Added to cart")
    assert (second["processed"], second["codes"]) == (False, ["event_id_repeated"])
    assert second["repeat_of"] == first["seq"]
    assert first["client"].startswith("python-httpx")


def test_arrivals_are_those_of_a_project_where_one_is_named(http: httpx.Client) -> None:
    id_ = fresh()
    for project in ("shop", "other"):
        http.post(
            f"/v1/acme/projects/{project}/track", json={"track": [{"name": "Product viewed", "payload": [event(id_)]}]}
        )
    for given, count in (({}, 2), ({"project": "shop"}, 1), ({"project": "none"}, 0), ({"org": "acme"}, 2)):
        found = http.get("/_sandbox/arrivals", params={"ids": id_, **given}).json()
        assert len(found["arrivals"]) == count


def test_arrivals_need_the_key_and_some_ids_but_not_too_many(http: httpx.Client) -> None:
    assert httpx.get(f"{http.base_url}/_sandbox/arrivals?ids=a", trust_env=False).status_code == 401
    assert http.get("/_sandbox/arrivals").status_code == 400
    assert http.get("/_sandbox/arrivals?ids=").status_code == 400
    many = [str(number) for number in range(MAX_ARRIVAL_IDS + 1)]
    assert http.get("/_sandbox/arrivals", params={"ids": many}).status_code == 400
    assert http.get("/_sandbox/arrivals", params={"ids": many[1:]}).status_code == 200


def test_lines_of_one_order_have_an_arrival_each(http: httpx.Client) -> None:
    id_ = fresh()
    lines = [event(id_, data={"productId": product}) for product in ("A1", "B2")]
    assert verdict_of(post(http, *lines, name="Product ordered")) == RequestVerdict(2)
    found = http.get("/_sandbox/arrivals", params={"ids": id_}).json()["arrivals"]
    assert [(one["productId"], one["processed"]) for one in found] == [("A1", True), ("B2", True)]


# ── the writer ───────────────────────────────────────────────────────────────────────────────────────────────────────


def stored(*ids: str) -> StoredRequest:
    body = json.dumps({"track": [{"name": "Product viewed", "payload": [event(id_) for id_ in ids]}]}).encode()
    return StoredRequest(1, "o", "p", "1", "", body, size=len(body))


def test_many_senders_at_once_get_each_its_own_verdict(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "s.sqlite3")

    async def send() -> list[RequestVerdict | None]:
        # Of two requests with an id in common the one that comes first has it.
        return await asyncio.gather(*(store.add(stored(f"a{number}", f"a{number // 2}")) for number in range(200)))

    found = asyncio.run(send())
    store.close()
    assert found[0] == RequestVerdict(1, 1, 1, (IgnoredEvent(1, "event_id_repeated"),))
    assert found[1] == RequestVerdict(1, 1, 1, (IgnoredEvent(1, "event_id_repeated"),))
    assert sum(one.processed for one in found if one) == 200
    assert sum(one.repeated for one in found if one) == 200


def test_what_is_stored_is_not_called_unstored_where_its_events_cannot_be_projected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    store = SandboxStore(tmp_path / "s.sqlite3")
    asyncio.run(store.add(stored("a")))
    monkeypatch.setattr("intempt_core.sandbox.storage.store.update_projection", broken)
    assert asyncio.run(store.add(stored("b"))) is None
    with pytest.raises(SandboxStoreUnavailable):
        asyncio.run(store.catch_up())
    monkeypatch.undo()
    asyncio.run(store.catch_up())
    assert len(store.rows("SELECT seq FROM events", {})) == 2
    store.close()
