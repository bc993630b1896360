"""Start, test, check and measure the console, from nothing but a Python of 3.11 or newer.

    python3 run.py                  start the console; options are Streamlit's: python3 run.py start --server.port 8502
    python3 run.py test             the tests; with arguments: pytest with these
    python3 run.py test --all       after test: the long tests, every example of the laws, and the core's coverage
    python3 run.py check            format, lint, types, layers; with a name: that one, with its tool's own arguments
    python3 run.py bench [NAME…]    the benchmarks whose names begin so, one JSON object a line
    python3 run.py docs             write the pages of docs/ that follow from the code: issues.md, settings.md
    python3 run.py pictures [FILE]  pictures of every screen and its ugly states; with FILE of a first run too
    python3 run.py help             these lines

It makes .venv beside itself at the first call, and again when requirements*.txt or the Python change.
"""
# Only the standard library, and only syntax that Python 3.6 can read: this file must live to say what is missing.

import sys

if sys.version_info < (3, 11):
    sys.exit(
        f"The console needs Python 3.11 or newer; {sys.executable} is {sys.version_info[0]}.{sys.version_info[1]}. "
        "With a newer one installed, start it by its name: python3.11 run.py"
    )

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

ROOT = Path(__file__).resolve().parent

if TYPE_CHECKING:
    from intempt_core.cli.commands import launch
else:  # by its path: the package around it needs what is not installed yet
    _found = importlib.util.spec_from_file_location("launch", ROOT / "intempt_core" / "cli" / "commands" / "launch.py")
    launch = importlib.util.module_from_spec(_found)
    sys.modules[_found.name] = launch
    _found.loader.exec_module(launch)

VENV = ROOT / ".venv"
PROGRAMS = VENV / ("Scripts" if sys.platform == "win32" else "bin")
PYTHON = PROGRAMS / ("python.exe" if sys.platform == "win32" else "python")
PACKAGES = ("Lib" if sys.platform == "win32" else "lib/python3*") + "/site-packages/*.dist-info"
STAMP = VENV / "installed.json"
LOG = VENV / "install.log"

CONSOLE = ("requirements.txt",)
TESTS = ("requirements.txt", "requirements-test.txt")
BENCH = ("requirements.txt", "requirements-test.txt", "requirements-bench.txt")  # some benchmarks repeat tests

LOCK_RETRY_SECONDS = 0.2
"""How often it is looked whether another run.py has installed."""

ALL_TESTS = "--all"
"""The argument of ``test`` with which what it leaves out runs: the tests marked ``long``, and coverage is measured."""

ELSEWHERE = ("--no-warn-unreachable", "app.py", "run.py", "pages", "intempt_core")
"""Whose types are checked for other systems: what runs there; the tests run on Linux. What follows the way out of a
function that one system takes cannot be reached on it."""

CHECKS = {
    "format": ("ruff", "format", "--check", "--output-format", "concise"),
    "lint": ("ruff", "check"),
    "types": ("mypy",),
    "types-windows": ("mypy", "--platform", "win32", "--cache-dir", ".mypy_cache/windows", *ELSEWHERE),
    "types-macos": ("mypy", "--platform", "darwin", "--cache-dir", ".mypy_cache/macos", *ELSEWHERE),
    "layers": ("lint-imports", "--no-logo"),
}

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


NOT_TESTED = f"""
{"=" * 100}
NOT TESTED: the screens in a browser. There is no Chromium, and none could be installed.
Install one, or name one: CHROMIUM=/path/to/chrome python3 run.py test
{"=" * 100}"""


class Missing(Exception):
    """Something is missing or in the way. ``str(error)`` says what, and what to do about it."""


