"""``settings``: every setting and target, where each comes from, and no key."""

import json
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.settings import SETTINGS

SHOP = {"HOST": "api.intempt.com", "ORG": "acme", "PROJECT": "web", "SOURCE": "1001", "KEY": "pre.s3cretS3cret"}
SHOP_VARIABLES = {f"CONSOLE_TARGET_SHOP_{name}": value for name, value in SHOP.items()}


def test_every_setting_is_printed_with_its_value_its_origin_and_its_meaning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["settings"], {"CONSOLE_DATA": str(tmp_path), "CONSOLE_ANSWER_BYTES": "7"}) == 0
    lines = capsys.readouterr().out.splitlines()
    for setting in SETTINGS:
        (line,) = [line for line in lines if line.startswith(f"{setting.variable} ")]
        assert line.endswith(setting.meaning)
        assert (" environment " in line) == (setting.name in ("data", "response_bytes"))
        assert (" default " in line) == (setting.name not in ("data", "response_bytes"))
    assert str(tmp_path) in lines[0]


def test_settings_and_targets_as_json_say_where_each_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--format", "json"], {"CONSOLE_TRIES": "3", **SHOP_VARIABLES}) == 0
    told = json.loads(capsys.readouterr().out)
    settings = {setting["name"]: setting for setting in told["settings"]}
    assert settings["tries"] == {
        "name": "tries",
        "variable": "CONSOLE_TRIES",
        "value": 3,
        "origin": "environment",
        "allowed": "1 to 100",
        "meaning": "Attempts of one request at the most, the first one counted.",
    }
    assert settings["port"]["origin"] == "default"
    targets = {target["target"]: target for target in told["targets"]}
    assert targets["sandbox"]["key"] == "built in"
    assert targets["shop"] == {
        "target": "shop",
        "url": "https://api.intempt.com/v1/acme/projects/web/sources/1001/track",
        "origin": "environment",
        "key": "$CONSOLE_TARGET_SHOP_KEY",
        "production": True,
        "deduplicates": False,
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_key_is_shown(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    database = {"CONSOLE_DATABASE_URL": "postgresql://me:databaseS3cret@127.0.0.1:1/console"}
    environment = {"INTEMPT_API_KEY": "pre.otherS3cret", **SHOP_VARIABLES, **database}
    assert main(["settings", "--format", form], environment) == 1  # nothing listens there: said beside the rest
    said = capsys.readouterr()
    assert "S3cret" not in said.out + said.err
    assert "INTEMPT_API_KEY" in said.out
    assert "postgresql+psycopg://me:***@127.0.0.1:1/console" in said.out


def test_values_that_cannot_be_used_are_named_and_the_rest_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"CONSOLE_PORT": "http", "CONSOLE_TARGET_SHOP_HOST": "api.intempt.com"}
    assert main(["settings"], environment) == 1
    said = capsys.readouterr()
    assert "CONSOLE_PORT is “http”. It takes a number. Port of the console.\n" in said.err
    assert "Target shop: org is missing." in said.err
    assert "CONSOLE_DATA" in said.out
