"""``send --run``: a name for a run, by which History lists and finds it."""

from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.history import MAX_NAME_LENGTH, BatchFilter, History
from intempt_core.settings import Settings
from tests.pages.upload_steps import csv_of, good_rows


@pytest.fixture
def call(tmp_path: Path) -> list[str]:
    """The command that sends a file of two events to the sandbox."""
    file = tmp_path / "events.csv"
    file.write_bytes(csv_of(*good_rows(2)))
    return ["send", str(file), "--target", "sandbox", "--yes"]


def environment(folder: Path) -> dict[str, str]:
    return {"CONSOLE_DATA": str(folder / "data")}


def test_a_run_is_recorded_under_its_name_which_is_printed_and_found(
    call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*call, "--run", "  Release 12,\n smoke  test "], environment(tmp_path)) == 0
    history = History.open(Settings(data=tmp_path / "data").history_url)
    (batch,) = history.queries.batches(BatchFilter(text="smoke te")).items
    history.close()
    assert (batch.name, batch.label, batch.title) == ("Release 12, smoke test", "events.csv", "Release 12, smoke test")
    told = capsys.readouterr().err
    assert "In History this run is called “Release 12, smoke test”." in told
    assert f"Batch {batch.id}, “Release 12, smoke test”, is done." in told


def test_a_run_without_a_name_has_that_of_its_file(
    call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(call, environment(tmp_path)) == 0
    history = History.open(Settings(data=tmp_path / "data").history_url)
    (batch,) = history.queries.batches().items
    history.close()
    assert (batch.name, batch.title) == ("", "events.csv")
    assert f"Batch {batch.id} is done." in capsys.readouterr().err


@pytest.mark.parametrize("name", [" ", "x" * (MAX_NAME_LENGTH + 1)], ids=["blank", "long"])
def test_a_name_that_history_cannot_keep_whole_is_an_error_before_anything_is_sent(
    call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*call, "--run", name], environment(tmp_path))
    assert ended.value.code == 2
    assert f"a name of a run has 1 to {MAX_NAME_LENGTH} characters" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_batch_that_is_resumed_keeps_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["send", "--resume", "--run", "another"], environment(tmp_path))
    assert "--resume sends what history has of a batch: it takes no --run" in capsys.readouterr().err