# ── .venv ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ensure_installed(files: Sequence[str]) -> None:
    """Have a .venv that holds these requirement files; quick where it is so already. Raises :class:`Missing`.

    Other pins or a lost package are installed over it; what is half made, moved or of another Python is made again.
    """
    if _is_installed(files):
        return
    with _lock_install():
        if _is_installed(files):  # the other one has done it
            return
        stamp = _stamp()
        whole = PYTHON.exists() and stamp["python"] == _python()
        wanted = list(dict.fromkeys([*(stamp["files"] if whole else ()), *files]))
        if not whole:
            _make_venv()
        STAMP.unlink(missing_ok=True)
        _install(wanted)
        stamp = {
            "python": _python(),
            "files": {name: _hash_requirements(name) for name in wanted},
            "packages": _packages(),
        }
        STAMP.write_text(json.dumps(stamp, indent=1), "utf-8")


def _is_installed(files: Sequence[str]) -> bool:
    stamp = _stamp()
    return (
        PYTHON.exists()
        and stamp["python"] == _python()
        and set(files) <= set(stamp["files"])
        and all(_hash_requirements(name) == stamp["files"][name] for name in files)
        and set(stamp["packages"]) <= set(_packages())
    )


def _stamp() -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        stamp = json.loads(STAMP.read_text("utf-8"))
        if isinstance(stamp, dict) and {"python", "files", "packages"} <= set(stamp):
            return stamp
    return {"python": "", "files": {}, "packages": []}


def _python() -> str:
    """Which Python made .venv, and where: it holds the paths of both."""
    return f"{sys.version.split()[0]} of {sys.base_prefix} in {VENV}"


def _hash_requirements(name: str) -> str:
    texts = [path.read_bytes() for path in (ROOT / name, ROOT / "constraints.txt") if path.exists()]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def _packages() -> list[str]:
    return sorted(path.name for path in VENV.glob(PACKAGES))


@contextlib.contextmanager
def _lock_install() -> Iterator[None]:
    """One run.py at a time makes .venv. The lock goes with its process, however that ends."""
    with _explain_os_errors(), (ROOT / ".venv.lock").open("w") as lock:
        if not _try_lock(lock.fileno()):
            print_line("Another run.py is installing; waiting for it.")
            while not _try_lock(lock.fileno()):
                time.sleep(LOCK_RETRY_SECONDS)
        yield


def _try_lock(descriptor: int) -> bool:
    """Lock an open file; whether no other process has it locked."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def _make_venv() -> None:
    lacking = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if lacking:
        raise Missing(
            f"{sys.executable} cannot make a virtual environment: it has no {' and no '.join(lacking)} module. "
            f"On Debian or Ubuntu: apt-get install python3.{sys.version_info.minor}-venv"
        )
    import venv  # noqa: PLC0415  Debian has it in a package of its own

    try:
        venv.create(VENV, clear=True, symlinks=sys.platform != "win32", with_pip=True)
    except subprocess.CalledProcessError as error:
        raise Missing(explain_failure(error.output.decode(errors="replace"))) from None
    except ValueError as error:  # .venv is there and is no folder
        raise Missing(f"{error}. Remove {VENV} and start again.") from None


def _install(files: Sequence[str]) -> None:
    print_line(f"Installing {', '.join(files)} into .venv: half a minute or two.")
    began = time.monotonic()
    # Packages are compiled where they are first needed, and then kept: that halves the wait.
    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--no-compile", "--retries", "2", "--progress-bar", "off"]
    pip += ["--disable-pip-version-check", *(part for name in files for part in ("-r", str(ROOT / name)))]
    with LOG.open("w") as log:
        made = subprocess.run(pip, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    if made.returncode:
        raise Missing(f"{explain_failure(LOG.read_text('utf-8', 'replace'))}\nThe whole output: {LOG}")
    print_line(f"Installed in {time.monotonic() - began:.0f} s.")


def explain_failure(output: str) -> str:
    """What stopped an installation, from what pip or ensurepip printed, as a sentence with its fix."""
    signs = {
        "No space left on device|Disk quota exceeded": NO_SPACE,
        "Permission denied|Read-only file system": NOT_WRITABLE,
        "NewConnectionError|ConnectTimeoutError|Connection refused|Connection reset|name resolution|timed out|"
        "ProxyError|SSLError|unreachable": "The package registry cannot be reached. "
        "Is there a network, and does pip know its proxy or mirror?",
        "No matching distribution found": "The package registry has no fitting version for "
        f"Python {sys.version_info.major}.{sys.version_info.minor}.",
    }
    sentence = next((message for sign, message in signs.items() if re.search(sign, output)), "Installing failed.")
    last = [line for line in output.splitlines() if line.startswith("ERROR")][-1:] or output.strip().splitlines()[-1:]
    return "\n  ".join([sentence, *last])


NO_SPACE = f"The disk is full: .venv needs about 600 MB, with what the tests need 900 MB, in {ROOT}."
NOT_WRITABLE = f"{ROOT} is not writable for this user, and .venv has to be made there."


@contextlib.contextmanager
def _explain_os_errors() -> Iterator[None]:
    """Turn an error of the operating system into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Missing(NO_SPACE) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise Missing(NOT_WRITABLE) from error
        raise


