"""``check`` for build servers: annotations of GitHub, JUnit, JSON by its schema, and what makes a build fail."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from intempt_core.cli import main
from intempt_core.contract import ISSUE_KINDS
from intempt_core.validation import (
    REPORT_SCHEMA_ID,
    build_expectations_schema,
    build_report_schema,
    build_reports_schema,
)

HEADER = "name,eventId,userId,productId,timestamp,data.note\n"
GOOD = "Product viewed,e{0},u{0},p{0},1700000000000,\n"
WARNED = "Product viewed,w{0},null,p{0},1700000000000,\n"
BAD = "Product viewed,b{0},u{0},,1700000000000,\n"


def write(folder: Path, *rows: str, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_text("".join(rows), "utf-8", newline="")
    return path


def check(capsys: pytest.CaptureFixture[str], *call: str | Path, **environment: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["check", *map(str, call)], environment)
    return code, capsys.readouterr().out


def annotations(text: str) -> list[dict[str, str]]:
    """The workflow commands in a log, read as GitHub's runner reads them."""
    found = []
    for line in text.splitlines():
        if line.startswith("::"):
            head, _, message = line[2:].partition("::")
            severity, _, properties = head.partition(" ")
            pairs = dict(pair.split("=", 1) for pair in properties.split(","))
            given = {"severity": severity, "message": message, **pairs}
            found.append({name: unescape(value) for name, value in given.items()})
    return found


def unescape(value: str) -> str:
    for escape, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        value = value.replace(escape, char)
    return value


def parse_xml(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  written by the program itself


def places(text: str) -> dict[str, tuple[str | None, str | None]]:
    """The line and column of the first annotation of each code."""
    found: dict[str, tuple[str | None, str | None]] = {}
    for one in annotations(text):
        found.setdefault(one["title"].split(":")[0], (one.get("line"), one.get("col")))
    return found


def test_an_annotation_is_on_the_cell_as_a_person_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two lines above the header, a skipped row, cells with line breaks and doubled quotes, a letter of two bytes."""
    rows = [
        "a title\n",
        "\n",
        HEADER,
        "skip,me,,,,\n",
        'Product viewed,e1,u1,p1,1700000000000,"a\nb, ""x"""\n',
        'Ä,e2,"u\n2",,1,ok\n',
    ]
    file = write(tmp_path, *rows)
    code, out = check(capsys, file, "--format", "github", "--header-line", "3", "--rows-to-skip", "1")
    assert code == 1
    assert places(out) == {
        "event_name": ("7", "1"),
        "product_id_missing": ("8", "4"),
        "timestamp_before_2010": ("8", "5"),
        "id_white_space": ("7", "6"),
    }
    crlf = write(tmp_path, *(row.replace("\n", "\r\n") for row in rows))
    _, again = check(capsys, crlf, "--format", "github", "--header-line", "3", "--rows-to-skip", "1")
    assert places(again) == places(out)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_columns_are_counted_in_characters_whatever_the_encoding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(f"{HEADER}Product viewed,ä€,ü,,1700000000000,\n".replace(",", ";").encode(encoding))
    _, out = check(capsys, path, "--format", "github")
    assert places(out)["product_id_missing"] == ("2", "21")


def test_json_lines_and_documents_have_the_place_of_the_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = '{"name": "Product viewed", "eventId": "e1", "userId": "u", "timestamp": 5, "data": {"productId": "p"}}\n'
    _, lines = check(capsys, write(tmp_path, event, name="e.jsonl"), "--format", "github")
    assert places(lines) == {"timestamp_before_2010": ("1", str(event.index("5,") + 1))}
    body = '{"track": [\n {"name": "Product viewed", "payload": [\n' + event.replace('"name": "Product viewed", ', "")
    _, one = check(capsys, write(tmp_path, body, "]}]}", name="e.json"), "--format", "github")
    assert places(one) == {"timestamp_before_2010": ("3", "47")}
    _, wrong_name = check(
        capsys, write(tmp_path, body.replace("viewed", "seen"), "]}]}", name="e.json"), "--format", "json"
    )
    found = {issue["code"]: (issue["line"], issue["column"]) for issue in json.loads(wrong_name)["issues"]}
    assert found == {"event_name": (2, 11), "timestamp_before_2010": (3, 47)}  # the name stands above its event


