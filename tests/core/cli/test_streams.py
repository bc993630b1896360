"""Output without a reader, or that cannot be written or hold every character; a command that is interrupted."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from intempt_core.cli import main
from intempt_core.cli.output import print_outcome, print_result
from intempt_core.cli.streams import prepare_streams
from intempt_core.history import History
from intempt_core.settings import Settings
from tests.core.cli.terminals import ROOT

HEADER = "name,eventId,userId,productId\n"
COMMAND = [sys.executable, "-m", "intempt_core"]
PLAIN = {"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"}


def write(folder: Path, rows: int, name: str = "events.csv", event: str = "view") -> str:
    path = folder / name
    path.write_text(HEADER + "".join(f"{event},e{n},u{n},p{n}\n" for n in range(rows)), "utf-8")
    return str(path)


def run(*arguments: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    environment = {**PLAIN, **more.pop("environment", {})}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=environment, text=True, errors="replace", check=False, timeout=120,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more},
    )  # fmt: skip


def run_shell(line: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", line], cwd=ROOT, env={**PLAIN, **environment}, text=True, check=False, timeout=120,
        capture_output=True,
    )  # fmt: skip


def drop_steps(told: str) -> str:
    """What was said beside the step that a slow machine is at: ``Starting · 5 s``."""
    return "".join(line for line in told.splitlines(keepends=True) if not re.search(r"\S \d+ s$", line))


def call(*arguments: str) -> str:
    return " ".join([*COMMAND, *arguments])


def test_a_reader_that_has_enough_ends_a_check_without_a_word(tmp_path: Path) -> None:
    wrong = write(tmp_path, 2_000)
    found = run_shell(f"({call('check', wrong)}; echo $? >&2) | head -1")
    assert found.stdout.count("\n") == 1
    assert drop_steps(found.stderr) == "141\n"


@pytest.mark.long
def test_a_send_whose_output_is_not_read_sends_all_and_says_so_by_its_code(tmp_path: Path) -> None:
    given, out, data = write(tmp_path, 5, event="Product viewed"), tmp_path / "out.csv", tmp_path / "data"
    line = call("send", given, "--target", "sandbox", "--yes", "--results", str(out))
    found = run_shell(f"({line}; echo $? >&2) | true", CONSOLE_DATA=str(data))
    assert found.stderr.endswith("\n0\n")
    assert "Traceback" not in found.stderr
    assert out.read_text("utf-8").count("accepted") == 5


def test_output_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    found = run_shell(f"{call('schema')} > /dev/full")
    assert found.returncode == 1
    assert found.stderr == "The system reports an error: [Errno 28] No space left on device.\n"


class ClosedPipe(io.StringIO):
    """An output whose reader is gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_an_outcome_without_a_reader_stops_nothing_and_a_result_ends_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", ClosedPipe())
    print_outcome("1  accepted")
    with pytest.raises(BrokenPipeError):
        print_result("1  accepted")
    assert main(["schema"], {}) == 141


def test_a_closed_stream_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    prepare_streams()
    assert sys.stdin.read() == ""
    sys.stdout.write("nothing")
    sys.stderr.write("nothing")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()


@pytest.mark.long
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_change_nothing_but_what_is_printed(tmp_path: Path, closed: str) -> None:
    data = tmp_path / "data"
    good, wrong = write(tmp_path, 2, "good.csv", "Product viewed"), write(tmp_path, 2)
    assert run_shell(f"{call('check', wrong, '--format', 'json')} {closed}").returncode == 1
    sent = run_shell(f"{call('send', good, '--target', 'sandbox', '--yes')} {closed}", CONSOLE_DATA=str(data))
    assert sent.returncode == 0
    assert "Traceback" not in sent.stderr
    history = History.open(Settings(data=data).history_url)
    assert [batch.events for batch in history.queries.batches().items] == [{"accepted": 2}]
    history.close()


