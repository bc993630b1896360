"""Events by filters, waits for them, and failures of one project, over real HTTP."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from intempt_core.contract import FaultDocument
from intempt_core.errors import FaultDocumentUnreadable
from intempt_core.sandbox import run_sandbox
from intempt_core.sandbox.http.fault_injector import MAX_FAULTY_PROJECTS, FaultInjector
from intempt_core.sandbox.http.waiting import ArrivalSignal

numbers = count(1)


@pytest.fixture
def project() -> str:
    return f"shop {next(numbers)}"


def send(http: httpx.Client, project: str, name: str = "Product viewed", **fields: Any) -> httpx.Response:
    event = {"eventId": "e1", "userId": "u1", "data": {"productId": "A1"}, **fields}
    return http.post(f"/v1/o/projects/{project}/sources/1/track", json={"track": [{"name": name, "payload": [event]}]})


def ids(http: httpx.Client, project: str, **filters: Any) -> list[str]:
    page = http.get("/_sandbox/events", params={"project": project, **filters}).json()
    assert page["count"] == len(page["events"])
    return [event["eventId"] for event in page["events"]]


def wait(http: httpx.Client, **filters: Any) -> dict[str, Any]:
    answer = http.get("/_sandbox/wait", params=filters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_events_are_found_by_each_filter(http: httpx.Client, project: str) -> None:
    send(http, project)
    time.sleep(0.005)
    since = round(time.time() * 1000)
    send(http, project, "Added to cart", eventId="e2", userId="u2")
    send(http, f"not {project}", eventId="e3")
    assert ids(http, project) == ["e1", "e2"]
    assert ids(http, project, name="Added to cart") == ["e2"]
    assert ids(http, project, eventId="e1") == ["e1"]
    assert ids(http, project, userId="u2") == ["e2"]
    assert ids(http, project, since=since) == ["e2"]
    assert ids(http, project, userId="u1", name="Added to cart") == []


def test_a_wait_returns_at_once_what_has_arrived_before(http: httpx.Client, project: str) -> None:
    send(http, project)
    found = wait(http, project=project, name="Product viewed", seconds=60)
    assert (found["arrived"], [event["eventId"] for event in found["events"]]) == (True, ["e1"])
    assert found["instead"] == {"events": [], "requests": []}


def test_a_wait_returns_when_its_event_arrives_and_not_for_another(http: httpx.Client, project: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait, http, project=project, eventId="e2", seconds=25)
        send(http, project)
        assert not waiting.done()
        send(http, project, eventId="e2")
        assert [event["eventId"] for event in waiting.result()["events"]] == ["e2"]


def test_a_wait_in_vain_says_what_came_instead(http: httpx.Client, project: str) -> None:
    send(http, project)
    send(http, project, timestamp=1_700_000_000)
    found = wait(http, project=project, name="Added to cart", seconds=0.05)
    assert (found["arrived"], found["events"]) == (False, [])
    assert [event["eventId"] for event in found["instead"]["events"]] == ["e1"]
    (rejected,) = found["instead"]["requests"]
    assert rejected["status"] == 400
    assert "before 2010" in rejected["message"]


@pytest.mark.parametrize("seconds", ["-1", "61", "x", "nan", "inf", " 1", "1e9", ""])
def test_an_unreadable_number_of_seconds_is_a_sentence(http: httpx.Client, seconds: str) -> None:
    answer = http.get("/_sandbox/wait", params={"seconds": seconds})
    assert answer.status_code == 400
    assert answer.json() == {"message": "The parameter seconds is no number from 0 to 60."}


def test_a_wait_needs_the_key(http: httpx.Client) -> None:
    assert http.get("/_sandbox/wait?seconds=0", auth=("a", "b")).status_code == 401


@pytest.fixture
def small(tmp_path: Path) -> Iterator[httpx.Client]:
    """A sandbox in which two requests may wait."""
    with (
        run_sandbox(tmp_path / "s.sqlite3", arrival_signal=ArrivalSignal(max_waits=2)) as url,
        httpx.Client(base_url=url, auth=("sandbox", "sandbox"), trust_env=False, timeout=30) as client,
    ):
        yield client


def test_the_number_of_waits_is_bounded_and_a_place_is_free_again_when_its_sender_has_gone(small: httpx.Client) -> None:
    def give_up() -> None:
        try:
            while True:  # until it has a place, which this test's own questions take for a moment
                small.get("/_sandbox/wait?seconds=60", timeout=1)
        except httpx.ReadTimeout:
            pass

    others = [threading.Thread(target=give_up) for _ in range(2)]
    for thread in others:
        thread.start()
    while (answer := small.get("/_sandbox/wait?seconds=0")).status_code == 200:
        assert any(thread.is_alive() for thread in others)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["message"].startswith("2 requests wait for events already.")
    for thread in others:
        thread.join()
    while small.get("/_sandbox/wait?seconds=0").status_code == 503:
        pass


def test_other_requests_are_responded_to_while_many_wait(http: httpx.Client, project: str) -> None:
    async def ask() -> int:
        async with httpx.AsyncClient(base_url=http.base_url, auth=("sandbox", "sandbox"), trust_env=False) as client:
            asked: dict[str, Any] = {"project": project, "seconds": 25}
            waits = [asyncio.create_task(client.get("/_sandbox/wait", params=asked, timeout=60)) for _ in range(21)]
            for _ in range(5):
                assert (await client.get("/_sandbox/faults")).status_code == 200
            assert not any(one.done() for one in waits)
            await asyncio.to_thread(send, http, project)
            return sum(answer.json()["arrived"] for answer in await asyncio.gather(*waits))

    assert asyncio.run(ask()) == 21


def test_a_sandbox_that_ends_does_not_wait_for_those_who_wait(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with run_sandbox(tmp_path / "s.sqlite3") as url:
            client = httpx.Client(base_url=url, auth=("sandbox", "sandbox"), trust_env=False, timeout=70)
            waiting = pool.submit(wait, client, seconds=60)
            while client.get("/_sandbox/live").json()["received"]:
                pass
            began = time.monotonic()
        assert time.monotonic() - began < 20
        assert waiting.exception() is not None or waiting.result()["arrived"] is False
        client.close()


def test_failures_of_a_project_leave_others_alone_and_stand_beside_those_of_everything(
    http: httpx.Client, project: str
) -> None:
    other = f"not {project}"
    mine: dict[str, Any] = {"params": {"project": project}}
    fault = {"faults": [{"fault": "status", "status": 429, "times": 1}]}
    assert http.put("/_sandbox/faults", json=fault, **mine).json()["sentence"].startswith("The sandbox simulates")
    assert http.get("/_sandbox/faults").json()["faults"] == []
    assert (send(http, other).status_code, send(http, project).status_code) == (201, 429)
    http.put("/_sandbox/faults", json={"faults": [{"fault": "status", "status": 503, "times": 2}]})
    http.put("/_sandbox/faults", json=fault, **mine)
    assert [send(http, project).status_code for _ in range(4)] == [429, 503, 503, 201]
    http.put("/_sandbox/faults", json=fault, **mine)
    assert http.delete("/_sandbox/faults").json()["faults"] == []
    assert http.get("/_sandbox/faults", **mine).json()["faults"][0]["times"] == 1
    assert http.delete("/_sandbox/faults", **mine).json()["faults"] == []
    assert send(http, project).status_code == 201


def test_projects_that_fail_by_themselves_are_listed_up_to_a_number_and_counted(http: httpx.Client) -> None:
    names = [f"failing {number:02}" for number in range(52)]
    for name in names:
        http.put("/_sandbox/faults", params={"project": name}, json={"deduplicates": False})
    spent = {"faults": [{"fault": "status", "status": 503, "times": 1}]}
    http.put("/_sandbox/faults", params={"project": "spent"}, json=spent)
    assert send(http, "spent").status_code == 503
    now = http.get("/_sandbox/faults").json()
    assert ([one["project"] for one in now["projects"]], now["project_count"]) == (names[:50], 52)
    assert "projects" not in http.get("/_sandbox/faults", params={"project": names[0]}).json()
    for name in (*names, "spent"):
        http.delete("/_sandbox/faults", params={"project": name})
    assert http.get("/_sandbox/faults").json()["projects"] == []


def test_a_project_may_store_repeated_ids_alone(http: httpx.Client, project: str) -> None:
    http.put("/_sandbox/faults", params={"project": project}, json={"deduplicates": False})
    for name in (project, f"not {project}"):
        send(http, name)
        send(http, name)
    processed = {
        name: [event["processed"] for event in http.get("/_sandbox/events", params={"project": name}).json()["events"]]
        for name in (project, f"not {project}")
    }
    http.delete("/_sandbox/faults", params={"project": project})
    assert processed == {project: [True, True], f"not {project}": [True, False]}


def test_the_number_of_projects_with_failures_is_bounded() -> None:
    injector, faults = FaultInjector(), FaultDocument(deduplicates=False)
    for number in range(MAX_FAULTY_PROJECTS):
        injector.set(faults, f"p{number}")
    with pytest.raises(FaultDocumentUnreadable, match=r"^1,000 projects have faults of their own\."):
        injector.set(faults, "one more")
    injector.set(FaultDocument(), "p7")
    injector.set(faults, "one more")
    assert injector.read_current("one more") == faults
