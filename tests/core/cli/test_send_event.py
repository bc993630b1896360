"""``send --event``: one event that a call says by itself."""

import json
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from intempt_core.cli import main
from intempt_core.history import History
from intempt_core.settings import Settings
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import HostileServer, hostile

ADDED = ["send", "--event", "Added to cart", "--set", "userId=u1", "--set", "data.productId=A1"]


def environment(data: Path) -> dict[str, str]:
    return {"CONSOLE_DATA": str(data), "INTEMPT_API_KEY": "pre.secretsecret"}


def url_of(server: HostileServer) -> str:
    return f"{server.url}/v1/acme/projects/shop/sources/1001/track"


def count_batches(data: Path) -> int:
    history = History.open(Settings(data=data).history_url)
    try:
        return history.queries.batches().total
    finally:
        history.close()


def test_it_is_sent_as_it_is_said_with_an_id_and_a_time_that_are_made(tmp_path: Path) -> None:
    data, before = tmp_path / "data", time.time_ns() // 1_000_000
    recorded: list[int] = []

    def respond(_: object) -> bytes:
        recorded.append(count_batches(data))
        return OK

    with hostile(decides(respond)) as server:
        call = [
            *ADDED,
            "--set",
            "data.price:=12345678901234567890.123456789",
            "--set",
            'data.tags:=["a", 7]',
            "--target",
            url_of(server),
        ]
        for _ in range(2):
            assert main([*call, "--yes"], environment(data)) == 0
        bodies = [json.loads(received.body, parse_float=str) for received in server.received]
    assert recorded == [1, 2]  # in history before the server has it
    groups = [group for body in bodies for group in body["track"]]
    assert [group["name"] for group in groups] == ["Added to cart"] * 2
    events: list[dict[str, Any]] = [event for group in groups for event in group["payload"]]
    ids = [event.pop("eventId") for event in events]
    times = [event.pop("timestamp") for event in events]
    assert len(set(ids)) == 2
    assert before <= times[0] <= times[1] <= time.time_ns() // 1_000_000
    assert (
        events
        == [{"userId": "u1", "data": {"productId": "A1", "price": "12345678901234567890.123456789", "tags": ["a", 7]}}]
        * 2
    )


def test_it_says_what_became_of_it_as_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.csv"
    call = [*ADDED, "--target", "sandbox", "--yes", "--results", str(results), "--run", "Try"]
    assert main(call, environment(tmp_path / "data")) == 0
    told = capsys.readouterr()
    assert told.out == "        1  accepted\n        1  processed\n"
    assert "To send: 1 event of 1 person in 1 request to " in told.err
    assert ", “Try”, is done." in told.err
    assert "accepted" in results.read_text("utf-8")


def test_a_dry_run_prints_the_request_and_a_command_without_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    url = "https://api.example.com/v1/acme/projects/shop/sources/1001/track"
    call = [*ADDED, "--set", "eventId=e1", "--set", "timestamp:=1700000000000", "--set", "data.note=it's\u200b é"]
    assert main([*call, "--target", url, "--dry-run"], environment(data)) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[:3] == [f"POST {url}", "Content-Type: application/json", ""]
    sent = {
        "track": [
            {
                "name": "Added to cart",
                "payload": [
                    {
                        "eventId": "e1",
                        "timestamp": 1_700_000_000_000,
                        "userId": "u1",
                        "data": {"productId": "A1", "note": "it's\u200b é"},
                    }
                ],
            }
        ]
    }
    assert json.loads(lines[3]) == sent
    assert "\u200b" not in told.out  # it is escaped, and so can be seen
    words = shlex.split(" ".join(lines[5:]).replace("\\ ", ""))
    assert words[:4] == ["curl", "--request", "POST", url]
    assert words[5] == "${INTEMPT_API_KEY%%.*}:${INTEMPT_API_KEY#*.}"
    assert json.loads(words[-1]) == sent
    assert "secretsecret" not in told.out + told.err
    assert "Nothing was sent: this is what would be, without --dry-run." in told.err
    assert count_batches(data) == 0


def test_a_dry_run_to_the_sandbox_brings_up_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    assert main([*ADDED, "--target", "sandbox", "--dry-run"], environment(data)) == 0
    assert capsys.readouterr().out.startswith("POST http://127.0.0.1:8501/sandbox/v1/")
    assert not Settings(data=data).sandbox_file.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["Added to cart", "--set", "userId=u1"], 1, "The product id is missing."),
        (["Added to cart", "--set", "data.productId=A1"], 1, "No identity is given."),
        (["add to cart", "--set", "userId=u1", "--set", "data.productId=A1"], 1, "The event name is “add to cart”."),
        (["", "--set", "userId=u1", "--set", "data.productId=A1"], 1, "The event name is empty."),
        (["Added to cart", "--set", "userId:=[1]", "--set", "data.productId=A1"], 1, "An id is"),
        (["Added to cart", "--set", "timestamp:=5", *ADDED[3:]], 1, "before 2010-01-01"),
        (["Added to cart", "--set", "userId"], 2, "--set “userId” names no field and value."),
        (["Added to cart", "--set", "=u1"], 2, "--set “=u1” names no field and value."),
        (["Added to cart", "--set", ""], 2, "--set “” names no field and value."),
        (["Added to cart", "--set", "data.price:=12,5"], 2, "is no JSON."),
        (["Added to cart", "--set", "user_id=u1"], 2, "Did you mean “userId”?"),
        (["Added to cart", "--set", "userId=a", "--set", "userId=b"], 2, "--set userId is given twice."),
        (["Added to cart", "--journey", "x"], 2, "Say one"),
        (["Added to cart", "file.csv"], 2, "takes no FILE"),
        (["Added to cart", "--new-ids", "--mapping", "m"], 2, "takes no --mapping and no --new-ids"),
        (["Added to cart", "--resume"], 2, "it takes no --event"),
        (["Added to cart", "--set", "userId=u1", "--target", "nowhere"], 3, "There is no target “nowhere”"),
    ],
)
def test_what_is_wrong_with_it_is_said_and_nothing_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    data = tmp_path / "data"
    target = [] if "--target" in arguments or "--resume" in arguments else ["--target", "sandbox"]
    try:
        found = main(["send", "--event", *arguments, *target, "--yes"], environment(data))
    except SystemExit as ended:
        found = int(ended.code or 0)
    told = capsys.readouterr().err
    assert (found, says in told) == (code, True), told
    assert count_batches(data) == 0
    if code > 1 and not told.startswith("usage:"):
        assert told.count("\n") == 1
