"""``move``: a history goes from its file into PostgreSQL, and exit codes and sentences say what came of it."""

import json
import re
import shlex
from contextlib import closing
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.dispatch import hold_process_lock
from intempt_core.dispatch.process_locks import CONSOLE_LOCK_NAME, acquire_lock
from intempt_core.history import History
from intempt_core.settings import Settings
from tests.core.cli.terminals import TerminalRun
from tests.core.cli.test_help_examples import list_examples
from tests.core.history.every_state import fill_history
from tests.core.history.factories import batch_of


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a history that holds every state."""
    folder = tmp_path / "data"
    with closing(History.open(Settings(data=folder).history_url)) as history:
        fill_history(history)
    return folder


def count_batches(url: str) -> int:
    with closing(History.open(url)) as history:
        return len(history.queries.batches(size=100).items)


# ── with a server ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.long
def test_a_move_prints_every_table_with_its_rows_and_digest_and_shows_no_password(
    data: Path, empty_postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["move", "--from", f"sqlite:{data / 'history.sqlite3'}", "--to", empty_postgres_url]
    assert main(call, {"CONSOLE_DATA": str(data)}) == 0
    told = capsys.readouterr()
    assert re.search(r"^batches +9  [0-9a-f]{64}$", told.out, re.MULTILINE)
    assert re.search(r"^\d+ rows moved to postgresql\+psycopg://console:\*\*\*@.*; every table is the same there\.$",
                     told.out, re.MULTILINE)  # fmt: skip
    assert "Set CONSOLE_DATABASE_URL for the console" in told.err
    assert "batches of it are not over" in told.err
    assert "s3cret" not in told.out + told.err
    assert count_batches(empty_postgres_url) == 8  # the ninth is being deleted


@pytest.mark.long
@pytest.mark.parametrize("source", ["sqlite:{}", "sqlite:///{}", "{}", "sqlite:{}/history.sqlite3"])
def test_the_file_may_be_named_in_several_ways(source: str, data: Path, empty_postgres_url: str) -> None:
    environment = {"CONSOLE_DATABASE_URL": empty_postgres_url}
    assert main(["move", "--from", source.format(data), "--format", "json"], environment) == 0


@pytest.mark.long
def test_the_examples_of_its_help_can_be_called(
    data: Path, empty_postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for example, code in zip(list_examples("move"), (0, 2), strict=True):  # the other file is not there
        assert (
            main(shlex.split(example), {"CONSOLE_DATA": str(data), "CONSOLE_DATABASE_URL": empty_postgres_url}) == code
        )
    assert "There is no history at /srv/console/history.sqlite3" in capsys.readouterr().err


@pytest.mark.long
def test_a_database_that_is_not_empty_is_1_and_keeps_what_it_has(
    data: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(History.open(postgres_url)) as history:
        batch_of(history, [1])
    environment = {"CONSOLE_DATA": str(data), "CONSOLE_DATABASE_URL": postgres_url}
    assert main(["move"], environment) == 1
    assert "holds something already, in batches" in capsys.readouterr().err
    assert count_batches(postgres_url) == 1


@pytest.mark.long
def test_a_move_whose_note_cannot_be_written_is_done_and_says_what_to_see_to(
    data: Path, empty_postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "history.moved.json").mkdir()
    assert main(["move"], {"CONSOLE_DATA": str(data), "CONSOLE_DATABASE_URL": empty_postgres_url}) == 0
    assert "No note could be left beside it: put the file away" in capsys.readouterr().err


@pytest.mark.long
def test_a_move_as_json_is_for_a_program(
    data: Path, empty_postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"CONSOLE_DATA": str(data), "CONSOLE_DATABASE_URL": empty_postgres_url}
    assert main(["move", "--format", "json"], environment) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"to", "tables", "unfinished", "left_out", "is_noted", "rows"} == set(told)
    assert sum(table["rows"] for table in told["tables"]) == told["rows"] > 50


@pytest.mark.long
def test_a_terminal_is_told_how_far_it_is_and_ctrl_c_moves_nothing(tmp_path: Path, empty_postgres_url: str) -> None:
    data = tmp_path / "large"
    with closing(History.open(Settings(data=data).history_url)) as history:
        for _ in range(20):
            batch_of(history, *[[1000] * 5] * 2)
    environment = {"CONSOLE_DATA": str(data), "CONSOLE_DATABASE_URL": empty_postgres_url}
    run = TerminalRun(["move"], environment)
    run.wait_for("Moving: Co")
    run.type(b"\x03")
    code, _ = run.end()
    assert (code, "Nothing was moved" in run.shown) == (130, True)
    assert run.is_cursor_shown
    assert count_batches(empty_postgres_url) == 0
    run = TerminalRun(["move"], environment)
    code, out = run.end()
    assert code == 0
    assert re.search(r"Copying (events|event_keys), [\d,]+ of [\d,]+", run.shown)
    assert re.search(r"events +200,000 ", out)


# ── without one ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Set CONSOLE_DATABASE_URL, such as postgresql"),
        (["--to", "sqlite:///other.sqlite3"], "It takes the address of a PostgreSQL database"),
        (["--to", "postgresql://u:pass word@host"], r"“postgresql://u:***@host”. It takes the address"),
        (["--to", "postgresql://u:p@localhost:1/x", "--from", "postgresql://u:p@h/x"], "into PostgreSQL, not back"),
        (
            ["--to", "postgresql://u:p@localhost:1/x", "--from", "nothing.sqlite3"],
            "There is no history at nothing.sqlite3",
        ),
    ],
)
def test_a_call_that_is_wrong_is_2_and_says_what_is_right(
    arguments: list[str], message: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["move", *arguments], {"CONSOLE_DATA": str(data)}) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "pass word" not in told


def test_a_database_that_is_away_is_1_and_its_password_is_not_shown(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"CONSOLE_DATABASE_URL": "postgresql://me:s3cretS3cret@127.0.0.1:1/x", "CONSOLE_DATA": str(data)}
    assert main(["move"], environment) == 1
    told = capsys.readouterr().err
    assert "127.0.0.1" in told
    assert "s3cret" not in told


def test_a_folder_that_a_console_or_a_command_uses_is_1(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"CONSOLE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x", "CONSOLE_DATA": str(data)}
    lock = acquire_lock(data / CONSOLE_LOCK_NAME)
    assert lock is not None
    assert main(["move"], environment) == 1
    assert f"A console is running on the data folder {data}. Stop it, and try again." in capsys.readouterr().err
    lock.release()
    with hold_process_lock(data):
        assert main(["move"], environment) == 1
    assert "A command that sends is running on the data folder" in capsys.readouterr().err
