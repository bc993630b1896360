"""Settings come from the environment, or say what is wrong with it."""

from dataclasses import fields
from pathlib import Path

import pytest

from intempt_core.errors import ConsoleError, SettingsError
from intempt_core.settings import PROJECT_FOLDER, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"CONSOLE_PORT": "  ", "PORT": "1"}) == Settings()
    assert Settings().data == PROJECT_FOLDER / ".data"
    assert (PROJECT_FOLDER / "app.py").name == "app.py"


def test_every_setting_says_what_it_means_and_its_default_lies_in_its_bounds() -> None:
    for setting in fields(Settings):
        assert setting.metadata["meaning"].endswith(".")
        if not isinstance(setting.default, Path):
            assert setting.metadata["low"] <= setting.default <= setting.metadata["high"]


def test_a_setting_comes_from_its_variable_in_its_own_type(tmp_path: Path) -> None:
    given = Settings.from_environment(
        {"CONSOLE_DATA": str(tmp_path / "x" / ".." / "data"), "CONSOLE_TRIES": "3", "CONSOLE_READ_SECONDS": " 0.5 "}
    )
    assert (given.data, given.tries, given.read_seconds) == (tmp_path / "data", 3, 0.5)
    assert given.history_url == f"sqlite:///{tmp_path}/data/history.sqlite3"
    assert given.sandbox_file == tmp_path / "data" / "sandbox.sqlite3"


def test_the_data_folder_may_begin_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.from_environment({"CONSOLE_DATA": "~/console"}).data == tmp_path / "console"


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("CONSOLE_PORT", "http", "CONSOLE_PORT is “http”. It takes a number. Port of the console."),
        ("CONSOLE_PORT", "80.5", "CONSOLE_PORT is “80.5”. It takes a number. Port of the console."),
        ("CONSOLE_PORT", "0", "CONSOLE_PORT is 0. It takes 1 to 65535. Port of the console."),
        ("CONSOLE_PORT", "65536", "CONSOLE_PORT is 65536. It takes 1 to 65535. Port of the console."),
        ("CONSOLE_READ_SECONDS", "nan", "CONSOLE_READ_SECONDS is nan. It takes 0.05 to 600."),
        ("CONSOLE_READ_SECONDS", "inf", "CONSOLE_READ_SECONDS is inf. It takes 0.05 to 600."),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_variable_and_what_is_allowed(
    variable: str, text: str, sentence: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({variable: text})
    assert str(refused.value).startswith(sentence)
    assert isinstance(refused.value, ConsoleError)