def test_each_kind_is_annotated_once_before_any_is_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """GitHub shows ten of a run: thirty missing product ids must not hide the one time that cannot be read."""
    rows = [BAD.format(n) for n in range(30)]
    late = write(tmp_path, HEADER, *rows, WARNED.format(1), "Product viewed,e,u,p,soon,\n")
    _, out = check(capsys, late, "--format", "github")
    codes = [one["title"].split(":")[0] for one in annotations(out)]
    assert codes[:4] == ["product_id_missing", "timestamp_unreadable", "id_placeholder", "product_id_missing"]
    assert len(codes) == 32
    _, some = check(capsys, late, "--format", "github", "--max-issues", "5")
    assert len(annotations(some)) == 5
    _, none = check(capsys, late, "--format", "github", "--max-issues", "0")
    assert annotations(none) == []
    assert none == "events.csv: 32 rows; 31 rows have errors, 1 row has warnings.\n"


def test_what_a_file_holds_is_no_command_of_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "a%b,c:d.csv"
    file = write(tmp_path, HEADER, '"::error::x\n::stop-commands::y",e1,u1,p1,1700000000000,\n', name=odd)
    _, out = check(capsys, file, "--format", "github", GITHUB_WORKSPACE=str(tmp_path))
    (first, *_) = annotations(out)
    assert (first["file"], first["severity"]) == (odd, "error")
    assert "::error::x\n::stop-commands::y" in first["message"]
    assert sum(line.startswith("::") for line in out.splitlines()) == len(annotations(out))
    assert "::stop-commands" not in {line[:15] for line in out.splitlines()}
    hostile = write(tmp_path, HEADER, GOOD.format(1), name="::debug::##[group]x.csv")
    assert check(capsys, hostile, "--format", "github")[1].startswith("· ::debug::## [group]x.csv: 1 row")


def test_the_path_is_that_of_the_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "work" / "fixtures"
    folder.mkdir(parents=True)
    write(folder, HEADER, BAD.format(1))
    monkeypatch.chdir(folder)
    for given, named in ((str(tmp_path), "work/fixtures/events.csv"), ("", "events.csv"), ("/elsewhere", "events.csv")):
        _, out = check(capsys, "events.csv", "--format", "github", GITHUB_WORKSPACE=given)
        assert annotations(out)[0]["file"] == named


def test_the_summary_of_the_job_has_the_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    file = write(tmp_path, HEADER, BAD.format(1), BAD.format(2), WARNED.format(1), name="a|<b>.csv")
    check(capsys, file, "--format", "github", GITHUB_STEP_SUMMARY=str(summary), GITHUB_WORKSPACE=str(tmp_path))
    told = summary.read_text("utf-8")
    assert told.startswith("before\n### a\\|&lt;b\\&gt;.csv\n")
    assert "| ❌ error | 2 | product\\_id\\_missing | product id missing |" in told
    assert "| ⚠️ warning | 1 | id\\_placeholder |" in told
    assert check(capsys, file, "--format", "github", GITHUB_STEP_SUMMARY=str(tmp_path))[0] == 1  # a folder: said only


def test_a_file_that_tests_itself_is_annotated_where_it_is_not_as_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{HEADER.strip()},expect\n", GOOD.format(1).strip() + ",ok\n", BAD.format(1).strip() + ",ok\n"]
    code, out = check(capsys, write(tmp_path, *rows), "--expect", "--format", "github")
    assert (code, [(one["line"], one["severity"]) for one in annotations(out)]) == (1, [("3", "error")])


def test_several_files_show_each_kind_of_any_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, HEADER, *(BAD.format(n) for n in range(30)), name="a.csv")
    write(tmp_path, HEADER, WARNED.format(1), name="b.csv")
    write(tmp_path, '"', name="c.csv")
    code, out = check(capsys, tmp_path / "*.csv", "--format", "github", GITHUB_WORKSPACE=str(tmp_path))
    shown = annotations(out)
    assert code == 2
    assert [(one["file"], one["title"].split(":")[0]) for one in shown][:4] == [
        ("a.csv", "product_id_missing"),
        ("b.csv", "id_placeholder"),
        ("c.csv", "the file"),
        ("a.csv", "product_id_missing"),
    ]
    assert len(shown) == 32
    assert out.endswith("3 files: 31 rows; 30 rows have errors, 1 row has warnings. 1 file cannot be read.\n")


def test_in_a_run_of_github_no_sentence_is_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "", name="::stop-commands::x")
    write(tmp_path, HEADER, GOOD.format(1), name="::debug::##[group]x.csv")
    for form in ("text", "github"):
        assert main(["check", "::stop-commands::x", "--format", form], {}) == 2
        assert main(["check", "::debug::##[group]x.csv", "--format", form], {}) == 0
        out, err = capsys.readouterr()
        lines = [line for line in (out + err).splitlines() if not line.startswith("::error file=%3A%3Astop")]
        assert [line for line in lines if line.startswith("::") or "##[" in line] == []


# ── what makes a build fail ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
def test_warnings_make_a_build_fail_where_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    file = write(tmp_path, HEADER, GOOD.format(1), WARNED.format(1))
    codes = [check(capsys, file, "--format", form, *more)[0] for more in ([], ["--fail-on", "warning"])]
    assert codes == [0, 1]


