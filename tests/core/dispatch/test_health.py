"""The health check: well, or what keeps the process from sending."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from intempt_core.dispatch import Dispatcher, check_health
from intempt_core.history import BatchState
from tests.core.dispatch.factories import OK, decides, make_setup, plan_of
from tests.core.transport.fault_server import hostile

pytestmark = pytest.mark.sqlite_only("it locks, damages and takes away SQLite's file")


def test_a_process_that_sends_is_well_and_reports_the_queue(tmp_path: Path) -> None:
    with hostile(decides(lambda _: OK, 0.05)) as server:
        at = make_setup(tmp_path, server.url)
        dispatcher = at.dispatcher()
        assert check_health(at.history, dispatcher, "1.2")[0] is False  # it is not started
        batch = at.record(plan_of(40, persons=2))
        dispatcher.start(durable=True)
        at.until(lambda: dispatcher.status.sending)
        well, details = check_health(at.history, dispatcher, "1.2")
        assert well
        assert (details["status"], details["version"], details["database"]) == (
            "ok",
            "1.2",
            {"ok": True, "trouble": ""},
        )
        assert (details["engine"]["durable"], details["engine"]["sending"], details["engine"]["owner"]) == (
            True,
            1,
            "me",
        )
        assert details["queue"]["batches"] == 1
        assert 0 < details["queue"]["requests"] <= 40
        dispatcher.pause(batch)
        assert check_health(at.history, dispatcher, "1.2")[1]["queue"] == {"batches": 0, "requests": 0}
        dispatcher.stop()
        assert not check_health(at.history, dispatcher, "1.2")[0]
        at.history.close()


def test_a_history_that_is_gone_or_takes_no_writes_is_not_well(tmp_path: Path) -> None:
    with hostile(decides(lambda _: OK, 0.01)) as server:
        at = make_setup(tmp_path, server.url)
        dispatcher: Dispatcher = at.dispatcher()
        dispatcher.start()
        file = tmp_path / "history.sqlite3"
        file.rename(file.with_suffix(".away"))
        well, details = check_health(at.history, dispatcher, "1.2")
        assert not well
        assert details["queue"] is None
        assert "is gone" in details["database"]["trouble"]
        file.with_suffix(".away").rename(file)
        batch = at.record(plan_of(60))
        at.until(lambda: dispatcher.status.sending)
        with closing(sqlite3.connect(file, isolation_level=None)) as thief:
            thief.execute("BEGIN EXCLUSIVE")
            at.until(lambda: dispatcher.status.trouble)
            well, details = check_health(at.history, dispatcher, "1.2")
            assert not well
            assert "is locked" in details["engine"]["trouble"]
            thief.execute("ROLLBACK")
        assert at.over(batch).state is BatchState.DONE
        assert check_health(at.history, dispatcher, "1.2")[0]
        dispatcher.stop()
        at.history.close()


def test_a_history_that_takes_no_writes_is_not_well_though_nothing_is_sent(tmp_path: Path) -> None:
    at = make_setup(tmp_path, "http://127.0.0.1:9")
    dispatcher = at.dispatcher()
    dispatcher.start()
    with closing(sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)) as thief:
        thief.execute("BEGIN IMMEDIATE")
        well, details = check_health(at.history, dispatcher, "1.2")
        assert not well
        assert "is locked by another program" in details["database"]["trouble"]
        thief.execute("ROLLBACK")
    at.record(plan_of(1), owner="another")
    assert check_health(at.history, dispatcher, "1.2")[0]
    dispatcher.stop()
    at.history.close()


DIES = """
import os, sys
from pathlib import Path
from tests.core.dispatch.factories import make_setup
at = make_setup(Path(sys.argv[1]), "http://127.0.0.1:9")
at.dispatcher().start()
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("ends", ["killed", pytest.param("in good order", marks=pytest.mark.long)])
def test_damage_is_looked_for_after_an_end_that_was_not_clean(tmp_path: Path, ends: str) -> None:
    at = make_setup(tmp_path, "http://127.0.0.1:9")
    if ends == "killed":
        subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], cwd=Path(__file__).parents[3], check=False)
        assert list((tmp_path / "owners").iterdir())
    else:
        before = at.dispatcher()
        before.start()
        before.stop()
    with closing(sqlite3.connect(tmp_path / "history.sqlite3")) as opened:
        (root,) = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'excluded_rows'").fetchone()
        (size,) = opened.execute("PRAGMA page_size").fetchone()
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    at.history.close()
    with (tmp_path / "history.sqlite3").open("r+b") as raw:
        raw.seek((root - 1) * size)
        raw.write(b"\xff" * size)
    at = make_setup(tmp_path, "http://127.0.0.1:9")
    dispatcher = at.dispatcher(owner="next")
    dispatcher.start()
    at.history.integrity.wait(20)
    well, details = check_health(at.history, dispatcher, "1.2")
    assert well is (ends == "in good order")
    assert ("is damaged" in details["database"]["trouble"]) is (ends == "killed")
    assert bool(at.history.notices) is (ends == "killed")
    dispatcher.stop()
    at.history.close()
