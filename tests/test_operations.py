"""``docs/operations.md``: each of its commands is tried, and backup and restore are rehearsed and timed."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine

import run
from intempt_core.history import BatchState, BatchSummary, History, RequestState, migrations
from intempt_core.settings import Settings
from tests.bench.consoles import free_port, start
from tests.core.dispatch.factories import OK, decides
from tests.core.history.test_versions import versions, written_by
from tests.core.transport.fault_server import HostileServer, hostile

PAGE = run.ROOT / "docs" / "operations.md"
EVENTS = 100_000

TRIED = {
    "CONSOLE_PASSWORD=… CONSOLE_BIND=0.0.0.0 CONSOLE_HOSTS=http://10.0.0.5:8501 python3 run.py": (
        "tests/test_access.py::test_beyond_loopback_the_password_opens_screens_sockets_and_routes"
    ),
    "export CONSOLE_PASSWORD=… POSTGRES_PASSWORD=…": (
        "tests/test_proxy.py::test_compose_describes_a_database_a_proxy_two_consoles_and_two_workers"
    ),
    "docker compose up --wait": "",  # said to be untried
    "export CONSOLE_DATABASE_URL=postgresql+psycopg://console:password@10.0.0.4:5432/console": (
        "tests/core/cli/test_move.py::test_the_examples_of_its_help_can_be_called"
    ),
    "event-console move": "tests/core/dispatch/test_moved_history.py::"
    "test_what_never_left_is_sent_once_what_was_in_flight_is_unknown_and_what_was_accepted_is_not_sent_again",
    "event-console worker --metrics-port 9100": "tests/test_operations.py::test_a_worker_serves_its_metrics_and_health",
    "event-console settings": (
        "tests/core/cli/test_settings_command.py::"
        "test_every_setting_is_printed_with_its_value_its_origin_and_its_meaning"
    ),
    "event-console backup backups/monday": "tests/test_operations.py::test_a_lost_data_folder_is_restored",
    "event-console restore backups/monday": "tests/test_operations.py::test_a_lost_data_folder_is_restored",
    "event-console backup backups/before-upgrade": "tests/test_operations.py::test_an_upgrade_has_a_way_back",
    "pip install -c constraints.txt -r requirements.txt dist/event_console-*.whl": (
        "tests/test_image.py::test_its_steps_work_from_a_read_only_tree_and_it_runs_as_another_user_on_a_read_only_root"
    ),
    "event-console": (
        "tests/test_image.py::test_its_steps_work_from_a_read_only_tree_and_it_runs_as_another_user_on_a_read_only_root"
    ),
}
"""Each command of the page, and the test that tries it."""


def test_each_command_of_the_page_is_tried_by_a_test_that_is_there() -> None:
    lines = [line[4:] for line in PAGE.read_text().splitlines() if line.startswith("    ")]
    commands = [line for line in lines if re.match(r"[A-Z_]+=|export |docker |event-console|python3 |pip ", line)]
    assert sorted(set(commands)) == sorted(TRIED)
    for place in filter(None, TRIED.values()):
        file, _, name = place.partition("::")
        assert f"def {name}(" in (run.ROOT / file).read_text(), place


# ── the rehearsal ────────────────────────────────────────────────────────────────────────────────────────────────────


def call(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    given = {**os.environ, **environment}
    command = [sys.executable, "-m", "intempt_core", *arguments]
    return subprocess.run(command, cwd=run.ROOT, env=given, capture_output=True, text=True, check=False)


def wait_until(holds: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def describe(target: HostileServer, data: Path, url: str) -> dict[str, str]:
    fields = {"HOST": target.url, "ORG": "acme", "PROJECT": "shop", "SOURCE": "1001", "KEY": "prefix.s3cretS3cret"}
    described = {f"CONSOLE_TARGET_SHOP_{name}": value for name, value in fields.items()}
    return described | {"CONSOLE_DATA": str(data)} | ({"CONSOLE_DATABASE_URL": url} if url else {})


@contextmanager
def read_batch(environment: dict[str, str]) -> Iterator[Callable[[], BatchSummary]]:
    """What history has of the one batch, whenever it is asked."""
    with closing(History.open(Settings.from_environment(environment).history_url)) as history:
        yield lambda: history.queries.batches(size=2).items[0]


def write_events(file: Path) -> None:
    rows = (f"Product viewed,e{n},u{n % 997},2026-11-01T10:00:00Z,p{n % 50}" for n in range(EVENTS))
    file.write_text("name,eventId,userId,timestamp,data.productId\n" + "\n".join(rows) + "\n")


def rehearse(folder: Path, url: str, empty_url: str) -> None:
    """A console that sends is backed up, killed and its data deleted; restored, nothing is lost and nothing sent."""
    write_events(folder / "events.csv")
    with hostile(decides(lambda _: OK, 0.05)) as target:
        environment = describe(target, folder / "data", url)
        console = start(folder / "data", environment)
        try:
            sent = call(environment, "send", str(folder / "events.csv"), "--target", "shop", "--yes")
            assert sent.returncode == 6, sent.stderr  # the console sends it
            wait_until(lambda: len(target.received) > 100)
            began = time.monotonic()
            made = call(environment, "backup", str(folder / "backup"))
            backup_seconds = time.monotonic() - began
            assert made.returncode == 0, made.stderr
            assert f"1 batch with {EVENTS:,} events" in made.stdout
        finally:
            console.kill()
        shutil.rmtree(folder / "data")
        environment = describe(target, folder / "data", empty_url)
        began = time.monotonic()
        restored = call(environment, "restore", str(folder / "backup"))
        restore_seconds = time.monotonic() - began
        assert restored.returncode == 0, restored.stderr
        assert "1 batch that was being sent is paused" in restored.stderr
        received = len(target.received)
        with read_batch(environment) as batch:
            second = start(folder / "data", environment)
            try:
                wait_until(lambda: not batch().requests.get(RequestState.IN_FLIGHT, 0))
                found = batch()
                assert (found.state, found.total) == (BatchState.PAUSED, EVENTS)
                assert found.reason.startswith("Restored from a backup of ")
                assert sum(found.events.values()) == EVENTS
                assert len(target.received) == received
            finally:
                second.stop()
        again = call(environment, "restore", str(folder / "backup"))
        assert again.returncode == 1
        assert "is not empty, and nothing was changed in it" in again.stderr or "is there already" in again.stderr
    for said in (made, restored, again):
        assert "s3cret" not in said.stdout + said.stderr
        assert "Traceback" not in said.stderr
    print(f"{EVENTS:,} events: backup {backup_seconds:.1f} s, restore {restore_seconds:.1f} s")  # noqa: T201  pytest -rP


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.timeout(600)
def test_a_lost_data_folder_is_restored(tmp_path: Path) -> None:
    rehearse(tmp_path, "", "")


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.timeout(600)
def test_a_lost_postgresql_database_is_restored(tmp_path: Path, postgres_url: str, empty_postgres_url: str) -> None:
    rehearse(tmp_path, postgres_url, empty_postgres_url)


@pytest.mark.long
def test_an_upgrade_has_a_way_back(tmp_path: Path) -> None:
    """A backup leaves what an earlier version wrote as it is, and restored it is in the newest form."""
    earlier = versions()[-2]
    environment = {"CONSOLE_DATA": str(tmp_path / "data"), "CONSOLE_CONFIG": str(tmp_path)}
    file = tmp_path / "data" / "history.sqlite3"
    file.parent.mkdir()
    engine = create_engine(f"sqlite:///{file}")
    written_by(earlier, engine)
    engine.dispose()
    before = file.read_bytes()
    made = call(environment, "backup", str(tmp_path / "backup"))
    assert (made.returncode, file.read_bytes() == before) == (0, True), made.stderr
    assert not list(file.parent.glob("*.backup-*"))
    restored = call(environment | {"CONSOLE_DATA": str(tmp_path / "new")}, "restore", str(tmp_path / "backup"))
    assert restored.returncode == 0, restored.stderr
    with closing(History.open(f"sqlite:///{tmp_path / 'new' / 'history.sqlite3'}")) as history:
        assert history.queries.batch("b_old").label == "old.csv"
        with history.database.reading() as connection:
            assert migrations.version(connection) == migrations.HEAD


@pytest.mark.long
@pytest.mark.untraced
def test_a_worker_serves_its_metrics_and_health(tmp_path: Path, postgres_url: str) -> None:
    port = free_port()
    environment = {"CONSOLE_DATA": str(tmp_path), "CONSOLE_DATABASE_URL": postgres_url, "CONSOLE_CONFIG": str(tmp_path)}
    command = [sys.executable, "-m", "intempt_core", "worker", "--metrics-port", str(port)]
    with (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(command, cwd=run.ROOT, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:

        def is_well() -> bool:
            assert worker.poll() is None, (tmp_path / "log").read_text()
            try:
                return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(is_well)
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert "event_console_database_up 1.0" in text
        assert 'event_console_queue_requests{state="pending"} 0.0' in text
    finally:
        worker.terminate()
        assert worker.wait(30) == 0
    assert "s3cret" not in (tmp_path / "log").read_text() + text
