"""The core where nothing is that only Linux has: a Python that looks like Windows runs whole commands.

It cannot be run on Windows here. What is taken away, and what stands for Windows' own locks, is in
``as_windows/sitecustomize.py``.
"""

import csv
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
ROWS = "name,userId,productId,eventId\r\nProduct viewed,u1,p1,e1\r\nAdded to cart,u2,p2,e2\r\n"

IMPORT_ALL = """
import importlib, pkgutil, sys, intempt_core
assert sys.platform == "win32" and not hasattr(__import__("os"), "fork")
try:
    import fcntl
except ImportError:
    pass
else:
    raise SystemExit("it is Linux")
names = [m.name for m in pkgutil.walk_packages(intempt_core.__path__, "intempt_core.")]
names = [name for name in names if "migrations" not in name and not name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""

LOCKS = """
import subprocess, sys
from pathlib import Path
from intempt_core.dispatch.process_locks import acquire_lock, is_lock_held
from intempt_core.dispatch.shared_turns import SharedTurns
path = Path("folder") / "a.lock"
lock = acquire_lock(path, {"pid": 7})
asks = "from pathlib import Path; from intempt_core.dispatch.process_locks import is_lock_held as h, acquire_lock as a"
asks += f"; p = Path({str(path)!r}); print(h(p), a(p, timeout=0) is not None)"
def ask():
    return subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True).stdout.split()
print(*ask(), path.read_text())
lock.release()
print(*ask(), path.exists(), is_lock_held(path))
turns = SharedTurns(Path("turns"))
print(turns.take(1.0, 2, 0).turns, turns.take(1.0, 1, 0).turns)
"""

WORKER = """
from pathlib import Path
from threading import Semaphore
from intempt_core.settings import Settings
from intempt_core.workers import ReadFile
from intempt_core.workers.worker_process import WorkerProcess
given = Path("events.csv").absolute()
task = ReadFile(given, "digest", "events.csv")
worker = WorkerProcess(task, [], Settings(data=Path("data").absolute()), Path.cwd(), Semaphore(1))
print(worker.result().load().rows)
gone = WorkerProcess(ReadFile(given.with_name("gone.csv"), "x", "gone.csv"), [], Settings(), Path.cwd(), Semaphore(1))
try:
    gone.result()
except Exception as error:
    print(type(error).__name__, error)
"""


CONSOLE = """
import sys
sys.platform = "linux"  # while Streamlit is imported, which asks
import pandas, streamlit.web.bootstrap, streamlit.web.cli, watchdog.observers
sys.platform = "win32"
sys.argv = ["streamlit", "run", "app.py", "--server.port", PORT, "--server.address=127.0.0.1", "--server.headless=true"]
streamlit.web.cli.main()
"""


def build_environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LOOK_LIKE_WINDOWS": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "as_windows"), str(ROOT)]),
        "CONSOLE_DATA": str(folder / "data"),
        "HOME": str(folder),
    }


def run_as_windows(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env=build_environment(folder), capture_output=True, text=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "events.csv").write_bytes(ROWS.encode())
    return tmp_path


def test_every_module_is_imported_without_what_only_linux_has(folder: Path) -> None:
    done = run_as_windows(folder, "-c", IMPORT_ALL)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 200


def test_a_file_is_checked_and_sent_to_the_sandbox(folder: Path) -> None:
    """Lines end as Windows writes them, and so do those of the results."""
    sent = run_as_windows(
        folder, "-m", "intempt_core", "send", "events.csv", "--target", "sandbox", "--yes", "--results", "out.csv"
    )
    assert (sent.returncode, "Traceback" in sent.stderr) == (0, False), sent.stderr
    with (folder / "out.csv").open(newline="", encoding="utf-8-sig") as out:
        assert [(row["eventId"], row["outcome"]) for row in csv.DictReader(out)] == [
            ("e1", "accepted"),
            ("e2", "accepted"),
        ]


@pytest.mark.long
def test_a_lock_is_seen_by_another_process_and_can_be_taken_after_it(folder: Path) -> None:
    done = run_as_windows(folder, "-c", LOCKS)
    assert done.stderr == ""
    held, free, turns = done.stdout.splitlines()
    assert held == 'True False {"pid": 7}'
    assert free.split()[:2] == ["False", "True"]
    assert turns == "2 0"


@pytest.mark.long
def test_a_large_file_is_worked_on_in_the_same_process_with_the_same_sentences(folder: Path) -> None:
    done = run_as_windows(folder, "-c", WORKER)
    assert done.stdout.splitlines() == [
        "2",
        "ReadError gone.csv cannot be read: No such file or directory. Upload it again.",
    ], done.stderr


def test_windows_has_no_time_zones_so_their_names_come_with_the_base() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    (needed,) = [Requirement(line) for line in listed if line.startswith("tzdata")]
    assert needed.marker is not None
    assert [needed.marker.evaluate({"sys_platform": system}) for system in ("win32", "linux")] == [True, False]


@pytest.mark.long
def test_the_console_comes_up_with_its_engine_and_its_sandbox(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = build_environment(folder) | {"CONSOLE_PORT": port}
    with (folder / "log").open("wb") as log, subprocess.Popen(
        [sys.executable, "-c", CONSOLE.replace("PORT", repr(port))], cwd=ROOT, env=environment, stdout=log, stderr=log
    ) as console:  # fmt: skip
        try:
            until = time.monotonic() + 60
            while not is_well(f"http://127.0.0.1:{port}/healthz"):
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.2)
            assert is_well(f"http://127.0.0.1:{port}/")
        finally:
            console.terminate()
    assert '"event": "sending starts"' in (folder / "log").read_text()


def is_well(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=5).status == 200)
    except OSError:
        return False
