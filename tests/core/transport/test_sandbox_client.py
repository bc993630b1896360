"""The sandbox's client: rows, requests, events, faults, verdicts, and a sentence where the sandbox does not respond."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from intempt_core.contract.faults import FaultDocument, StatusFault
from intempt_core.contract.person_history import PersonEvent, ProcessingStatus
from intempt_core.contract.sandbox_api import LiveFilter
from intempt_core.errors import SandboxUnavailable
from intempt_core.sandbox import run_sandbox
from intempt_core.targets.target import sandbox_target
from intempt_core.transport import sandbox_client
from intempt_core.transport.sandbox_client import SandboxClient
from tests.core.transport.fault_server import answers, closed_port, hostile

BIG = "9" * 400


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with run_sandbox(tmp_path / "s.sqlite3") as url:
        yield url


@pytest.fixture
def sandbox(url: str) -> Iterator[SandboxClient]:
    with SandboxClient(sandbox_target(url)) as opened:
        yield opened


def send(url: str, text: str, client: str = "shop/1") -> None:
    headers = {"content-type": "application/json", "user-agent": client}
    httpx.post(sandbox_target(url).track_url, content=text, headers=headers, auth=("sandbox", "sandbox"))


def test_rows_lead_to_their_event_and_its_request(url: str, sandbox: SandboxClient) -> None:
    send(
        url, '{"track": [{"name": "Product viewed", "payload": [{"eventId": "e1", "userId": "u", "n": ' + BIG + "}]}]}"
    )
    seen = sandbox.read_live()
    assert (seen.received, len(seen.rows)) == (1, 1)
    (row,) = seen.rows
    assert (row.person, row.identity, row.processed, row.because) == (
        "u",
        "userId",
        False,
        "The product id is missing.",
    )
    assert row.seq is not None
    assert sandbox.read_event(row.seq)["event"] == {"eventId": "e1", "userId": "u", "n": int(BIG)}
    request = sandbox.read_request(row.request)
    assert request.text.startswith("POST /v1/sandbox/projects/sandbox/sources/1001/track\nhost: ")
    assert request.text.endswith(f'"n": {BIG}}}]}}]}}')
    assert "authorization: (not kept)" in request.text
    assert sandbox.read_live(shown=LiveFilter.PROCESSED).rows == ()


def test_faults_are_set_and_read(url: str, sandbox: SandboxClient) -> None:
    wanted = FaultDocument(faults=[StatusFault(fault="status", status=503, retry_after=1)])
    assert sandbox.replace_faults(wanted) == wanted == sandbox.read_faults()
    send(url, '{"track": []}')
    assert sandbox.read_live(shown=LiveFilter.REJECTED).rows[0].fault == "503 with Retry-After 1 s"
    mine = FaultDocument(deduplicates=False)
    assert sandbox.replace_faults(mine, project="a/b") == mine == sandbox.read_faults(project="a/b")
    now = sandbox.read_all_faults()
    assert (now.everything, dict(now.projects), now.project_count) == (wanted, {"a/b": mine}, 1)
    sandbox.replace_faults(FaultDocument(), project="a/b")
    assert not sandbox.read_all_faults().projects
    wrong = FaultDocument.model_construct(faults=[StatusFault.model_construct(fault="status", status=1000)])
    with pytest.raises(SandboxUnavailable, match=r"faults\.0\.status: Input should be less than or equal to 599"):
        sandbox.replace_faults(wrong)


def test_what_is_not_there_is_a_sentence(sandbox: SandboxClient) -> None:
    with pytest.raises(SandboxUnavailable, match="No such request is kept"):
        sandbox.read_request(5)
    with pytest.raises(SandboxUnavailable, match="The sandbox has no event 5"):
        sandbox.read_event(5)


def test_a_sandbox_that_is_gone_or_none_is_a_sentence() -> None:
    with (
        SandboxClient(sandbox_target(f"http://127.0.0.1:{closed_port()}")) as gone,
        pytest.raises(SandboxUnavailable, match="did not answer"),
    ):
        gone.read_live()
    for body, said in ((b"<html>", "did not answer"), (b"[]", "answered with status 200")):
        with (
            hostile(answers(200, body)) as server,
            SandboxClient(sandbox_target(server.url)) as none,
            pytest.raises(SandboxUnavailable, match=said),
        ):
            none.read_live()


# ── what became of a person's events ─────────────────────────────────────────────────────────────────────────────────


def read_status(url: str) -> ProcessingStatus:
    event = PersonEvent("Product viewed", "A", event_id="one")
    with SandboxClient(sandbox_target(url)) as sandbox:
        return sandbox.read_processing_status("userId", "u1", [event, event])


def test_events_of_other_clients_are_told_apart_from_the_consoles_own(url: str) -> None:
    event = {"eventId": "one", "userId": "u1", "data": {"productId": "A"}}
    for event_id, client in (("one", "me"), ("two", "you")):
        body = {"track": [{"name": "Product viewed", "payload": [event | {"eventId": event_id}]}]}
        send(url, json.dumps(body), client)
    found = read_status(url)
    assert (set(found.processed), dict(found.reasons)) == ({"one", "two"}, {})
    assert [(one.name, one.product, one.client) for one in found.foreign] == [("Product viewed", "A", "you")]


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"events": 1, "unprocessed": {}}', b'{"events": [{}], "unprocessed": {}}',
     b'{"events": [], "unprocessed": []}', b'{"events": ["x"], "unprocessed": {}}'],
)  # fmt: skip
def test_whatever_else_responds_at_its_address_says_nothing(body: bytes) -> None:
    with hostile(answers(200, body)) as server, pytest.raises(SandboxUnavailable):
        read_status(server.url)


def test_a_sandbox_that_does_not_respond_or_rejects_says_nothing() -> None:
    with pytest.raises(SandboxUnavailable):
        read_status(f"http://127.0.0.1:{closed_port()}")
    with hostile(answers(404, b"{}")) as server, pytest.raises(SandboxUnavailable):
        read_status(server.url)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"arrivals": [5]}', b'{"arrivals": [{}]}'])
def test_what_is_no_sandbox_tells_of_no_arrivals(body: bytes) -> None:
    with (
        hostile(answers(200, body)) as server,
        SandboxClient(sandbox_target(server.url)) as none,
        pytest.raises(SandboxUnavailable),
    ):
        none.read_arrivals(["e1"])


def test_a_live_target_is_not_asked() -> None:
    live = replace(sandbox_target("http://127.0.0.1:1"), origin="secrets.toml")
    with pytest.raises(SandboxUnavailable, match="is no sandbox"):
        SandboxClient(live)


def test_a_response_is_read_only_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_client, "MAX_RESPONSE_BYTES", 10)
    with (
        hostile(answers(200, b'{"received": 100}')) as server,
        SandboxClient(sandbox_target(server.url)) as none,
        pytest.raises(SandboxUnavailable, match="the response is too long"),
    ):
        none.read_live()