@pytest.mark.parametrize(
    "encoding", ["cp1252", *(pytest.param(one, marks=pytest.mark.long) for one in ("ascii", "ascii:strict"))]
)
def test_what_a_terminal_cannot_write_is_replaced(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "Übersicht – 商品.csv"
    path.write_text(HEADER + "Ansicht “新”,e1,ü1,商品\n", "utf-8")
    given = {"environment": {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "CONSOLE_DATA": str(tmp_path / "data")}}
    found = run("check", str(path), **given)
    assert (found.returncode, drop_steps(found.stderr)) == (1, "")
    assert "bersicht" in found.stdout
    assert found.stdout.isascii() or encoding == "cp1252"
    assert run("check", str(path), "--format", "json", **given).returncode == 1
    told = run("send", "--event", "新", "--set", "userId=ü", "--target", "sandbox", "--dry-run", **given)
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert run("--help", **given).returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", ["check", "send", "suggest", "sandbox", "schema", "settings"])
def test_every_help_can_be_printed_everywhere(command: str, encoding: str) -> None:
    found = run(command, "--help", environment={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert (found.returncode, found.stderr) == (0, "")


def test_a_dry_run_at_such_a_terminal_prints_a_body_that_is_the_same(tmp_path: Path) -> None:
    found = run(
        "send", "--event", "Added to cart", "--set", "userId=ü", "--set", "data.productId=商品😀", "--target",
        "sandbox", "--dry-run",
        environment={"PYTHONIOENCODING": "ascii", "CONSOLE_DATA": str(tmp_path)},
    )  # fmt: skip
    assert found.returncode == 0
    body = json.loads(found.stdout.splitlines()[3])
    (event,) = body["track"][0]["payload"]
    assert (event["userId"], event["data"]["productId"]) == ("ü", "商品😀")
    assert found.stdout.isascii()


INTERRUPT_AT_IMPORT = """
import importlib.abc, os, runpy, signal, sys
module = sys.argv.pop(1)
class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == module:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
runpy.run_module("intempt_core", run_name="__main__", alter_sys=True)
"""
"""Runs the command, and presses Ctrl+C as soon as it imports the module of the first argument."""

ONE_EVENT = ["send", "--event", "Added to cart", "--set", "userId=u1", "--set", "data.productId=A1", "--yes"]


def assert_whole_or_not_there(data: Path) -> None:
    if not (data / "history.sqlite3").exists():
        return
    history = History.open(Settings(data=data).history_url)
    for batch in history.queries.batches().items:
        assert sum(batch.events.values()) == 1
        assert not batch.unrecorded
    history.close()


@pytest.mark.parametrize(
    "module",
    [
        "intempt_core.cli.parser",
        *(
            pytest.param(one, marks=pytest.mark.long)
            for one in ("intempt_core.cli", "intempt_core.cli.sends.send", "uvicorn")
        ),
    ],
)
def test_one_event_is_interrupted_without_a_traceback_while_the_command_starts(tmp_path: Path, module: str) -> None:
    process = subprocess.run(
        [sys.executable, "-c", INTERRUPT_AT_IMPORT, module, *ONE_EVENT, "--target", "sandbox"],
        cwd=ROOT, env={**PLAIN, "CONSOLE_DATA": str(tmp_path / "data")}, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    assert process.returncode in (130, -signal.SIGINT)  # which a shell calls 130 too
    assert drop_steps(process.stderr) in ("", "Interrupted.\n")
    assert_whole_or_not_there(tmp_path / "data")


@pytest.mark.long
@pytest.mark.parametrize("delay", [0.6, 0.8, 1.0, 1.2, 1.4, 1.7])
def test_one_event_that_is_interrupted_at_any_moment_is_whole_or_not_there(tmp_path: Path, delay: float) -> None:
    process = subprocess.Popen(
        [*COMMAND, *ONE_EVENT, "--target", "sandbox"], cwd=ROOT, env={**PLAIN, "CONSOLE_DATA": str(tmp_path / "data")},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert "Traceback" not in told
    assert process.returncode in (0, 130, -signal.SIGINT)
    assert_whole_or_not_there(tmp_path / "data")
