"""The checks that a console remembers of files of one shape, so that the next file is compared with the last one."""

from pathlib import Path

import numpy as np

from intempt_core.validation import Baseline, CheckFolder, CheckMemory

COLUMNS = {"name": "text", "userId": "numbers"}


def found(file: str, *rows: int, columns: dict[str, str] = COLUMNS) -> Baseline:
    return Baseline(file, 9, columns, {"product_id_missing": np.asarray(rows, np.int64)})


def test_a_check_is_compared_with_the_last_one_of_another_file_of_its_shape(tmp_path: Path) -> None:
    memory = CheckMemory(CheckFolder(tmp_path / "checks"))
    assert memory.remember("a", 1, found("a.csv", 1)) is None
    earlier = memory.remember("b", 2, found("b.csv", 2, 3))
    assert earlier is not None
    assert (earlier.digest, earlier.at, earlier.baseline.file) == ("a", 1, "a.csv")
    again = memory.remember("b", 3, found("b.csv", 2))  # checked again: not compared with itself
    assert again is not None
    assert again.digest == "a"
    later = memory.remember("c", 4, found("c.csv"))
    assert later is not None
    assert (later.digest, later.at) == ("b", 3)
    assert later.baseline.failing["product_id_missing"].tolist() == [2]


def test_files_of_other_columns_are_remembered_apart(tmp_path: Path) -> None:
    memory = CheckMemory(CheckFolder(tmp_path))
    memory.remember("a", 1, found("a.csv", 1))
    assert memory.remember("b", 2, found("b.csv", 1, columns={"other": "text"})) is None


def test_a_document_that_cannot_be_read_counts_as_none_and_is_replaced(tmp_path: Path) -> None:
    memory = CheckMemory(CheckFolder(tmp_path))
    memory.remember("a", 1, found("a.csv", 1))
    (kept,) = tmp_path.iterdir()
    kept.write_text("{broken")
    assert memory.remember("b", 2, found("b.csv")) is None
    earlier = memory.remember("c", 3, found("c.csv"))
    assert earlier is not None
    assert earlier.digest == "b"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "checks").write_text("a file")
    assert CheckMemory(CheckFolder(tmp_path / "checks")).remember("a", 1, found("a.csv")) is None
