"""Settings come from the environment, or say what is wrong with it."""

from dataclasses import fields
from pathlib import Path

import platformdirs
import pytest
from sqlalchemy import make_url

from intempt_core import settings
from intempt_core.errors import ConsoleError, SettingsError
from intempt_core.settings import (
    DATABASE_VARIABLE,
    KEY_VARIABLE,
    METRICS_TOKEN_VARIABLE,
    PASSWORD_VARIABLE,
    PROJECT_FOLDER,
    SETTINGS,
    Settings,
    hide_password,
)


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"CONSOLE_PORT": "  ", "PORT": "1"}) == Settings()
    assert Settings().data == PROJECT_FOLDER / ".data"
    assert (PROJECT_FOLDER / "app.py").name == "app.py"


def test_every_setting_says_what_it_means_and_its_default_lies_in_its_bounds() -> None:
    for setting in SETTINGS:
        assert setting.meaning.endswith(".")
        if not isinstance(setting.default, Path | str):
            assert setting.low <= setting.default <= setting.high


def test_every_field_is_listed_as_a_setting_and_a_secret_is_no_field() -> None:
    assert [setting.name for setting in SETTINGS if not setting.secret] == [field.name for field in fields(Settings)]
    assert [setting.variable for setting in SETTINGS if setting.secret] == [
        PASSWORD_VARIABLE,
        METRICS_TOKEN_VARIABLE,
        KEY_VARIABLE,
    ]
    assert "s3cret" not in repr(Settings.from_environment({KEY_VARIABLE: "prefix.s3cret"}))


def test_a_setting_comes_from_its_variable_in_its_own_type(tmp_path: Path) -> None:
    given = Settings.from_environment(
        {"CONSOLE_DATA": str(tmp_path / "x" / ".." / "data"), "CONSOLE_TRIES": "3", "CONSOLE_READ_SECONDS": " 0.5 "}
    )
    assert (given.data, given.tries, given.read_seconds) == (tmp_path / "data", 3, 0.5)
    assert given.history_url == f"sqlite:///{tmp_path}/data/history.sqlite3"
    assert given.sandbox_file == tmp_path / "data" / "sandbox.sqlite3"
    assert Settings.from_environment({"CONSOLE_SANDBOX": "http://127.0.0.1:9000"}).sandbox == "http://127.0.0.1:9000"


def test_a_variable_of_an_earlier_version_is_still_read() -> None:
    assert Settings.from_environment({"CONSOLE_ANSWER_BYTES": "7"}).response_bytes == 7
    both = {"CONSOLE_ANSWER_BYTES": "7", "CONSOLE_RESPONSE_BYTES": "8"}
    assert Settings.from_environment(both).response_bytes == 8
    with pytest.raises(SettingsError, match="CONSOLE_ANSWER_BYTES is -1"):
        Settings.from_environment({"CONSOLE_ANSWER_BYTES": "-1"})


def test_the_data_folder_may_begin_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.from_environment({"CONSOLE_DATA": "~/console"}).data == tmp_path / "console"


PASSWORDS = ("s3cret", "s3cret%40%2F", "a:s3cret", "s3cret@more")


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgresql", "postgres"])
def test_a_postgresql_database_holds_history_and_the_engine(scheme: str) -> None:
    given = Settings.from_environment({DATABASE_VARIABLE: f"{scheme}://console:s3cret@db:5433/shop?sslmode=require"})
    url = "postgresql+psycopg://console:s3cret@db:5433/shop?sslmode=require"
    assert (given.database_url, given.history_url, given.engine_url) == (url, url, url)
    assert "s3cret" not in repr(given) + str(given)


@pytest.mark.parametrize("password", PASSWORDS)
def test_an_address_is_shown_without_its_password(password: str) -> None:
    assert hide_password(f"postgresql://me:{password}@db/shop") == "postgresql://me:***@db/shop"
    assert hide_password(f"postgresql://db/shop?user=me&password={password}&x=1") == (
        "postgresql://db/shop?user=me&password=***&x=1"
    )
    assert hide_password("postgresql://me@db/shop") == "postgresql://me@db/shop"


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("rest", ["sqlite:///%s", "mysql://me:%s@db/x", "postgresql://me:%s@db", "me:%s@db/x"])
def test_an_address_that_is_none_of_a_postgresql_database_says_so_without_its_password(
    password: str, rest: str
) -> None:
    if rest.startswith("sqlite"):
        password = "file"
    with pytest.raises(SettingsError, match=r"CONSOLE_DATABASE_URL is “.*It takes the address of a Postgre") as raised:
        Settings.from_environment({DATABASE_VARIABLE: rest % password})
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("folder", ["/plain", "/a b/ü", "/100%25/x?y=1#z", "/user:password@host"])
def test_the_url_of_a_database_names_its_file_whatever_the_folder_is_called(folder: str) -> None:
    settings = Settings(data=Path(folder))
    for url, file in ((settings.history_url, "history.sqlite3"), (settings.engine_url, "engine.sqlite3")):
        assert make_url(url).database == f"{folder}/{file}"
        assert not make_url(url).query


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
def test_a_value_that_cannot_be_used_names_its_variable_and_what_is_allowed(
    variable: str, text: str, sentence: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({variable: text})
    assert str(raised.value).startswith(sentence)
    assert isinstance(raised.value, ConsoleError)


def test_in_a_clone_configuration_is_beside_the_app_unless_a_variable_says_where(tmp_path: Path) -> None:
    assert Settings().secrets_file == PROJECT_FOLDER / ".streamlit" / "secrets.toml"
    told = Settings.from_environment({"CONSOLE_CONFIG": str(tmp_path)})
    assert told.secrets_file == tmp_path / "secrets.toml"
    for wrong in (tmp_path / "none", tmp_path / "secrets.toml"):
        (tmp_path / "secrets.toml").touch()
        with pytest.raises(SettingsError, match="is no folder"):
            Settings.from_environment({"CONSOLE_CONFIG": str(wrong)})


def test_where_it_is_installed_data_and_configuration_are_in_the_platforms_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_INSTALLED_FOLDER", tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found = Settings.from_environment({})
    assert (found.data, found.config) == (tmp_path / "share" / "event-console", tmp_path / "config" / "event-console")
    assert settings.find_console_folder() == tmp_path
    assert settings.build_python_path({"PYTHONPATH": "theirs"}) == "theirs"
    assert not (tmp_path / "share").exists()  # nothing is made before it is needed


def test_a_user_without_a_home_folder_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(*_: object, **__: object) -> Path:
        raise RuntimeError

    monkeypatch.setattr(settings, "_INSTALLED_FOLDER", tmp_path)
    monkeypatch.setattr(platformdirs, "user_data_path", find_nothing)
    monkeypatch.setattr(platformdirs, "user_config_path", find_nothing)
    with pytest.raises(SettingsError, match="its data\\. Set CONSOLE_DATA"):
        Settings.from_environment({})
    with pytest.raises(SettingsError, match="its config\\. Set CONSOLE_CONFIG"):
        Settings.from_environment({"CONSOLE_DATA": str(tmp_path)})
    told = {"CONSOLE_DATA": str(tmp_path), "CONSOLE_CONFIG": str(tmp_path)}
    assert Settings.from_environment(told).data == tmp_path
