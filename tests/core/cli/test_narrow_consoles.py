"""Consoles that cannot write every character, and paths as Windows has them: nothing is lost, and no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.cli.files_out import open_atomic
from intempt_core.cli.streams import LOSSLESS
from intempt_core.errors import ConsoleError
from intempt_core.mapping import Mapping, MappingFolder, MappingStore, SavedMapping

ROOT = Path(__file__).parents[3]
FOLDER = "Żółć 日本"
ID = "ü_日_😀_\u200b_Ω"
"""Characters that cp1252 has one of, and one that cannot be seen."""


def call(folder: Path, encoding: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "HOME": str(folder)}
    command = [sys.executable, "-m", "intempt_core", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**environment, "PYTHONPATH": str(ROOT), "CONSOLE_DATA": str(folder / "data")},
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / FOLDER
    made.mkdir()
    (made / "events.csv").write_bytes(f"name,userId,productId,{ID}\r\nview,{ID},p1,x\r\n".encode())
    return made


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_console_without_a_character_shows_which_one_it_is(folder: Path, encoding: str) -> None:
    done = call(folder, encoding, "check", "events.csv", "--name", ID)
    assert b"Traceback" not in done.stdout + done.stderr
    shown = (done.stdout + done.stderr).decode(encoding)
    assert "\\u65e5" in shown
    assert "\\U0001f600" in shown
    assert ("ü" if encoding == "cp1252" else "\\xfc") in shown


def test_what_a_program_reads_is_whole_whatever_the_console_can_write(folder: Path) -> None:
    done = call(folder, "ascii", "check", "events.csv", "--format", "json")
    document = json.loads(done.stdout)
    assert document == json.loads(call(folder, "utf-8", "check", "events.csv", "--format", "json").stdout)
    assert ID in json.dumps(document, ensure_ascii=False)


def test_signs_of_our_own_sentences_have_plain_ones() -> None:
    assert "“a” → b … 2×3 – c\u00a0d".encode("ascii", LOSSLESS) == b'"a" -> b ... 2x3 - c d'
    assert "“a” → ü".encode("cp1252", LOSSLESS).decode("cp1252") == "“a” -> ü"
    assert "\ud800ż".encode("ascii", LOSSLESS) == rb"\ud800\u017c"


def test_a_path_with_backslashes_is_said_as_it_was_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Here a backslash is a character of a name; on Windows it parts folders. Either way it is shown as it is."""
    for arguments in (
        ["check", r"shop\missing.csv"],
        ["check", str(tmp_path / "events.csv"), "--mapping", r"maps\none.json"],
    ):
        (tmp_path / "events.csv").write_bytes(b"name,userId\r\nview,u1\r\n")
        assert main(arguments, {"CONSOLE_DATA": str(tmp_path / "data")}) == 2
        given = capsys.readouterr()
        assert arguments[-1] in given.err
        assert "\\\\" not in given.err


def test_a_file_that_another_program_holds_open_is_one_sentence_and_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = tmp_path / "results.csv"
    held.write_text("before")

    def replace(_self: Path, _to: Path) -> Path:
        raise PermissionError(13, "The file is being used by another process")

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(ConsoleError) as caught, open_atomic(held, "results") as out:
        out.write(b"after")
    assert str(caught.value) == (
        f"The results cannot be written to {held}: The file is being used by another process."
        " If another program has the file open, close it there."
    )
    assert held.read_text() == "before"
    assert list(tmp_path.iterdir()) == [held]


def test_a_name_as_long_as_a_file_system_takes_is_written(tmp_path: Path) -> None:
    file = tmp_path / ("r" * 251 + ".csv")
    with open_atomic(file, "results") as out:
        out.write(b"all")
    assert file.read_bytes() == b"all"
    with pytest.raises(ConsoleError, match="name too long"), open_atomic(tmp_path / ("r" * 256), "results") as out:
        out.write(b"all")
    assert list(tmp_path.iterdir()) == [file]


RESERVED = (
    "con",
    "CON",
    "nul",
    "com1",
    "LPT9",
    "a:b",
    "ends with a dot.",
    "a/b",
    "a\\b",
    "<|>?*",
    '"',
    "..",
    "~",
    "ż" * 80,
)


def test_a_mapping_may_have_any_name_and_its_file_one_that_every_system_takes(tmp_path: Path) -> None:
    store = MappingStore(MappingFolder(tmp_path))
    mapping = Mapping.from_json('{"columns": {"userId": "userId"}, "name": "Product viewed"}')
    for name in RESERVED:
        store.save(SavedMapping(name, ("userId",), mapping))
    assert {saved.name for saved in store.all()} == set(RESERVED)
    files = [file.name for file in tmp_path.iterdir()]
    assert len({name.casefold() for name in files}) == len(RESERVED)
    for name in files:
        assert not set(name) & set('<>:"/\\|?*')
        assert name.partition(".")[0].casefold() not in ("con", "nul", "com1", "lpt9", "")
        assert len(name.encode()) < 255
        assert name == name.rstrip(" .")


def test_a_mapping_whose_file_had_another_name_before_is_there_once(tmp_path: Path) -> None:
    store = MappingStore(MappingFolder(tmp_path))
    old = Mapping.from_json('{"columns": {"userId": "userId"}, "name": "Product viewed"}')
    new = Mapping.from_json('{"columns": {"userId": "userId"}, "name": "Added to cart"}')
    (tmp_path / "con.json").write_text(SavedMapping("con", ("userId",), old).to_json(), "utf-8")
    assert store.get("con").mapping == old
    store.save(SavedMapping("con", ("userId",), new))
    assert store.get("con").mapping == new
    assert len(list(tmp_path.iterdir())) == 1
