"""What every test stands on: nothing of the person's own environment, and no hurry for Hypothesis on a busy machine."""

import gc
import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from coverage import Coverage
from hypothesis import settings

from tests.examples import PROFILE_EXAMPLES

if TYPE_CHECKING:
    from tests.postgres import Cluster

# Under CI the same examples every time: new ones are looked for where a person reads what they show.
for name, count in PROFILE_EXAMPLES.items():
    settings.register_profile(name, max_examples=count, deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("console")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background: programs that tests interrupt would
    signal.signal(signal.SIGINT, signal.default_int_handler)  # inherit it, and go on

LONG_TIMEOUT_SECONDS = 600
"""After how long a long test hangs; some take a minute where they have a core to themselves."""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name binary values by their size: a compressed one holds the time, and two processes must name a test alike."""
    return f"{argname} of {len(val)} bytes" if isinstance(val, bytes) and not val.isascii() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First the tests that start whole programs, so that no worker waits for them at the end. What is traced, how long.

    Coverage is a claim of the core's own tests by example. Tracing doubles the time of Python code, so generated
    examples, hundreds to a law, and whole screens run without: what they happen to touch counts for nothing.
    """
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent)
    for item in items:
        generated = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if generated or "core" not in item.path.parts:
            item.add_marker("untraced")
        if item.get_closest_marker("long") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_TIMEOUT_SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Stop every coverage for the time of an untraced test; pytest-cov's ``no_cover`` leaves one on in a worker."""
    stopped: list[Coverage] = []
    while item.get_closest_marker("untraced") and (measuring := Coverage.current()):
        measuring.stop()
        stopped.append(measuring)
    try:
        return (yield)
    finally:
        for measuring in reversed(stopped):
            measuring.start()


def pytest_collection() -> None:
    """Reading the modules makes much that stays and next to no garbage: looking for it takes a third of that time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """All modules are read by now: no collection of garbage goes over them again, and Streamlit asks for many."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _nobodys_environment() -> Iterator[None]:
    """Take away settings, targets and keys of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("CONSOLE_", "INTEMPT_", "STREAMLIT_")):
                patch.delenv(name)
        yield


# ── databases ────────────────────────────────────────────────────────────────────────────────────────────────────────


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a history on both databases: on SQLite always, on PostgreSQL with the long tests."""
    only = metafunc.definition.get_closest_marker("sqlite_only")
    if only is not None and not (len(only.args) == 1 and isinstance(only.args[0], str)):
        pytest.fail(f"{metafunc.definition.nodeid}: the marker sqlite_only takes the reason why.", pytrace=False)
    if "sqlite_file" in metafunc.fixturenames and only is None:
        pytest.fail(f"{metafunc.definition.nodeid} looks at SQLite's file: mark it sqlite_only(reason).", pytrace=False)
    if "database_kind" in metafunc.fixturenames:
        kinds = ["sqlite"] if only is not None else ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
        metafunc.parametrize("database_kind", kinds, scope="session")


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """The file of the history, for tests that look at it."""
    return tmp_path / "history.sqlite3"


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a database of the test's own, in SQLite or in PostgreSQL."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path / 'history.sqlite3'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="module")
def module_database_url(
    database_kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of a database that the tests of a module share."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('shared') / 'history.sqlite3'}"
        return
    from tests.postgres import TEMPLATE, make_database

    with make_database(request.getfixturevalue("postgres"), TEMPLATE) as url:
        yield url


@pytest.fixture
def console_database(database_kind: str, request: pytest.FixtureRequest) -> str:
    """What ``CONSOLE_DATABASE_URL`` is: nothing for SQLite, whose files are in the data folder."""
    return "" if database_kind == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def empty_database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a database of the test's own without any table."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path / 'history.sqlite3'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture(scope="session")
def fresh_databases(database_kind: str, request: pytest.FixtureRequest) -> "Callable[[], AbstractContextManager[str]]":
    """Makes a database as often as it is called, for each example of a law; gives its address."""
    from tests.postgres import TEMPLATE, make_database, make_sqlite_database

    if database_kind == "sqlite":
        return make_sqlite_database
    return partial(make_database, request.getfixturevalue("postgres"), TEMPLATE)


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Cluster]":
    """A PostgreSQL server of this process of the tests, started where a test asks for it; see ``tests/postgres.py``."""
    from contextlib import closing  # loaded only where a test needs a server

    from intempt_core.history import History
    from tests.postgres import TEMPLATE, require_programs, run_cluster

    with run_cluster(require_programs()) as cluster:
        cluster.execute(f"CREATE DATABASE {TEMPLATE}")
        with closing(History.open(cluster.url(TEMPLATE))):
            pass
        yield cluster


@pytest.fixture
def postgres_url(postgres: "Cluster") -> Iterator[str]:
    """The address of a PostgreSQL database of the test's own, in which history's tables are empty."""
    from tests.postgres import TEMPLATE, make_database

    with make_database(postgres, TEMPLATE) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres: "Cluster") -> Iterator[str]:
    """The address of an empty PostgreSQL database of the test's own."""
    from tests.postgres import make_database

    with make_database(postgres) as url:
        yield url
