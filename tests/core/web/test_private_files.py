"""What the console keeps is for its own user, also what is there already."""

import os
from pathlib import Path

import pytest

from intempt_core.settings import PROJECT_FOLDER
from intempt_core.web.private_files import describe_readable_secrets, make_private_folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_folder_and_everything_in_it_becomes_private(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    make_private_folder(folder)
    assert mode(folder) == 0o700
    (folder / "mappings").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x")
    for path in (folder / "history.sqlite3", folder / "mappings" / "one.json"):
        path.write_text("x")
        path.chmod(0o644)
    (folder / "link").symlink_to(elsewhere)
    (folder / "mappings").chmod(0o777)
    folder.chmod(0o755)
    elsewhere.chmod(0o644)
    make_private_folder(folder)
    assert [mode(folder), mode(folder / "mappings")] == [0o700, 0o700]
    assert [mode(folder / "history.sqlite3"), mode(folder / "mappings" / "one.json")] == [0o600, 0o600]
    assert mode(elsewhere) == 0o644


def test_a_file_that_is_read_only_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite3"
    file.write_text("x")
    file.chmod(0o400)
    make_private_folder(tmp_path)
    assert mode(file) == 0o400


def test_a_folder_that_is_kept_for_more_than_data_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "person"))
    for folder in (tmp_path / "home" / "person", tmp_path / "home"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        make_private_folder(folder)
        assert mode(folder) == 0o755
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    make_private_folder(shared)
    assert shared.stat().st_mode & 0o7777 == 0o1777
    before = mode(PROJECT_FOLDER)
    make_private_folder(PROJECT_FOLDER)
    assert mode(PROJECT_FOLDER) == before


def test_a_file_of_keys_that_others_may_open_is_named_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    assert describe_readable_secrets(file) == ""
    file.write_text("")
    for rights in (0o644, 0o640, 0o604, 0o602):
        os.chmod(file, rights)  # noqa: PTH101
        assert f"mode {rights:o}" in describe_readable_secrets(file)
        assert f"chmod 600 {file}" in describe_readable_secrets(file)
    os.chmod(file, 0o600)  # noqa: PTH101
    assert describe_readable_secrets(file) == ""
