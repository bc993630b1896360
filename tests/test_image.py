"""The image: its steps in a clean environment, and the console in it as another user whose root cannot be written."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wheels import ROOT, copy_tree

USER, STRANGER = "10001", "54321"
"""The user of the image, and one that this machine does not know, who has no home folder."""

READ_ONLY = """\
set -e
mount --bind "$1" "$1"
mount -t tmpfs tmpfs /tmp
mount -o remount,ro,bind /
user=$2
shift 2
exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set=-all "$@"
"""
"""A shell script: make everything read-only but a volume and ``/tmp``, become another user, run a program."""

OPEN_A_SCREEN = """\
import logging, pages
from streamlit.testing.v1 import AppTest
from pages.parts.shared.services import close_services

logging.disable()
app = AppTest.from_file("pages/console.py", default_timeout=60).run()
print(pages.__file__, [one.value for one in app.title], [one.value for one in app.exception])
close_services()
"""
"""A program that runs a screen as it lies in the installed package, whose folder it is started in."""

START_SECONDS = 120
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
EVENTS = "name,eventId,userId,timestamp,data.productId\nProduct viewed,e1,u1,2026-11-01T10:00:00Z,A1\n"


def read_variables() -> dict[str, str]:
    """The environment that the Dockerfile sets."""
    line = re.search(r"^ENV (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert line is not None
    return dict(part.split("=", 1) for part in line[1].split())


def test_the_image_runs_as_no_root_and_is_reached_from_the_hosts_own_machine_alone() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == [f"{USER}:{USER}"]
    assert re.findall(r"^VOLUME (.*)$", dockerfile, re.MULTILINE) == [read_variables()["CONSOLE_DATA"]]
    assert "HEALTHCHECK" in dockerfile
    assert "PASSWORD=" not in dockerfile
    assert "UNPROTECTED=" not in dockerfile.partition("ENV")[2]


def test_only_named_files_of_a_clone_reach_the_builder() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    assert [rule for rule in rules if "streamlit" in rule] == [
        "!.streamlit",
        ".streamlit/*",
        "!.streamlit/config.toml",
    ]
    for rule in rules:
        assert not rule.startswith("!") or (ROOT / rule[1:]).exists(), rule


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may enter, outside of ``/tmp``."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def find_shared_python() -> str:
    """A Python that other users may start; a test without one is skipped."""
    for path in (Path(sys.base_prefix, "bin", "python3"), Path("/usr/bin/python3")):
        found = path.resolve()
        if found.exists() and all(folder.stat().st_mode & 0o001 for folder in found.parents):
            asking = [str(found), "-c", "import ensurepip, venv, tomllib"]
            if subprocess.run(asking, capture_output=True, check=False).returncode == 0:
                return str(found)
    pytest.skip("no Python of 3.11 or newer here can be started by another user")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Image:
    """An image as its steps make it: a folder, and a volume that its user may write."""

    place: Path
    port: str

    @property
    def volume(self) -> Path:
        return self.place / "volume"

    @property
    def packages(self) -> Path:
        (found,) = self.place.glob("image/lib/python3*/site-packages")
        return found

    @property
    def variables(self) -> dict[str, str]:
        ours = {"CONSOLE_DATA": str(self.volume), "HOME": str(self.volume), "CONSOLE_PORT": self.port}
        return {**read_variables(), **ours}

    def program(self, name: str) -> str:
        return str(self.place / "image" / "bin" / name)

    def start(
        self, *command: str, user: str = USER, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start a program as another user, on a root that cannot be written."""
        given = self.variables if environment is None else environment
        return subprocess.Popen(
            ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", str(self.volume), user, *command],
            env={"PATH": SYSTEM_PATH, **given},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(
        self, *command: str, user: str = USER, environment: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        process = self.start(*command, user=user, environment=environment)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def is_well(self) -> bool:
        """What the Dockerfile's health check finds."""
        return self.call(self.program("python"), self.program("check_health.py"))[0] == 0


def make_image(place: Path) -> Image:
    """Take the steps of the image, from a tree that cannot be written, in an environment that says nothing."""
    tree = copy_tree(place / "tree")
    install = 'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; ! touch "$1/x" && sh "$1/docker/install.sh" $2'
    network = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()}
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", install, "sh", str(tree), f"{place / 'image'} {find_shared_python()}"],
        env={"PATH": SYSTEM_PATH, **network},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(tree)  # nothing of it is needed any more
    image = Image(place, str(free_port()))
    image.volume.mkdir(mode=0o700)
    os.chown(image.volume, int(USER), int(USER))
    (place / "events.csv").write_text(EVENTS)
    (image.packages / "pages").mkdir()
    (image.packages / "pages" / "__init__.py").write_text("raise SystemExit('the other package called pages')\n")
    return image


def check_server(image: Image) -> None:
    """It starts with a password only, is well, ends as it is told to, and has written its volume alone."""
    console = image.program("event-console")
    code, _, errors = image.call(console)
    assert (code, errors.count("\n")) == (1, 1)
    assert "It would listen at 0.0.0.0, where other machines reach it" in errors
    assert not image.is_well()  # none is running
    running = image.start(console, environment={**image.variables, "CONSOLE_PASSWORD": "a long password"})
    deadline = time.monotonic() + START_SECONDS
    while not image.is_well():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.5)
    running.terminate()
    _, log = running.communicate(timeout=60)
    assert running.returncode == -signal.SIGTERM
    assert '"sending ends"' in log  # it was told, and closed what it had open
    written = [path for path in image.place.rglob("*") if path.stat().st_uid == int(USER) and path != image.volume]
    assert {path.relative_to(image.place).parts[0] for path in written} == {"volume"}
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def check_screen(image: Image) -> None:
    """A screen is that of this console, also beside another package that has ``pages``."""
    console = image.packages / "intempt_core" / "_console"
    program = ("env", f"--chdir={console}", image.program("python"), "-c", OPEN_A_SCREEN)
    found = image.call(*program, environment={**image.variables, "CONSOLE_BIND": "127.0.0.1"})
    assert found[:2] == (0, f"{console}/pages/__init__.py ['Compose'] []\n")


def check_homes(image: Image) -> None:
    """Without a home folder, and with one that cannot be written, a command that needs one says what to set."""
    console, events = image.program("event-console"), str(image.place / "events.csv")
    for command in (["check", events], ["settings"], ["send", events, "--target", "sandbox"], []):
        code, _, errors = image.call(console, *command, user=STRANGER, environment={})
        assert (code, "Traceback" in errors) == (1, False), errors
        assert "This user has no home folder, in which the console would have its data. Set CONSOLE_DATA" in errors
    at_home = {"HOME": str(image.place), "CONSOLE_PORT": image.port}
    assert image.call(console, "check", events, environment=at_home)[0] == 0
    for command in (["send", events, "--target", "sandbox", "--yes"], ["sandbox", "--port", "0"], []):
        code, _, errors = image.call(console, *command, environment=at_home)
        assert (code, "Traceback" in errors) == (1, False), errors
        assert "cannot be made: Read-only file system. Set CONSOLE_DATA to a folder that this user may write" in errors


@pytest.mark.long
@pytest.mark.timeout(600)
def test_its_steps_work_from_a_read_only_tree_and_it_runs_as_another_user_on_a_read_only_root(place: Path) -> None:
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root may make a read-only root and become another user")
    image = make_image(place)
    assert image.call("touch", str(place / "image" / "x"))[0] != 0
    check_server(image)
    check_screen(image)
    check_homes(image)
