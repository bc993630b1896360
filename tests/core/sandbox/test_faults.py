"""Simulated failures: what is responded agrees with what is stored, fault by fault, over real HTTP."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import run
from intempt_core.cli import main
from intempt_core.contract.faults import (
    FaultDocument,
    LatencyFault,
    TooLargeFault,
    parse_fault_document,
)
from intempt_core.errors import FaultDocumentUnreadable
from intempt_core.sandbox import create_sandbox_app, run_sandbox
from intempt_core.sandbox.http.fault_injector import FaultInjector
from tests.examples import scale_examples

numbers = count(1)


@dataclass
class Sandbox:
    """A running sandbox and a client of it."""

    http: httpx.Client

    def fail(self, *faults: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = self.http.put("/_sandbox/faults", json={"faults": list(faults), **more})
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def send(self, events: int = 1, *, ids: str | None = None) -> tuple[int | None, list[str]]:
        """Send some events; the status, ``None`` where no response came, and their ids."""
        name = ids or f"e{next(numbers)}"
        payload = [{"eventId": f"{name}-{n}", "userId": "u", "data": {"productId": "p"}} for n in range(events)]
        try:
            body = {"track": [{"name": "Product viewed", "payload": payload}]}
            status = self.http.post("/v1/o/projects/p/sources/1/track", json=body).status_code
        except httpx.TransportError:
            status = None
        return status, [str(event["eventId"]) for event in payload]

    @property
    def stored(self) -> list[str]:
        return [event["eventId"] for event in self.http.get("/_sandbox/events").json()["events"]]

    @property
    def live(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.http.get("/_sandbox/live").json()["rows"]
        return rows


@pytest.fixture(scope="module")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with (
        run_sandbox(tmp_path_factory.mktemp("sandbox") / "s.sqlite3") as url,
        httpx.Client(base_url=url, auth=("sandbox", "sandbox"), trust_env=False, timeout=10) as http,
    ):
        yield Sandbox(http)


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    running_sandbox.http.delete("/_sandbox/events")
    yield running_sandbox
    running_sandbox.http.delete("/_sandbox/faults")


STATUSES = st.integers(200, 599)
ENDINGS = st.one_of(
    st.fixed_dictionaries({"fault": st.just("status"), "status": STATUSES, "stored": st.none() | st.booleans()}),
    st.fixed_dictionaries({"fault": st.just("cut"), "stored": st.booleans()}),
    st.fixed_dictionaries({"fault": st.just("no_answer"), "stored": st.booleans(), "ms": st.just(1)}),
    st.fixed_dictionaries({"fault": st.just("too_large"), "events": st.integers(0, 4)}),
    st.fixed_dictionaries({"fault": st.just("slow_answer"), "ms": st.just(1)}),
)


def expected(fault: dict[str, Any], events: int) -> tuple[int | None, bool]:
    """What a fault answers, and whether it stores."""
    match fault["fault"]:
        case "status":
            stored = fault["stored"]
            return fault["status"], fault["status"] < 300 if stored is None else stored
        case "too_large":
            return (413, False) if events > fault["events"] else (201, True)
        case "slow_answer":
            return 201, True
        case _:
            return None, fault["stored"]


@settings(max_examples=scale_examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=ENDINGS, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_what_was_answered_equals_what_was_stored(sandbox: Sandbox, fault: dict[str, Any], sizes: list[int]) -> None:
    sandbox.http.delete("/_sandbox/events")
    sandbox.fail(fault)
    stored = []
    for events in sizes:
        status, ids = sandbox.send(events)
        answered, stores = expected(fault, events)
        assert status == answered
        stored += ids if stores else []
    assert sandbox.stored == stored


@settings(max_examples=scale_examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shares=st.lists(st.integers(0, 33), min_size=3, max_size=3), seed=st.integers(0, 1_000))
def test_the_shares_of_faults_are_parts_of_one_whole(sandbox: Sandbox, shares: list[int], seed: int) -> None:
    statuses = [429, 500, 503]
    faults = [
        {"fault": "status", "status": status, "share": share / 100}
        for status, share in zip(statuses, shares, strict=True)
        if share
    ]
    desk = FaultInjector(parse_fault_document({"faults": faults}), random.Random(seed))
    met = [desk.draw_fault("/v1/o/projects/p/track")[0] for _ in range(4_000)]
    for status, share in zip(statuses, shares, strict=True):
        got = sum(1 for one in met if getattr(one, "status", None) == status) / len(met)
        assert abs(got - share / 100) < 0.04


def test_a_fault_is_said_plainly_and_ends_when_it_is_cleared(sandbox: Sandbox) -> None:
    document = sandbox.fail({"fault": "status", "status": 500, "share": 0.1, "path": "*/track"})
    assert document["sentence"] == "The sandbox simulates failures: 10 % 500 on track."
    assert sandbox.http.get("/_sandbox/faults").json() == document
    assert sandbox.http.delete("/_sandbox/faults").json() == {
        "faults": [],
        "deduplicates": True,
        "sentence": "",
        "projects": [],
        "project_count": 0,
    }
    assert sandbox.send()[0] == 201


def test_429_says_when_to_come_again_and_that_it_was_meant(sandbox: Sandbox) -> None:
    sandbox.fail({"fault": "status", "status": 429, "retry_after": 7, "times": 1})
    answer = sandbox.http.post("/v1/o/projects/p/track", json={"track": []})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["x-sandbox-fault"] == "status"
    assert answer.json() == {"message": "Simulated failure: 429 with Retry-After 7 s."}
    assert sandbox.http.get("/_sandbox/faults").json()["faults"] == []  # once, and it is over
    assert sandbox.send()[0] == 201


def test_a_path_that_is_not_meant_goes_on_working(sandbox: Sandbox) -> None:
    sandbox.fail({"fault": "status", "status": 503, "path": "*/feeds/*"})
    _, ids = sandbox.send()
    asked = {"type": "user", "id": "u", "fields": ["id"]}
    assert sandbox.http.post("/v1/o/projects/p/feeds/recently-viewed/data", json=asked).status_code == 503
    assert sandbox.stored == ids
    sandbox.fail({"fault": "status", "status": 503, "path": "*/consents/*"})
    consent = {"action": "accept", "userId": "u"}
    assert sandbox.http.post("/v1/o/projects/p/consents/data", json=consent).status_code == 503
    assert sandbox.http.get("/_sandbox/consents").json()["count"] == 0
    assert sandbox.http.post("/v1/o/projects/p/feeds/recently-viewed/data", json=asked).json() == {
        "products": [{"id": "p"}]
    }


def test_latency_comes_on_top_of_another_fault(sandbox: Sandbox) -> None:
    sandbox.fail({"fault": "latency", "ms": 150}, {"fault": "status", "status": 502, "stored": True})
    began = time.monotonic()
    status, ids = sandbox.send()
    assert status == 502
    assert time.monotonic() - began >= 0.15
    assert sandbox.stored == ids


def test_a_sender_that_gives_up_waiting_has_its_events_stored(sandbox: Sandbox) -> None:
    sandbox.fail({"fault": "no_answer", "ms": 60_000})
    body = {"track": [{"name": "Product viewed", "payload": [{"eventId": "late", "userId": "u"}]}]}
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post("/v1/o/projects/p/track", json=body, timeout=0.3)
    assert sandbox.stored == ["late"]


@pytest.mark.parametrize("fault", [{"fault": "no_answer"}, {"fault": "latency", "ms": 60_000}])
def test_a_sandbox_that_ends_does_not_wait_for_what_it_holds(tmp_path: Path, fault: dict[str, Any]) -> None:
    body = {"track": [{"name": "Product viewed", "payload": [{"eventId": "held", "userId": "u"}]}]}
    asked: dict[str, Any] = {"auth": ("sandbox", "sandbox"), "timeout": 30}
    with ThreadPoolExecutor(1) as other:
        with run_sandbox(tmp_path / "s.sqlite3", faults=parse_fault_document({"faults": [fault]})) as url:
            held = other.submit(httpx.post, f"{url}/v1/o/projects/p/track", json=body, **asked)
            while not httpx.get(f"{url}/_sandbox/events", **asked).json()["count"]:
                assert not held.done()
            began = time.monotonic()
        assert time.monotonic() - began < 20
        if fault["fault"] == "latency":
            assert held.result().status_code == 201
        else:
            assert isinstance(held.exception(), httpx.TransportError)


def test_without_deduplication_a_repeat_counts_and_with_it_again_the_first_is_still_known(sandbox: Sandbox) -> None:
    def processed() -> list[bool]:
        return [event["processed"] for event in sandbox.http.get("/_sandbox/events").json()["events"]]

    sandbox.send(ids="same")
    document = sandbox.fail(deduplicates=False)
    assert document["sentence"] == "The sandbox simulates failures: repeated event ids are stored as new events."
    sandbox.send(ids="same")
    assert processed() == [True, True]
    sandbox.http.delete("/_sandbox/faults")
    sandbox.send(ids="same")
    assert processed() == [True, True, False]


def test_rejections_of_its_own_come_first_and_meet_no_fault(sandbox: Sandbox) -> None:
    sandbox.fail({"fault": "status", "status": 500, "times": 1})
    assert sandbox.http.post("/v1/o/projects/p/track", json={"tracks": []}).status_code == 400
    assert sandbox.http.post("/v1/o/projects/p/track", json={"track": []}, auth=("a", "b")).status_code == 401
    assert sandbox.send()[0] == 500


def test_a_fault_document_needs_the_key(sandbox: Sandbox) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert sandbox.http.request(method, "/_sandbox/faults", json={}, auth=("no", "no")).status_code == 401


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], 'The fault document is no JSON object. An empty one, {"faults": []}, ends all faults.'),
        ({"fault": []}, "The fault document: fault: Extra inputs are not permitted."),
        ({"faults": [{"share": 0.1}]},
         "The fault document: faults.0: Unable to extract tag using discriminator 'fault'."),
        ({"faults": [{"fault": "status", "status": 100}]},
         "The fault document: faults.0.status: Input should be greater than or equal to 200."),
        ({"faults": [{"fault": "latency", "ms": "5"}]},
         "The fault document: faults.0.ms: Input should be a valid integer."),
        ({"faults": [{"fault": "cut", "share": 0}]},
         "The fault document: faults.0.share: Input should be greater than 0."),
    ],
)  # fmt: skip
def test_what_is_no_fault_document_is_a_400_with_a_sentence(sandbox: Sandbox, document: Any, said: str) -> None:
    answer = sandbox.http.put("/_sandbox/faults", json=document)
    assert (answer.status_code, answer.json()["message"]) == (400, said)
    with pytest.raises(FaultDocumentUnreadable):
        parse_fault_document(document)


def test_faults_are_said_in_words() -> None:
    document = {
        "faults": [
            {"fault": "latency", "ms": 1200},
            {"fault": "no_answer", "share": 0.25, "path": "/v1/acme/*"},
            {"fault": "cut", "stored": True, "times": 3},
            {"fault": "too_large", "events": 1},
            {"fault": "slow_answer", "ms": 50, "times": 1},
            {"fault": "status", "status": 200, "stored": False, "share": 0.5, "path": "*/track"},
        ]
    }
    assert parse_fault_document(document).sentence == (
        "The sandbox simulates failures: 1,200 ms late on everything; 25 % no response after storing on /v1/acme/*; "
        "connection cut after storing on everything, 3 more times; 413 above 1 event on everything; a response drawn "
        "out over 50 ms on everything, 1 more time; 50 % 200 without storing on track."
    )


def test_what_meets_no_fault_is_not_counted() -> None:
    desk = FaultInjector(
        FaultDocument(
            faults=[TooLargeFault(fault="too_large", events=2, times=1), LatencyFault(fault="latency", ms=5, share=1)]
        )
    )
    assert desk.draw_fault("/x", 1) == (None, 0.005)
    met, _ = desk.draw_fault("/x", 3)
    assert isinstance(met, TooLargeFault)
    assert desk.draw_fault("/x", 3)[0] is None


def test_faults_may_be_changed_while_requests_come(sandbox: Sandbox) -> None:
    over = threading.Event()

    def change() -> None:
        desk = FaultInjector()
        while not over.is_set():
            desk.set(FaultDocument(faults=[LatencyFault(fault="latency", ms=1)]))
            desk.draw_fault("/x")

    thread = threading.Thread(target=change)
    thread.start()
    try:
        assert [sandbox.send()[0] for _ in range(5)] == [201] * 5
    finally:
        over.set()
        thread.join()


def test_a_server_that_hides_its_connections_is_told_to_fail(tmp_path: Path) -> None:
    made = create_sandbox_app(
        tmp_path / "s.sqlite3", injector=FaultInjector(parse_fault_document({"faults": [{"fault": "cut"}]}))
    )

    async def send() -> None:
        transport = httpx.ASGITransport(made)
        async with httpx.AsyncClient(transport=transport, base_url="http://t", auth=("sandbox", "sandbox")) as client:
            await client.post("/v1/o/projects/p/track", json={"track": []})

    with pytest.raises(ConnectionAbortedError):
        asyncio.run(send())
    made.state.store.close()


def test_every_fault_is_seen_in_the_live_view(sandbox: Sandbox) -> None:
    sandbox.fail({"fault": "cut"})
    sandbox.send()
    sandbox.fail({"fault": "status", "status": 502, "stored": True})
    sandbox.send()
    newest, oldest = sandbox.live
    assert (newest["status"], newest["fault"], newest["processed"]) == (502, "502 after storing", True)
    assert (oldest["status"], oldest["fault"], oldest["seq"]) == (None, "connection cut before storing", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no fault document. Expecting property name"),
        ('{"faults": [{"fault": "cut", "share": 2}]}', "is no fault document. The fault document: faults.0.share:"),
        (None, "cannot be read: No such file or directory."),
    ],
)
def test_a_fault_file_that_cannot_be_read_ends_the_command_with_a_sentence(
    tmp_path: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "faults.json"
    if text is not None:
        file.write_text(text)
    assert main(["sandbox", "--port", "0", "--faults", str(file)], {"CONSOLE_DATA": str(tmp_path)}) == 2
    assert said in capsys.readouterr().err


def test_the_command_serves_a_sandbox_that_fails_as_a_file_says(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text('{"faults": [{"fault": "status", "status": 503}]}')
    call = [sys.executable, "-m", "intempt_core", "sandbox", "--port", "0", "--faults", str(file)]
    environment = {**os.environ, "CONSOLE_DATA": str(tmp_path)}
    with subprocess.Popen(call, cwd=run.ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = [process.stderr.readline() for _ in range(2)]
            url = said[0].split()[-1]
            assert httpx.post(url, json={"track": []}, auth=("sandbox", "sandbox")).status_code == 503
            assert said[1] == "The sandbox simulates failures: 503 on everything.\n"
        finally:
            process.terminate()
