"""The sandbox asked from the console's side: rows, requests, events, faults, and a sentence where it is silent."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from intempt_core.contract.faults import FaultDocument, StatusFault
from intempt_core.errors import SandboxUnavailable
from intempt_core.sandbox import run_sandbox
from intempt_core.targets.target import sandbox_target
from intempt_core.transport.sandbox_client import SandboxClient
from tests.core.transport.fault_server import answers, closed_port, hostile

BIG = "9" * 400


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with run_sandbox(tmp_path / "s.sqlite3") as url:
        yield url


@pytest.fixture
def instrument(url: str) -> Iterator[SandboxClient]:
    with closing(SandboxClient(sandbox_target(url))) as opened:
        yield opened


def send(url: str, text: str) -> None:
    headers = {"content-type": "application/json", "user-agent": "shop/1"}
    httpx.post(sandbox_target(url).track_url, content=text, headers=headers, auth=("sandbox", "sandbox"))


def test_rows_lead_to_their_event_and_its_request(url: str, instrument: SandboxClient) -> None:
    send(
        url, '{"track": [{"name": "Product viewed", "payload": [{"eventId": "e1", "userId": "u", "n": ' + BIG + "}]}]}"
    )
    seen = instrument.live()
    assert (seen.received, len(seen.rows)) == (1, 1)
    (row,) = seen.rows
    assert (row.person, row.identity, row.processed, row.because) == (
        "u",
        "userId",
        False,
        "The product id is missing.",
    )
    assert row.seq is not None
    assert instrument.event(row.seq)["event"] == {"eventId": "e1", "userId": "u", "n": int(BIG)}
    request = instrument.request(row.request)
    assert request.text.startswith("POST /v1/sandbox/projects/sandbox/sources/1001/track\nhost: ")
    assert request.text.endswith(f'"n": {BIG}}}]}}]}}')
    assert "authorization: (not kept)" in request.text
    assert instrument.live(shown="processed").rows == ()


def test_faults_are_set_and_read(url: str, instrument: SandboxClient) -> None:
    wanted = FaultDocument(faults=[StatusFault(fault="status", status=503, retry_after=1)])
    assert instrument.set_faults(wanted) == wanted == instrument.faults()
    send(url, '{"track": []}')
    assert instrument.live(shown="rejected").rows[0].fault == "503 with Retry-After 1 s"
    wrong = FaultDocument.model_construct(faults=[StatusFault.model_construct(fault="status", status=1000)])
    with pytest.raises(SandboxUnavailable, match=r"faults\.0\.status: Input should be less than or equal to 599"):
        instrument.set_faults(wrong)


def test_what_is_not_there_is_a_sentence(instrument: SandboxClient) -> None:
    with pytest.raises(SandboxUnavailable, match="No such request is kept"):
        instrument.request(5)
    with pytest.raises(SandboxUnavailable, match="The sandbox has no event 5"):
        instrument.event(5)


def test_a_sandbox_that_is_gone_or_none_is_a_sentence() -> None:
    with (
        closing(SandboxClient(sandbox_target(f"http://127.0.0.1:{closed_port()}"))) as gone,
        pytest.raises(SandboxUnavailable, match="did not answer"),
    ):
        gone.live()
    for body, said in ((b"<html>", "did not answer"), (b"[]", "answered with status 200")):
        with (
            hostile(answers(200, body)) as server,
            closing(SandboxClient(sandbox_target(server.url))) as none,
            pytest.raises(SandboxUnavailable, match=said),
        ):
            none.live()
