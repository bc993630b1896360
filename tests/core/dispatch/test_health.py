"""The health check: well, or what keeps the process from sending."""

import sqlite3
from contextlib import closing
from pathlib import Path

from intempt_core.dispatch import Dispatcher, check_health
from intempt_core.history import BatchState
from tests.core.dispatch.factories import OK, decides, make_setup, plan_of
from tests.core.transport.fault_server import hostile


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
