"""The console as a process: it says how it is, sends without a visitor, and ends in good order when it is told to."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import run
from intempt_core.planning.plan import Policy
from tests.core.dispatch.factories import OK, decides, make_setup, plan_of
from tests.core.transport.fault_server import hostile


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.long  # of a dispatcher and of a process that sends: tests/core/dispatch/
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_waits_for_answers_and_every_outcome_is_written_within_ten_seconds(
    tmp_path: Path, how: signal.Signals
) -> None:
    port, log = free_port(), tmp_path / "log"
    with hostile(decides(lambda _: OK, 0.3)) as server, log.open("w") as said:
        at = make_setup(tmp_path / "data", server.url)
        batch = at.record(plan_of(2000, persons=40), Policy.STOP, owner="")
        environment = {**os.environ, "CONSOLE_DATA": str(tmp_path / "data"), "CONSOLE_SANDBOX": server.url}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        with subprocess.Popen(command, cwd=run.ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT) as process:
            try:
                at.until(lambda: at.counts(batch).get("accepted", 0) > 16, 60)
                answer = httpx.get(f"http://127.0.0.1:{port}/healthz")
                metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
                began = time.monotonic()
                process.send_signal(how)
                process.wait(15)
                assert time.monotonic() - began < 10
            finally:
                process.kill()
        health = answer.json()
        assert answer.status_code == 200, health
        assert health["engine"]["durable"] is True
        assert health["queue"]["batches"] == 1
        assert "event_console_queue_batches 1.0" in metrics
        accepted = next(
            line for line in metrics.splitlines() if line.startswith('event_console_events_total{outcome="acc')
        )
        assert 16 < float(accepted.split()[1]) <= 2000
        received = len(server.received)
        assert at.counts(batch) == {"accepted": received, "pending": 2000 - received}
        at.history.close()
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines if "logger" not in line] == [
        "is the console of its data folder",
        "sending starts",
        "batch taken over",
        "batch is being sent",
        "sending ends",
    ]
    assert lines[-1]["unwritten"] == 0
    assert "Traceback" not in log.read_text()
