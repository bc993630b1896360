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
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

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

START_SECONDS = 120


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
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["console"]
    assert [port.rpartition(":")[0].rpartition(":")[0] for port in service["ports"]] == ["127.0.0.1"]
    assert (service["read_only"], service["cap_drop"], service["volumes"]) == (True, ["ALL"], ["data:/data"])
    assert "CONSOLE_PASSWORD:?" in service["environment"]["CONSOLE_PASSWORD"]  # compose does not start without one


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


@pytest.mark.long
@pytest.mark.timeout(600)
def test_its_steps_work_from_a_read_only_tree_and_it_runs_as_another_user_on_a_read_only_root(place: Path) -> None:
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root may make a read-only root and become another user")
    python, image, volume = find_shared_python(), place / "image", place / "volume"
    tree = copy_tree(place / "tree")
    install = (
        'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; ! touch "$1/x" && exec sh "$1/docker/install.sh" $2'
    )
    network = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()}
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", install, "sh", str(tree), f"{image} {python}"],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **network},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(tree)  # nothing of it is needed any more
    (packages,) = image.glob("lib/python3*/site-packages")
    (packages / "pages").mkdir()  # another package that has pages
    (packages / "pages" / "__init__.py").write_text("raise SystemExit('the other package called pages')\n")
    volume.mkdir(mode=0o700)
    os.chown(volume, int(USER), int(USER))
    events = place / "events.csv"
    events.write_text("name,eventId,userId,timestamp,data.productId\nProduct viewed,e1,u1,2026-11-01T10:00:00Z,A1\n")

    def start(*command: str, user: str = USER, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", str(volume), user, *command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(*command: str, user: str = USER, environment: Mapping[str, str]) -> tuple[int, str, str]:
        process = start(*command, user=user, environment=environment)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    console, port = str(image / "bin" / "event-console"), str(free_port())
    variables = {**read_variables(), "CONSOLE_DATA": str(volume), "HOME": str(volume), "CONSOLE_PORT": port}
    health = (str(image / "bin" / "python"), str(image / "bin" / "check_health.py"))

    assert call("touch", str(image / "x"), environment=variables)[0] != 0
    code, _, errors = call(console, environment=variables)
    assert (code, errors.count("\n")) == (1, 1)
    assert "It would listen at 0.0.0.0, where other machines reach it" in errors
    assert call(*health, environment=variables)[0] == 1  # none is running

    running = start(console, environment={**variables, "CONSOLE_PASSWORD": "a long password"})
    deadline = time.monotonic() + START_SECONDS
    while call(*health, environment=variables)[0] != 0:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.5)
    running.terminate()
    _, log = running.communicate(timeout=60)
    assert running.returncode == -signal.SIGTERM
    assert '"sending ends"' in log  # it was told, and closed what it had open
    written = [path for path in place.rglob("*") if path.stat().st_uid == int(USER) and path != volume]
    assert {path.relative_to(place).parts[0] for path in written} == {"volume"}
    assert [path for path in written if path.stat().st_mode & 0o077] == []

    # Without a home folder, and with one that cannot be written.
    for command in (["check", str(events)], ["settings"], ["send", str(events), "--target", "sandbox"], []):
        code, _, errors = call(console, *command, user=STRANGER, environment={})
        assert (code, "Traceback" in errors) == (1, False), errors
        assert "This user has no home folder, in which the console would have its data. Set CONSOLE_DATA" in errors
    at_home = {"HOME": str(place), "CONSOLE_PORT": port}
    assert call(console, "check", str(events), environment=at_home)[0] == 0
    for command in (["send", str(events), "--target", "sandbox", "--yes"], ["sandbox", "--port", "0"], []):
        code, _, errors = call(console, *command, environment=at_home)
        assert (code, "Traceback" in errors) == (1, False), errors
        assert "cannot be made: Read-only file system. Set CONSOLE_DATA to a folder that this user may write" in errors
