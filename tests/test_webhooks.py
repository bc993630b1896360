"""Webhooks of a real console that is killed before its message was taken, and of the command line."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import run
from tests.bench.consoles import start
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import HostileServer, hostile, http, in_turn

pytestmark = [pytest.mark.long, pytest.mark.untraced]  # without processes: tests/core/webhooks/

SECRET = "0123456789abcdef0123"
EVENTS = "name,eventId,userId,timestamp,data.productId\n" + "".join(
    f"Product viewed,e{number},u{number},2026-11-01T10:00:00Z,A1\n" for number in range(3)
)


def describe(target: HostileServer, hook: HostileServer) -> dict[str, str]:
    fields = {
        "HOST": target.url, "ORG": "acme", "PROJECT": "shop", "SOURCE": "1001", "KEY": "prefix.s3cretS3cret",
        "WEBHOOK": f"{hook.url}/T0KEN", "WEBHOOK_SECRET": "SHOP_HOOK",
    }  # fmt: skip
    return {f"CONSOLE_TARGET_SHOP_{name}": value for name, value in fields.items()} | {"SHOP_HOOK": SECRET}


def send(folder: Path, environment: dict[str, str], *more: str) -> "subprocess.CompletedProcess[str]":
    (folder / "events.csv").write_text(EVENTS)
    command = [sys.executable, "-m", "intempt_core", "send", str(folder / "events.csv"), "--target", "shop", "--yes"]
    given = {**os.environ, "CONSOLE_DATA": str(folder / "data"), **environment}
    return subprocess.run([*command, *more], cwd=run.ROOT, env=given, capture_output=True, text=True, check=False)


def wait_for(server: HostileServer, count: int) -> None:
    until = time.monotonic() + 60
    while len(server.received) < count:
        assert time.monotonic() < until, f"{len(server.received)} of {count} messages came"
        time.sleep(0.05)


def test_what_a_killed_console_had_to_tell_the_next_one_tells_with_the_same_id(tmp_path: Path) -> None:
    with hostile(decides(lambda _: OK)) as target, hostile(in_turn(http(503), http(204))) as hook:
        environment = describe(target, hook)
        first = start(tmp_path / "data", environment)
        try:
            sent = send(tmp_path, environment, "--wait")
            assert sent.returncode == 0, sent.stderr
            wait_for(hook, 1)
        finally:
            first.kill()
        second = start(tmp_path / "data", environment)
        try:
            wait_for(hook, 2)
        finally:
            second.stop()
        failed, taken = hook.received
    assert failed.headers["webhook-id"] == taken.headers["webhook-id"]
    assert failed.body == taken.body
    assert json.loads(taken.body)["data"]["events"] == {"accepted": 3}
    assert (taken.path, json.loads(taken.body)["type"]) == ("/T0KEN", "batch.done")
    for secret in ("T0KEN", SECRET, "s3cretS3cret"):
        assert secret not in first.log + second.log + sent.stdout + sent.stderr


def test_the_command_line_alone_tells_it_too_or_says_that_it_did_not(tmp_path: Path) -> None:
    with hostile(decides(lambda _: OK)) as target, hostile(in_turn(http(204), http(500))) as hook:
        environment = describe(target, hook)
        sent = send(tmp_path, environment)
        assert (sent.returncode, len(hook.received)) == (0, 1), sent.stderr
        assert "webhook" not in sent.stderr
        again = send(tmp_path, environment, "--new-ids", "--again")
        assert again.returncode == 0, again.stderr
        assert "was not told yet. 127.0.0.1" in again.stderr
        assert "answered 500" in again.stderr
        assert "T0KEN" not in again.stderr
