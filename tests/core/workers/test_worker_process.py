"""A task in a process of its own: what it gives, what ends it, and what it knows of the console."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Semaphore

import pytest

from intempt_core.errors import ReadError
from intempt_core.platforms import read_resident_bytes
from intempt_core.settings import PROJECT_FOLDER, Settings
from intempt_core.workers.worker_process import WorkerProcess
from tests.core.workers.odd_tasks import OddTask, is_running, wait_until_gone
from tests.examples import keep_first_quick


def start(deed: str, folder: Path, *, slots: int = 2, reading_mb: int = 1_500) -> tuple[OddTask, WorkerProcess]:
    task = OddTask(deed, folder, deed)
    return task, WorkerProcess(task, [], Settings(data=folder, reading_mb=reading_mb), folder, Semaphore(slots))


def test_what_a_task_gives_comes_back_and_its_process_is_gone(tmp_path: Path) -> None:
    task, worker = start("give", tmp_path)
    assert worker.result().load() == "give"
    wait_until_gone(task.process())


def test_a_task_that_rejects_its_file_says_why_and_where(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="Line 7 is no line") as caught:
        start("reject", tmp_path)[1].result()
    assert caught.value.line == 7


def test_an_error_that_nobody_expected_names_its_place_and_no_text_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"could not be read: ZeroDivisionError at .*odd_tasks\.py:[0-9]+ run") as e:
        start("fail", tmp_path)[1].result()
    assert "a cell of the file" not in str(e.value)


def test_a_task_that_takes_too_much_memory_is_ended_with_a_sentence(tmp_path: Path) -> None:
    task, worker = start("eat", tmp_path, reading_mb=400)
    most = 0
    process = task.process()
    while not worker.done.is_set():
        most = max(most, read_resident_bytes(process))
        time.sleep(0.005)
    with pytest.raises(ReadError, match=r"takes more than 400 MB of memory\. Cut it into several files"):
        worker.result()
    wait_until_gone(process)
    assert most < 800_000_000


def test_a_process_that_the_system_ends_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="the process that did it was ended by SIGKILL"):
        start("die", tmp_path)[1].result()


def test_a_task_that_nobody_waits_for_any_more_is_ended(tmp_path: Path) -> None:
    task, worker = start("sleep", tmp_path)
    process = task.process()
    worker.end()
    wait_until_gone(process)
    assert worker.done.wait(5)


def test_a_task_waits_for_a_free_slot_and_can_be_ended_before_it_has_one(tmp_path: Path) -> None:
    slots, settings = Semaphore(1), Settings(data=tmp_path)
    first = OddTask("first", tmp_path, "sleep")
    running = WorkerProcess(first, [], settings, tmp_path, slots)
    first.process()
    waiting = WorkerProcess(OddTask("second", tmp_path, "give"), [], settings, tmp_path, slots)
    ended = WorkerProcess(OddTask("third", tmp_path, "give"), [], settings, tmp_path, slots)
    ended.end()
    assert ended.done.wait(5)
    assert not waiting.done.wait(0.5)
    running.end()
    assert waiting.result().load() == "give"
    assert not (tmp_path / "third.pid").exists()


def test_the_process_gives_way_and_has_no_key_of_the_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEMPT_API_KEY", "prefix.secret")
    monkeypatch.setenv("CONSOLE_TARGET_SHOP_KEY", "prefix.secret")
    monkeypatch.setenv("CONSOLE_PASSWORD", "secret")
    seen = start("look", tmp_path)[1].result().load()
    assert seen["nice"] >= min(os.nice(0) + 10, 19)  # the lowest priority that there is
    assert seen["arrow threads"] == (1, 1)
    assert seen["first to go"] > int(Path("/proc/self/oom_score_adj").read_text())
    assert not {name for name in seen["environment"] if name.startswith(("INTEMPT", "CONSOLE", "STREAMLIT"))}


def test_the_process_is_a_new_one_and_no_copy_of_the_console(tmp_path: Path) -> None:
    """A copy would have the console's locks, connections and keys."""
    seen = start("look", tmp_path)[1].result().load()
    assert seen["command"] == [b"-P", b"-m", b"intempt_core.workers.child"]
    assert seen["parent"] == os.getpid()


PARENT = """
import sys
from tests.examples import keep_first_quick
from pathlib import Path
from threading import Semaphore
from intempt_core.platforms import read_resident_bytes
from intempt_core.settings import Settings
from intempt_core.workers.worker_process import WorkerProcess
from tests.core.workers.odd_tasks import OddTask
folder = Path(sys.argv[1])
WorkerProcess(OddTask("sleep", folder, "sleep"), [], Settings(data=folder), folder, Semaphore(1)).result()
"""


@pytest.mark.parametrize("how", keep_first_quick([signal.SIGKILL, signal.SIGTERM]))
def test_the_process_ends_with_the_console_however_that_ends(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=PROJECT_FOLDER) as console:
        process = OddTask("sleep", tmp_path, "sleep").process()
        assert is_running(process)
        console.send_signal(how)
        console.wait(10)
    wait_until_gone(process)