# ── start ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def start_console(arguments: Sequence[str]) -> NoReturn:
    """Become the console's server: signals reach it, its exit code is ours. The arguments are Streamlit's."""
    try:
        planned = launch.plan_launch(ROOT, arguments, os.environ, "python3 run.py start")
    except launch.LaunchError as error:
        raise Missing(str(error)) from None
    ensure_installed(CONSOLE)
    launch.start_server(planned, PYTHON)


# ── test, check, bench ───────────────────────────────────────────────────────────────────────────────────────────────


def run_tests(arguments: Sequence[str]) -> int:
    """The tests; or the long ones, and the core's coverage held to its limit; or what the arguments tell pytest."""
    ensure_installed(TESTS)
    browser = find_chromium()
    if browser is None and os.environ.get("CI") == "true":
        raise Missing("There is no Chromium, and none could be installed: the browser tests cannot run.")
    pytest = [str(PYTHON), "-m", "pytest"]
    environment = {**os.environ, "CHROMIUM": browser or ""}
    failed = [run_program([*pytest, *part], environment) for part in plan_test_runs(arguments)]
    if browser is None:
        print_line(NOT_TESTED)
    return max(failed)


def plan_test_runs(arguments: Sequence[str]) -> "list[list[str]]":
    """The arguments of each run of pytest, one after another. Raises :class:`Missing`.

    Tests in a browser run by themselves: Playwright keeps an event loop running, beside which no other test could start
    its own. The others share two cores among more processes, since many of them wait, not compute. Laws are tried with
    few examples, and with all of them where the long tests run; there coverage is measured too, which costs a tenth of
    the time and needs every test without a browser, the quick ones too. Of those in a browser only the long ones run
    there: a build server has called ``test`` just before. What floods a console with slow clients runs last and alone.
    """
    whole = list(arguments) == [ALL_TESTS]
    if arguments and not whole:
        if ALL_TESTS in arguments:
            raise Missing(f"{ALL_TESTS} chooses the tests and takes no other argument: python3 run.py test {ALL_TESTS}")
        return [list(arguments)]
    without_browser = ["--ignore=tests/browser", "--dist", "worksteal"]
    browser = ["tests/browser", "-n", "2"]
    if whole:
        alone = ["tests/test_slow_clients.py", "tests/core/web/test_slow_connections.py"]
        others = [*without_browser, *(f"--ignore={path}" for path in alone)]
        return [[*others, "-n", "3", "--cov", "--cov-report=term"], [*browser, "-m", "long"], alone]
    return [
        [*without_browser, "-n", "3", "-m", "not long", "--hypothesis-profile=quick"],
        [*browser, "-m", "not long"],
    ]


