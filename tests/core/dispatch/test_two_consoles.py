"""Two consoles on one data folder, and an engine file that is damaged: each is said, and true."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from intempt_core.history import BatchState
from tests.core.dispatch.factories import OK, decides, got, make_setup, plan_of
from tests.core.transport.fault_server import hostile
from tests.examples import keep_first_quick

pytestmark = pytest.mark.sqlite_only("a folder has one console; on PostgreSQL any number shares one database")


def test_a_second_console_says_what_it_is_and_does_what_it_says(tmp_path: Path) -> None:
    with hostile(decides(lambda _: OK)) as server:
        at = make_setup(tmp_path, server.url)
        first = at.dispatcher(owner="first", url="http://127.0.0.1:8501")
        second = at.dispatcher(owner="second")
        assert second.notices == []
        first.start(durable=True)
        second.start()
        assert first.notices == []
        (notice,) = second.notices
        assert f"(http://127.0.0.1:8501, process {os.getpid()})" in notice
        assert "without the durable engine" in notice
        assert (first.status.durable, second.status.durable) == (True, False)
        own, handed_over = at.record(plan_of(3), owner="second"), at.record(plan_of(3), owner="first")
        at.until(lambda: at.state(own) is at.state(handed_over) is BatchState.DONE, 60)
        first.stop()
        at.until(lambda: not second.notices, 60)  # it takes its place
        left = at.record(plan_of(3), owner="ended")
        at.until(lambda: at.state(left) is BatchState.DONE, 60)
        second.stop()
        assert len(got(server)) == 9
        at.history.close()


@pytest.mark.parametrize("how", keep_first_quick(["no database", "a page", "tables of others", "empty"]))
def test_a_damaged_engine_file_is_moved_aside_and_what_was_pending_is_sent(tmp_path: Path, how: str) -> None:
    with hostile(decides(lambda _: OK)) as server:
        at = make_setup(tmp_path, server.url)
        before = at.dispatcher()
        before.start(durable=True)
        before.stop()
        file = tmp_path / "engine.sqlite3"
        content = break_file(file, how)
        batch = at.record(plan_of(20), owner="ended")
        dispatcher = at.dispatcher(owner="next")
        dispatcher.start(durable=True)
        at.until(lambda: at.state(batch) is BatchState.DONE, 60)
        assert dispatcher.status.durable
        moved = list(tmp_path.glob("engine.sqlite3.damaged-*"))
        if how == "empty":  # that is a new one
            assert (moved, dispatcher.notices) == ([], [])
        else:
            (aside,) = (path for path in moved if not path.name.endswith(("-wal", "-shm")))
            assert aside.read_bytes() == content
            (notice,) = dispatcher.notices
            assert f"It was moved to {aside}" in notice
            assert "go on from history, as after a crash" in notice
        dispatcher.stop()
        assert sorted(got(server)) == sorted(f"e{number}" for number in range(20))
        at.history.close()


def break_file(file: Path, how: str) -> bytes:
    """Damage a database; its content then."""
    if how == "tables of others":
        with closing(sqlite3.connect(file)) as opened:
            opened.execute("DROP TABLE workflow_status")
            opened.execute("CREATE TABLE workflow_status (something)")
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    elif how == "a page":
        with closing(sqlite3.connect(file)) as opened:
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            found = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'workflow_status'").fetchone()
            (size,) = opened.execute("PRAGMA page_size").fetchone()
        with file.open("r+b") as raw:
            raw.seek((found[0] - 1) * size)
            raw.write(b"\xff" * size)
    else:
        for part in ("-wal", "-shm"):
            file.with_name(file.name + part).unlink(missing_ok=True)
        file.write_bytes(b"no database" * 1000 if how == "no database" else b"")
    return file.read_bytes()
