"""``check`` and ``send`` by the team's own rules, with the very example of ``docs/rules.md``."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from intempt_core import sandbox
from intempt_core.cli import main
from intempt_core.settings import PROJECT_FOLDER
from intempt_core.targets.target import sandbox_target

EVENTS = """\
name,eventId,userId,productId,price,currency
Product ordered,e1,u1,p1,9.5,EUR
Product ordered,e2,u1,p1,0,USD
Product ordered,e3,u1,p1,,EUR
Product viewed,e4,u1,p1,,GBP
Product viewed,e5,u1,p1,,
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    example = re.findall(r"```json\n(.*?)```", (PROJECT_FOLDER / "docs" / "rules.md").read_text(), re.DOTALL)[0]
    mapping = {
        "columns": {"name": "name", "eventId": "eventId", "userId": "userId", "productId": "data.productId",
                    "price": "data.price", "currency": "data.currency"},
    }  # fmt: skip
    texts = {
        "events.csv": EVENTS,
        "rules.json": example,
        "text.json": json.dumps(mapping),
        "typed.json": json.dumps({**mapping, "types": {"data.price": "number"}}),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name.split(".")[0]: str(tmp_path / name) for name in texts}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"CONSOLE_DATA": str(tmp_path / "data")}


def checked(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_example_of_the_page_finds_what_it_says(
    files: dict[str, str], environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["check", files["events"], "--mapping", files["typed"], "--rules", files["rules"]]
    assert main([*call, "--format", "json"], environment) == 1
    found = checked(capsys)
    assert found["rule_counts"] == {"rule:currency_known": 1, "rule:order_has_price": 1, "rule:price_positive": 1}
    assert (found["rows_with_rule_errors"], found["rows_with_errors"], found["counts"]) == (1, 0, {})
    assert [(one["row"], one["code"], one["severity"], one["column"]) for one in found["issues"]] == [
        (2, "rule:price_positive", "warning", "price"),
        (3, "rule:order_has_price", "warning", "price"),
        (4, "rule:currency_known", "error", "currency"),
    ]
    assert found["issues"][0]["message"].startswith("Prices are net")
    assert main(call, environment) == 1
    assert "rule:currency_known (the team's, error)" in capsys.readouterr().out


def test_without_rules_nothing_of_them_is_said(
    files: dict[str, str], environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", files["events"], "--mapping", files["typed"], "--format", "json"], environment) == 0
    assert "rule_counts" not in checked(capsys)


def test_rules_that_do_not_fit_the_mapping_end_with_2(
    files: dict[str, str], environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["--mapping", files["text"], "--rules", files["rules"]]
    for command in (["check", files["events"]], ["send", files["events"], "--target", "sandbox", "--yes"]):
        assert main([*command, *call], environment) == 2
        assert '"types": {"data.price": "number"}' in capsys.readouterr().err


def test_what_is_never_asked_of_this_file_is_said(
    files: dict[str, str], environment: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rules = tmp_path / "colour.json"
    of_data = {"properties": {"colour": {"minLength": 1}, "price": {"minimun": 1}}}
    rules.write_text(json.dumps({"events": {"*": {"properties": {"data": of_data}}}}))
    call = ["check", files["events"], "--mapping", files["typed"], "--rules", str(rules), "--format", "json"]
    assert main(call, environment) == 0
    said = capsys.readouterr()
    keyword, colour = json.loads(said.out)["rule_notes"]
    assert "Did you mean “minimum”?" in keyword
    assert "no event of events.csv has data.colour" in colour
    assert said.err.count("colour.json: /events") == 2


def test_a_file_that_is_not_there_ends_with_2(
    files: dict[str, str], environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", files["events"], "--rules", "nowhere.json"], environment) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_send_excludes_what_breaks_an_error_and_sends_what_breaks_a_warning(
    files: dict[str, str], environment: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Rows 2 and 3 break warnings, row 4 an error: the sandbox gets four of the five events, over HTTP."""
    out = tmp_path / "out.csv"
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3") as url:
        call = ["send", files["events"], "--target", sandbox_target(url).track_url, "--yes", "--wait",
                "--mapping", files["typed"], "--rules", files["rules"], "--results", str(out)]  # fmt: skip
        assert main(call, {**environment, "INTEMPT_API_KEY": "sandbox.sandbox"}) == 0
        arrived = httpx.get(f"{url}/_sandbox/events", auth=("sandbox", "sandbox")).json()["events"]
    assert sorted(one["eventId"] for one in arrived) == ["e1", "e2", "e3", "e5"]
    said = capsys.readouterr()
    assert said.out == "        4  accepted\n        4  processed\n        1  excluded\n"
    assert "1 row with errors by the team's rules excluded." in said.err
    with out.open(newline="", encoding="utf-8") as lines:
        rows = [(row["row"], row["outcome"], row["issues"]) for row in csv.DictReader(lines)]
    assert [(row, outcome) for row, outcome, _ in rows if outcome == "excluded"] == [("4", "excluded")]
    assert "rule:currency_known" in rows[3][2]


def test_json_lines_and_a_document_are_asked_with_the_numbers_that_they_have(
    files: dict[str, str], environment: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """No mapping makes text of them: the prices 9.5, 0 and "9.5" are judged as they will be sent."""
    events = [
        {"name": "Product ordered", "eventId": f"e{n}", "userId": "u", "data": {"productId": "p", "price": price}}
        for n, price in enumerate([9.5, 0, "9.5"])
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    (tmp_path / "events.json").write_text(json.dumps(events))
    for name in ("events.jsonl", "events.json"):
        call = ["check", str(tmp_path / name), "--rules", files["rules"], "--format", "json"]
        assert main(call, environment) == 0
        found = checked(capsys)
        assert found["rule_counts"] == {"rule:price_positive": 2}, name
        assert [one["given"] for one in found["issues"]] == ["0", "9.5"], name
        assert (found["rows_with_rule_errors"], found["rows_with_errors"], found["counts"]) == (0, 0, {}), name
