"""All of a console's standard error is JSON lines: its own, Streamlit's, its server's, warnings, tracebacks, prints."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import run
from intempt_core.planning.plan import Policy
from tests.core.dispatch.factories import decides, make_setup, plan_of
from tests.core.transport.fault_server import hostile, http
from tests.test_process import free_port

SPEAKER = """
import asyncio, logging, sys, threading, warnings
from intempt_core import logs
outside = logging.getLogger("outside")
outside.addHandler(logging.StreamHandler())
outside.propagate = False
logs.capture_standard_error()
outside.warning("a library speaks")
later = logging.getLogger("later")
later.propagate = False
later.addHandler(logging.StreamHandler())
later.warning("with a handler\\nof its own")
logging.getLogger("nobody").error("by way of the root")
warnings.warn("an old function")
print("plain", "text", file=sys.stderr)
print('{"already": "an object"}', file=sys.stderr)
sys.stderr.write("{no object}\\n\\n")
def fail():
    raise ValueError("secret body")
thread = threading.Thread(target=fail, name="one")
thread.start()
thread.join()
class Ends:
    def __del__(self):
        raise ValueError("secret body")
Ends()
async def forgets():
    asyncio.get_running_loop().create_task(fails())
    await asyncio.sleep(0.01)
async def fails():
    fail()
asyncio.run(forgets())
fail()
"""


def parse(text: str) -> list[dict[str, object]]:
    """Every line as the object that it is."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    return lines


def test_everything_that_is_written_there_is_an_object_a_line() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SPEAKER], cwd=run.ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    lines = parse(ended.stderr)
    said = [line.get("event") for line in lines]
    for event in (
        "a library speaks",
        "with a handler",
        "of its own",
        "by way of the root",
        "plain text",
        "{no object}",
        "an error of a thread was not caught",
        "an error could not be raised",
        "an error was not caught",
    ):
        assert event in said
    assert {"already": "an object"} in lines
    assert any("an old function" in str(event) for event in said)
    caught = [line for line in lines if line.get("error") == "ValueError"]
    assert len(caught) == 4  # the thread's, the unraisable one, the task's, the uncaught one
    assert all("at" in line for line in caught)
    assert "secret body" not in json.dumps(caught)
    assert "Traceback" not in ended.stderr


@pytest.mark.long
@pytest.mark.untraced
def test_a_console_that_starts_sends_fails_and_ends_writes_objects(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    data = tmp_path / "data"
    data.mkdir()
    (data / "engine.sqlite3").write_bytes(b"no database" * 1000)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.address=127.0.0.1", "--logger.hideWelcomeMessage", "true"]  # as run.py starts it
    with hostile(decides(lambda _: http(401, b"the words of the server"))) as server, log.open("w") as said:
        at = make_setup(data, server.url)
        batch = at.record(plan_of(30), Policy.STOP, owner="")
        environment = {**os.environ, "CONSOLE_DATA": str(data), "CONSOLE_SANDBOX": server.url}
        with subprocess.Popen(
            command, cwd=run.ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=said
        ) as process:
            try:
                at.until(lambda: at.counts(batch).get("rejected", 0) > 0, 60)
                with socket.create_connection(("127.0.0.1", port)) as broken:
                    broken.sendall(b"NO HTTP AT ALL\r\n\r\n")
                    broken.recv(100)
                assert httpx.get(f"http://127.0.0.1:{port}/nowhere", headers={"Host": "evil"}).status_code == 403
                at.over(batch)
                process.send_signal(signal.SIGTERM)
                process.wait(15)
            finally:
                process.kill()
        at.history.close()
    lines = parse(log.read_text())
    events = [str(line["event"]) for line in lines]
    for event in (
        "No runtime found",  # Streamlit's
        "a damaged engine file was moved aside",
        "sending starts",
        "breaker opened",
        "sending ends",
    ):
        assert any(event in one for one in events), event
    assert all({"time", "level", "event"} <= set(line) for line in lines)
    assert "the words of the server" not in log.read_text()


@pytest.mark.long
def test_a_start_that_fails_says_so_in_an_object_too() -> None:
    environment = {**os.environ, "CONSOLE_DATA": "/dev/null/data"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(free_port())]
    ended = subprocess.run(
        command, cwd=run.ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    last = parse(ended.stderr)[-1]
    assert last["level"] == "critical"
    assert str(last["event"]).startswith("The console cannot start. ")
