"""run.py on a machine that has nothing, or nearly nothing: real calls, in a project of two files and no network."""

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import run
from intempt_core.cli.commands import launch

PACKAGE = "tidy_example"

QUICK_SECONDS = 60
"""How long a call that installs nothing may take beside much other work; by itself it takes a tenth of a second."""


def wheel(folder: Path, version: str) -> Path:
    """A package that needs no network."""
    path = folder / f"{PACKAGE}-{version}-py3-none-any.whl"
    about = f"{PACKAGE}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{PACKAGE}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", f"{PACKAGE}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that run.py serves: what it needs is a wheel beside it, its benchmark prints the wheel's version."""
    folder = tmp_path / "a project"  # with a space, as people have them
    (folder / "tests" / "bench").mkdir(parents=True)
    (folder / ".streamlit").mkdir()
    shutil.copy(run.ROOT / "run.py", folder)
    (folder / "intempt_core" / "cli" / "commands").mkdir(parents=True)
    shutil.copy(launch.__file__, folder / "intempt_core" / "cli" / "commands")
    shutil.copy(run.ROOT / ".streamlit" / "config.toml", folder / ".streamlit")
    (folder / "requirements.txt").write_text(f"{PACKAGE}==1.0\n")
    for name in ("requirements-test.txt", "requirements-bench.txt"):
        (folder / name).write_text("# nothing\n")
    (folder / "tests" / "bench" / "__main__.py").write_text(f"import {PACKAGE}\nprint({PACKAGE}.VERSION)\n")
    for version in ("1.0", "2.0"):
        wheel(folder, version)
    return folder


