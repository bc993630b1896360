"""``console``: the screens' server is started, or a sentence says why not."""

import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import urllib.request
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest

from intempt_core.cli.commands import launch
from intempt_core.history import History
from intempt_core.settings import PROJECT_FOLDER, Settings


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def call(*arguments: str, code: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    """A call of the command line in a process of its own; ``code`` runs in it first."""
    program = f"import sys\n{code}\nfrom intempt_core.__main__ import run_process\nrun_process()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", [["console"], []])
def test_a_taken_port_is_one_sentence(command: list[str], taken_port: int) -> None:
    done = call(*command, "--server.port", str(taken_port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Port {taken_port} is taken. Perhaps the console is running already")
    assert done.stderr.count("\n") == 1


def test_without_a_command_the_console_starts_where_the_environment_says(taken_port: int) -> None:
    assert f"Port {taken_port} is taken." in call(CONSOLE_PORT=str(taken_port)).stderr


def test_where_the_screens_are_missing_one_sentence_says_how_to_get_them() -> None:
    done = call(code="sys.modules['streamlit'] = None")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "pip install 'event_console-0.1.0-py3-none-any.whl[console]'" in done.stderr


def test_an_address_that_others_reach_needs_a_password() -> None:
    done = call("console", "--server.address", "0.0.0.0")  # noqa: S104
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "nothing would ask who is there" in done.stderr


def test_a_setting_that_cannot_be_used_is_said_before_the_server_starts(tmp_path: Path) -> None:
    done = call("console", CONSOLE_CONFIG=str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"CONSOLE_CONFIG is {tmp_path / 'none'}, which is no folder.")


def test_a_browser_that_cannot_be_opened_is_one_sentence(
    taken_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: socket.socket())
    assert launch.open_browser("http://127.0.0.1:8501") == 1
    assert capsys.readouterr().err == "No browser could be opened here. Open http://127.0.0.1:8501 in one.\n"


def test_a_history_of_a_newer_version_is_one_sentence(tmp_path: Path) -> None:
    data = {"CONSOLE_DATA": str(tmp_path / "data")}
    History.open(Settings.from_environment(data).history_url).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "history.sqlite3")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    events = tmp_path / "events.csv"
    events.write_text("name,eventId,userId,timestamp,data.productId\nProduct viewed,e1,u1,2026-11-01T10:00:00Z,A1\n")
    done = call("send", str(events), "--target", "sandbox", "--yes", **data)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "was written by a newer console (version 9999" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("Start the newer one.")
