"""Which start of the machine a file is of, where the system has a name for it and where it has none."""

import time
from pathlib import Path

import pytest

from intempt_core.dispatch.shared_turns import SharedTurns
from intempt_core.platforms import boot_clock, is_same_start, read_boot_clock, read_boot_id


def test_the_name_of_a_start_is_the_system_s_own() -> None:
    assert read_boot_id() == boot_clock._BOOT_ID_FILE.read_bytes().strip()
    assert is_same_start(read_boot_id(), read_boot_id())
    assert not is_same_start(read_boot_id(), b"another".ljust(36, b"\0"))


def test_without_a_name_it_is_the_moment_which_may_be_set_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot_clock, "_BOOT_ID_FILE", Path("/nowhere/boot_id"))
    here = read_boot_id()
    assert len(here) == boot_clock.BOOT_ID_BYTES
    assert is_same_start(here, read_boot_id())
    now = time.time()
    for moved, same in ((5, True), (-5, True), (3600, False), (-3600, False)):
        monkeypatch.setattr("time.time", lambda moved=moved: now + moved)
        assert is_same_start(here, read_boot_id()) is same


def test_after_a_restart_the_turns_of_before_count_for_nothing_without_a_name_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot_clock, "_BOOT_ID_FILE", Path("/nowhere/boot_id"))
    before = SharedTurns(tmp_path / "turns", lambda: 1e6)
    assert before.take(1.0, 5, 0).turns == 5
    assert before.take(1.0, 5, 0).turns == 0
    before.close()
    monkeypatch.setattr(boot_clock, "read_boot_clock", lambda: read_boot_clock() - 1e6)  # it counts from a new start
    after = SharedTurns(tmp_path / "turns", lambda: 10.0)
    assert after.take(1.0, 1, 0).turns == 1
    after.close()