def calls(project: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": project.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    return subprocess.Popen(
        [sys.executable, str(project / "run.py"), *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(project), **offline, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(call: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = call.communicate(timeout=120)
    return call.returncode, output


def last(outcome: tuple[int, str]) -> tuple[int, str]:
    return outcome[0], outcome[1].splitlines()[-1]


@pytest.mark.long
def test_a_first_call_installs_and_the_next_is_quick(project: Path) -> None:
    code, output = said(calls(project, "bench"))
    assert (code, output.splitlines()[-1], output.count("Installed in")) == (0, "1.0", 1)
    began = time.monotonic()
    assert said(calls(project, "bench")) == (0, "1.0\n")
    assert time.monotonic() - began < QUICK_SECONDS


@pytest.mark.long
def test_two_first_calls_install_once_the_next_is_quick_and_what_changed_is_installed_again(project: Path) -> None:
    both = [said(call) for call in [calls(project, "bench"), calls(project, "bench")]]
    assert [last(each) for each in both] == [(0, "1.0"), (0, "1.0")]
    assert sum(output.count("Installed in") for _, output in both) == 1
    began = time.monotonic()
    assert said(calls(project, "bench")) == (0, "1.0\n")
    assert time.monotonic() - began < QUICK_SECONDS

    (project / "requirements.txt").write_text(f"{PACKAGE}==2.0\n")
    assert last(said(calls(project, "bench"))) == (0, "2.0")
    for lost in project.glob(f".venv/lib/*/site-packages/{PACKAGE}*"):
        shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    assert last(said(calls(project, "bench"))) == (0, "2.0")

    (project / "requirements.txt").write_text(f"{PACKAGE}==3.0\n")
    code, output = said(calls(project, "bench"))
    assert (code, "The package registry has no fitting version" in output) == (1, True)
    stranger = project / ".venv" / "stranger"
    stranger.touch()
    (project / "requirements.txt").write_text(f"{PACKAGE}==1.0\n")
    assert last(said(calls(project, "bench"))) == (0, "1.0")
    assert not stranger.exists()  # what was half done has been made again

    (project / "requirements.txt").write_text(f"{PACKAGE}==2.0\n")
    code, output = said(
        calls(project, "bench", PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL=unreachable_registry())
    )
    assert (code, "The package registry cannot be reached." in output) == (1, True)
    assert "Traceback" not in output


def unreachable_registry() -> str:
    """The address of a registry at a port where no program listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}/simple"


def test_a_python_without_ensurepip_names_the_package_to_install(project: Path) -> None:
    blind = "import importlib.util, runpy, sys\n"
    blind += "find = importlib.util.find_spec\n"
    blind += "importlib.util.find_spec = lambda name, *rest: None if name == 'ensurepip' else find(name, *rest)\n"
    blind += f"sys.argv = ['run.py', 'bench']\nrunpy.run_path({str(project / 'run.py')!r}, run_name='__main__')\n"
    done = subprocess.run([sys.executable, "-c", blind], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"apt-get install python3.{sys.version_info.minor}-venv" in done.stderr


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: [Errno 30] Read-only file system: '/srv/.venv'", "is not writable"),
        ("WARNING: Retrying … Temporary failure in name resolution", "The package registry cannot be reached"),
        ("ERROR: something unheard of", "Installing failed.\n  ERROR: something unheard of"),
        ("", "Installing failed."),
    ],
)
def test_what_stopped_pip_becomes_a_sentence(output: str, sentence: str) -> None:
    assert sentence in run.explain_failure(output)


def test_a_taken_port_is_said_before_anything_is_installed(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = said(calls(project, "start", "--server.port", str(port)))
        assert (code, said(calls(project, CONSOLE_PORT=str(port)))[1]) == (1, output)
    assert f"Port {port} is taken" in output
    assert "Installing" not in output


@pytest.mark.parametrize(
    ("arguments", "environment", "place"),
    [
        ([], {}, ("127.0.0.1", 8501)),
        ([], {"CONSOLE_PORT": "9000"}, ("127.0.0.1", 9000)),
        (["--server.port=9001"], {"CONSOLE_PORT": "9000"}, ("127.0.0.1", 9001)),
        (["--server.port", "1", "--server.port", "9002", "--server.address", "0.0.0.0"], {}, ("0.0.0.0", 9002)),  # noqa: S104
        ([], {"CONSOLE_BIND": " 10.0.0.5 "}, ("10.0.0.5", 8501)),
        ([], {"CONSOLE_BIND": "10.0.0.5", "STREAMLIT_SERVER_ADDRESS": "10.0.0.6"}, ("10.0.0.6", 8501)),
        (["--server.address=::1"], {"CONSOLE_BIND": "10.0.0.5"}, ("::1", 8501)),
        (["--server.address", ""], {"CONSOLE_BIND": "127.0.0.1"}, ("0.0.0.0", 8501)),  # noqa: S104  as Streamlit takes it
    ],
)
def test_the_address_and_the_port_come_from_the_arguments_then_the_environment_then_the_file(
    arguments: list[str], environment: dict[str, str], place: tuple[str, int]
) -> None:
    assert launch.find_address(run.ROOT, arguments, environment) == place


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--server.address", "0.0.0.0"], {}),  # noqa: S104
        (["--server.address=::"], {}),
        (["--server.address="], {}),
        ([], {"CONSOLE_BIND": "10.0.0.5"}),
        ([], {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0", "CONSOLE_BIND": "127.0.0.1"}),  # noqa: S104
        ([], {"CONSOLE_BIND": "console.example", "CONSOLE_PASSWORD": "  ", "CONSOLE_UNPROTECTED": "0"}),
    ],
)
def test_an_address_that_others_reach_needs_a_password_before_anything_is_installed_or_opened(
    project: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    code, output = said(calls(project, "start", *arguments, **environment))
    assert code == 1
    assert re.fullmatch(r"The console cannot start\. It would listen at \S+, where other machines .*\n", output), output


def test_the_address_of_the_configuration_needs_a_password_too(project: Path) -> None:
    config = project / ".streamlit" / "config.toml"
    given = config.read_text()
    for line in ('address = "0.0.0.0"', 'address = ""', ""):
        config.write_text(given.replace('address = "127.0.0.1"', line))
        assert "nothing would ask who is there" in said(calls(project, "start"))[1]


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_an_impossible_port_is_said_plainly(port: str) -> None:
    with pytest.raises(launch.LaunchError, match="1 to 65535"):
        launch.find_address(run.ROOT, ["--server.port", port], {})


def test_an_unknown_command_shows_what_there_is(project: Path) -> None:
    code, output = said(calls(project, "begin"))
    assert code == 2
    assert "There is no command “begin”." in output
    assert "python3 run.py bench" in output


def test_after_test_all_runs_what_it_left_out_and_coverage_is_that_of_every_test_without_a_browser() -> None:
    quick, quick_browser = run.plan_test_runs([])
    rest, browser, alone = run.plan_test_runs(["--all"])
    for part in (quick, quick_browser):
        assert part[part.index("-m") + 1] == "not long"
    assert all("-m" not in part for part in (rest, alone))
    assert quick_browser[:-1] == browser[:-1]
    assert browser[-2:] == ["-m", "long"]
    assert ("--hypothesis-profile=quick" in quick, "--hypothesis-profile=quick" in rest) == (True, False)
    assert ["--cov" in part for part in (quick, rest, browser, alone)] == [False, True, False, False]
    assert {part for part in rest if part.startswith("--ignore")} == {
        f"--ignore={path}" for path in (browser[0], *alone)
    }
    assert {part for part in quick if part.startswith("--ignore")} == {f"--ignore={browser[0]}"}
    assert all((run.ROOT / part[0]).exists() for part in (browser, alone))


def test_other_arguments_are_those_of_pytest_and_all_stands_alone() -> None:
    assert run.plan_test_runs(["tests/core", "-x"]) == [["tests/core", "-x"]]
    with pytest.raises(run.Missing, match=r"python3 run\.py test --all"):
        run.plan_test_runs(["--all", "-x"])


def test_the_build_server_runs_every_check_and_every_test() -> None:
    calls = [line for line in (run.ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("python3 run.py")]
    assert calls == ["python3 run.py check", "python3 run.py test"]


def test_a_chromium_that_does_not_start_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(run.Missing, match="/nowhere/chromium"):
        run.find_chromium()


def test_every_tool_that_is_checked_with_is_pinned() -> None:
    pinned = (run.ROOT / "requirements-test.txt").read_text()
    assert all(f"{name}==" in pinned for name in ("ruff", "mypy", "import-linter", "pytest"))


def test_an_old_python_can_read_run_py_and_gets_a_sentence() -> None:
    source = (run.ROOT / "run.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    old = f"import sys; sys.version_info = (3, 9, 2); exec(open({str(run.ROOT / 'run.py')!r}).read())"
    done = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The console needs Python 3.11 or newer")


def test_every_package_that_is_installed_here_is_pinned() -> None:
    """No later release comes in: what the files name and what comes along has one version each."""
    stamp = run.VENV / "installed.json"
    if Path(sys.prefix) != run.VENV or not stamp.exists():
        pytest.skip("this is not the .venv of run.py")
    named = "\n".join(path.read_text() for path in run.ROOT.glob("*.txt")).lower().replace("-", "_")
    packages = [package.rsplit(".dist-info", 1)[0].lower() for package in json.loads(stamp.read_text())["packages"]]
    unpinned = [package for package in packages if package.replace("-", "==", 1) not in named]
    assert [package for package in unpinned if not package.startswith(("pip-", "setuptools-"))] == []  # venv's own