def test_of_a_comparison_only_what_is_new_fails_and_is_annotated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, HEADER, BAD.format(1), GOOD.format(1), GOOD.format(2))
    last = write(tmp_path, check(capsys, file, "--format", "json")[1], name="last.json")
    write(tmp_path, HEADER, BAD.format(1), WARNED.format(1), GOOD.format(2))
    code, out = check(capsys, file, "--format", "github", "--baseline", last)
    assert (code, places(out)) == (0, {"id_placeholder": ("3", "19")})
    code, out = check(capsys, file, "--format", "junit", "--baseline", last, "--fail-on", "warning")
    assert code == 1
    failed = [one.get("name") for one in parse_xml(out).findall(".//testcase[failure]")]
    assert failed == ["id_placeholder: id looks like a placeholder"]


RULES = {"rules": "1", "events": {"Product viewed": {"properties": {"userId": {"pattern": "^u"}}}}}


def test_a_kind_is_a_test_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(
        tmp_path, HEADER, *(BAD.format(n) for n in range(30)), WARNED.format(1), "Product viewed,\x01x,u,p,1,\n"
    )
    code, out = check(capsys, file, "--format", "junit")
    suite = parse_xml(out)[0]
    cases = {case.get("name", "").split(":")[0]: case for case in suite}
    assert (code, set(cases)) == (1, set(ISSUE_KINDS))
    assert (suite.get("tests"), suite.get("failures")) == (str(len(ISSUE_KINDS)), "2")
    failure = cases["product_id_missing"].find("failure")
    assert failure is not None
    assert failure.get("message") == "product id missing: error in 30 rows"
    assert len((failure.text or "").splitlines()) == 20
    assert cases["id_placeholder"].find("failure") is None
    assert (cases["id_placeholder"].findtext("system-out") or "").startswith("warning in 1 row\nRow 31")
    assert len(cases["event_id_missing"]) == 0


# ── the report as JSON ───────────────────────────────────────────────────────────────────────────────────────────────


def test_real_reports_are_as_their_schema_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = build_report_schema()
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.Draft202012Validator(closed(schema))
    table = write(tmp_path, HEADER, BAD.format(1), WARNED.format(1), "x\n")
    last = write(tmp_path, check(capsys, table, "--format", "json")[1], name="last.json")
    lines = write(tmp_path, '{"name": "Product viewed", "data": 1}\n[]\nno\n', name="e.jsonl")
    document = write(tmp_path, '{"track": [{"name": 1, "payload": [{"eventId": 1}, 7]}, null]}', name="e.json")
    rules = write(tmp_path, json.dumps(RULES), name="rules.json")
    for call in (
        [table],
        [table, "--baseline", last],
        [table, "--max-issues", "0"],
        [table, "--rules", rules],
        [lines],
        [document],
    ):
        told = json.loads(check(capsys, *call, "--format", "json")[1])
        validator.validate(told)
        assert told["schema"] == REPORT_SCHEMA_ID


def test_the_results_of_tests_and_the_reports_of_several_files_are_as_their_schemas_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"{HEADER.strip()},expect\n",
        GOOD.format(1).strip() + ",ok\n",
        BAD.format(1).strip() + ",ok\n",
        "x,,,,,,?\n",
    ]
    write(tmp_path, *rows, GOOD.format(2), name="a.csv")
    write(tmp_path, *rows, name="b.csv")
    write(tmp_path, "", name="c.csv")
    tests = jsonschema_rs.Draft202012Validator(closed(build_expectations_schema()))
    reports = jsonschema_rs.Draft202012Validator(closed(build_reports_schema()))
    tests.validate(json.loads(check(capsys, tmp_path / "a.csv", "--expect", "--format", "json")[1]))
    for more in ([], ["--expect"]):
        told = json.loads(check(capsys, tmp_path / "*.csv", "--format", "json", *more)[1])
        reports.validate(told)
        assert ["report" in one for one in told["files"]] == [True, True, False]
        told["files"][0]["report"]["rows"] = "many"
        assert not reports.is_valid(told)


def closed(schema: Any) -> Any:
    """A schema that allows no key that it does not name, so that none goes without a word."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(value) for name, value in schema.items()}
    return made if "properties" not in made else {"additionalProperties": False, **made}


def test_issues_are_counted_beyond_those_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, HEADER, *(BAD.format(n) for n in range(9)))
    told = json.loads(check(capsys, file, "--format", "json", "--max-issues", "4")[1])
    assert (len(told["issues"]), told["issue_count"], told["counts"]) == (4, 9, {"product_id_missing": 9})
    assert "… and 5 more issues." in check(capsys, file, "--max-issues", "4")[1]