def find_chromium() -> "str | None":
    """A Chromium that starts: one on the machine, else Playwright's own, else Debian's. Raises :class:`Missing`."""
    named = os.environ.get("CHROMIUM")
    if named:
        if _starts(named):
            return named
        raise Missing(f"CHROMIUM is “{named}”, which does not start.")
    found = find_installed_chromium() or _find_playwright_chromium()
    if found:
        return found
    print_line("There is no Chromium on this machine; asking Playwright for its own.")
    subprocess.run([str(PYTHON), "-m", "playwright", "install", "chromium"], capture_output=True, check=False)
    found = _find_playwright_chromium()
    if not found and shutil.which("apt-get") and sys.platform == "linux" and os.geteuid() == 0:
        print_line("Playwright has none for this system; installing Debian's.")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run_program(["apt-get", "update", "-qq"], quiet)
        run_program(["apt-get", "install", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"], quiet)
        found = find_installed_chromium()
    return found


def find_installed_chromium() -> "str | None":
    """A Chromium or Chrome that the machine has and that starts."""
    return next((path for path in map(shutil.which, BROWSERS) if path and _starts(path)), None)


def _find_playwright_chromium() -> "str | None":
    asking = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    path = subprocess.run([str(PYTHON), "-c", asking], capture_output=True, text=True, check=False).stdout.strip()
    return path if path and _starts(path) else None


def _starts(path: str) -> bool:
    """Ubuntu has a chromium-browser that is only a notice, and Playwright's may lack libraries."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, check=False, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def run_checks(arguments: Sequence[str]) -> int:
    """Format, lint, types, layers, all of them even where one fails; or the one that the first argument names."""
    ensure_installed(TESTS)
    if arguments and arguments[0] not in CHECKS:
        raise Missing(f"There is no check “{arguments[0]}”; there are: {', '.join(CHECKS)}.")
    chosen = {arguments[0]: list(arguments[1:])} if arguments else {name: [] for name in CHECKS}
    failed = []
    for name, further in chosen.items():
        print_line(f"── {name}")
        tool, *its = CHECKS[name]
        if run_program([str(PROGRAMS / tool), *its, *further], os.environ):
            failed.append(name)
    print_line(f"Failed: {', '.join(failed)}." if failed else "Nothing to complain of.")
    return 1 if failed else 0


def run_benchmarks(arguments: Sequence[str]) -> int:
    """The benchmarks whose names begin with one of the arguments; all of them without."""
    ensure_installed(BENCH)
    return run_program([str(PYTHON), "-m", "tests.bench", *arguments], os.environ)


def write_docs(_arguments: Sequence[str]) -> int:
    """Write the pages of docs/ that follow from the code."""
    ensure_installed(TESTS)
    return run_program([str(PYTHON), "-m", "tests.generated_docs"], os.environ)


def take_pictures(arguments: Sequence[str]) -> int:
    """Take a picture of every screen and of its ugly states; with a file also those of the first run."""
    ensure_installed(TESTS)
    if find_chromium() is None:
        raise Missing("There is no Chromium, and none could be installed: there is nothing to take pictures with.")
    return run_program([str(PYTHON), "-m", "tests.browser.pictures", *arguments], os.environ)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def run_program(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program in the project's folder, its output ours; its exit code."""
    return subprocess.run(command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, check=False).returncode


def print_line(sentence: str) -> None:
    """Print a line at once, before another program prints."""
    print(sentence, flush=True)


def print_usage(_arguments: Sequence[str]) -> int:
    """Print the lines at the top of this file."""
    print_line((__doc__ or "").strip())
    return 0


COMMANDS = {
    "start": start_console,
    "test": run_tests,
    "check": run_checks,
    "bench": run_benchmarks,
    "docs": write_docs,
    "pictures": take_pictures,
    "help": print_usage,
}


def main(arguments: Sequence[str]) -> int:
    """Do what the first argument says, ``start`` where there is none. 1 with a sentence where something is missing."""
    name, *rest = arguments or ["start"]
    if name in ("-h", "--help"):
        name = "help"
    if name not in COMMANDS:
        print_line(f"There is no command “{name}”.\n")
        print_usage(())
        return 2
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every start would compile every package again
    try:
        with _explain_os_errors():
            return COMMANDS[name](rest)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
