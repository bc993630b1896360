"""A console whose disk is full, whose files are damaged or gone: a real process, asked over HTTP how it is."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import run
from intempt_core.history import History
from tests.core.history.factories import batch_of
from tests.core.history.test_upkeep import damage, fill, small_disk, take_away
from tests.test_process import free_port

__all__ = ["small_disk"]  # a fixture

pytestmark = pytest.mark.untraced


@contextmanager
def console(data: Path, log: Path) -> Iterator[tuple[Callable[[], httpx.Response], "subprocess.Popen[bytes]"]]:
    """A console on a data folder; what ``/healthz`` answers, once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "CONSOLE_DATA": str(data), "CONSOLE_SANDBOX": "http://127.0.0.1:9"}

    def ask() -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=10)

    with (
        log.open("w") as said,
        subprocess.Popen(command, cwd=run.ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=said) as process,
    ):
        try:
            until = time.monotonic() + 60
            while True:
                try:
                    ask()
                    break
                except httpx.TransportError:
                    assert time.monotonic() < until, log.read_text()
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.1)
            yield ask, process
        finally:
            process.kill()


def becomes(ask: Callable[[], httpx.Response], status: int, seconds: float = 8) -> dict[str, Any]:
    """The report of ``/healthz`` as soon as it has this status."""
    until = time.monotonic() + seconds
    while (answer := ask()).status_code != status:
        assert time.monotonic() < until, answer.text
        time.sleep(0.1)
    report: dict[str, Any] = answer.json()
    return report


def events(log: Path) -> list[str]:
    return [str(json.loads(line)["event"]) for line in log.read_text().splitlines()]


@pytest.mark.long
def test_while_the_disk_is_full_it_is_not_well_though_nothing_is_sent(small_disk: Path, tmp_path: Path) -> None:
    with console(small_disk, tmp_path / "log") as (ask, _):
        assert becomes(ask, 200)["database"] == {"ok": True, "trouble": ""}
        ballast = fill(small_disk)
        assert "the disk is full" in becomes(ask, 503)["database"]["trouble"]
        ballast.unlink()
        becomes(ask, 200)


@pytest.mark.long
def test_after_a_kill_damage_is_found_and_a_damaged_engine_keeps_nothing_from_starting(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with console(data, log) as (ask, process):
        becomes(ask, 200)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert not (data / "console.lock").exists()
    with console(data, log) as (ask, process):
        becomes(ask, 200)
        process.kill()
        process.wait(20)
    assert "history is checked for damage" not in events(log)
    damage(data / "history.sqlite3")
    (data / "engine.sqlite3").write_bytes(b"no database" * 100)
    with console(data, log) as (ask, process):
        report = becomes(ask, 503)
        assert "is damaged" in report["database"]["trouble"]
        assert report["engine"]["ok"]
        assert report["engine"]["durable"]
        assert {"history is damaged", "a damaged engine file was moved aside"} <= set(events(log))
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert len(list(data.glob("engine.sqlite3.damaged-*"))) >= 1


@pytest.mark.long
def test_a_history_that_was_emptied_is_told_at_the_start(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    data.mkdir()
    with closing(History.open(f"sqlite:///{data}/history.sqlite3")) as history:
        batch_of(history, [1])
    take_away(data / "history.sqlite3")
    (data / "history.sqlite3").touch()
    with console(data, log) as (ask, process):
        becomes(ask, 200)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert "history was gone or empty; a new one is begun" in [line["event"] for line in said]
    assert any("its newest batch had the number 1" in str(line.get("notice")) for line in said)
    with closing(sqlite3.connect(data / "history.sqlite3")) as opened:
        assert opened.execute("SELECT count(*) FROM batches").fetchone() == (0,)
