"""``tail``: what reaches a sandbox, as text and as JSON lines."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from intempt_core.cli import main
from intempt_core.cli.output import Color, color_text
from intempt_core.sandbox import run_sandbox
from tests.core.cli.terminals import ROOT

BIG = "9223372036854775807"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with run_sandbox(tmp_path / "sandbox.sqlite3") as url:
        yield url


def send(url: str, event_id: str, user: str = "u1", name: str = "Added to cart", project: str = "shop") -> None:
    event = f'{{"eventId": "{event_id}", "userId": "{user}", "data": {{"productId": "p1", "price": {BIG}}}}}'
    response = httpx.post(
        f"{url}/v1/acme/projects/{project}/sources/1001/track",
        content=f'{{"track": [{{"name": "{name}", "payload": [{event}]}}]}}',
        headers={"content-type": "application/json"},
        auth=("sandbox", "sandbox"),
    )
    assert response.status_code == 201


def send_some(url: str) -> None:
    send(url, "e1")
    send(url, "e2", user="u2")
    send(url, "e3", name="Product viewed", project="other")
    send(url, "e1")


def list_ids(out: str) -> list[str]:
    return [json.loads(line)["eventId"] for line in out.splitlines()]


def test_what_is_there_is_a_line_each(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    send_some(url)
    assert main(["tail", url, "--once"], {}) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"^\d\d:\d\d:\d\d\.\d{3}  ", "", line) for line in lines] == [
        "shop  Added to cart      userId=u1  p1  e1  processed",
        "shop  Added to cart      userId=u2  p1  e2  processed",
        "other  Product viewed     userId=u1  p1  e3  processed",
        (
            "shop  Added to cart      userId=u1  p1  e1  "
            "not processed: The event id “e1” was already used: repeat of event 1."
        ),
    ]


def test_json_lines_are_what_the_sandbox_lists(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    send(url, "e1")
    assert main(["tail", url, "--once", "--format", "jsonl"], {}) == 0
    out = capsys.readouterr().out
    assert BIG in out
    (event,) = map(json.loads, out.splitlines())
    assert (event["name"], event["project"], event["processed"]) == ("Added to cart", "shop", True)
    assert event["event"]["userId"] == "u1"


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ([], ["e1", "e2", "e3", "e1"]),
        (["--name", "Product viewed"], ["e3"]),
        (["--person", "u2"], ["e2"]),
        (["--event-id", "e1"], ["e1", "e1"]),
        (["--project", "shop"], ["e1", "e2", "e1"]),
        (["--project", "shop", "--person", "u1", "--count", "1"], ["e1"]),
        (["--name", "nothing"], []),
    ],
)
def test_filters_have_all_to_match(
    url: str, capsys: pytest.CaptureFixture[str], filters: list[str], ids: list[str]
) -> None:
    send_some(url)
    assert (
        main(["tail", f"{url}/v1/acme/projects/shop/sources/1/track", "--once", "--format", "jsonl", *filters], {}) == 0
    )
    assert list_ids(capsys.readouterr().out) == ids


def test_it_shows_what_arrives_from_now_on_and_ends_after_a_count(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    send(url, "before")
    over = threading.Event()

    def send_until_over() -> None:
        number = 0
        while not over.wait(0.05):
            number += 1
            send(url, f"e{number}")

    sending = threading.Thread(target=send_until_over)
    sending.start()
    try:
        assert main(["tail", url, "--count", "3", "--format", "jsonl"], {}) == 0
    finally:
        over.set()
        sending.join()
    first, second, third = (int(event_id.removeprefix("e")) for event_id in list_ids(capsys.readouterr().out))
    assert (second, third) == (first + 1, first + 2)


def test_with_all_what_is_there_counts(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    send_some(url)
    assert main(["tail", url, "--all", "--count", "2", "--format", "jsonl"], {}) == 0
    assert list_ids(capsys.readouterr().out) == ["e1", "e2"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["http://127.0.0.1:9"], 1, "did not answer"),
        (["127.0.0.1:9000"], 1, "“127.0.0.1:9000” is no URL of a sandbox."),
        (["http://127.0.0.1:9", "--count", "0"], 2, "it takes 1 or more"),
        (["http://127.0.0.1:9", "--format", "xml"], 2, "invalid choice"),
    ],
)
def test_what_cannot_be_followed_is_a_sentence(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = main(["tail", *arguments], {})
    except SystemExit as ended:
        found = int(ended.code or 0)
    assert (found, says in (told := capsys.readouterr().err)) == (code, True), told


def start(url: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "intempt_core", "tail", url, *arguments],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--count", "5"], 130)])
def test_ctrl_c_ends_it_after_what_came_was_printed(url: str, arguments: list[str], code: int) -> None:
    send(url, "e1")
    process = start(url, "--all", "--format", "jsonl", *arguments)
    assert process.stdout
    assert list_ids(process.stdout.readline()) == ["e1"]  # it is there at once, also in a pipe
    os.kill(process.pid, signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out, told) == (code, "", "Interrupted.\n" if code else "")


@pytest.mark.long
def test_a_sandbox_that_is_started_again_is_followed_on(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite3"
    with run_sandbox(file) as url:
        send(url, "e1")
        process = start(url, "--all", "--format", "jsonl")
        assert process.stdout
        assert process.stderr
        assert list_ids(process.stdout.readline()) == ["e1"]
    assert "It is waited for" in process.stderr.readline()
    with run_sandbox(file, int(url.rpartition(":")[2])) as url:
        assert process.stderr.readline() == "The sandbox responds again.\n"
        send(url, "e2")
        assert list_ids(process.stdout.readline()) == ["e2"]
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0


class Terminal:
    """All that is asked of a stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"TERM": "xterm"}, "\x1b[32mprocessed\x1b[0m"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "processed"),
        ({"TERM": "dumb"}, "processed"),
    ],
)
def test_colours_are_for_a_terminal_that_wants_them(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], shown: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert color_text("processed", Color.GREEN, Terminal()) == shown  # type: ignore[arg-type]  # see above
    assert color_text("processed", Color.GREEN, sys.stderr) == "processed" or sys.stderr.isatty()
