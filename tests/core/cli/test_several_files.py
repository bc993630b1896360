"""Several files in one check, patterns of names, and standard input."""

import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from intempt_core.cli import main
from tests.core.cli.terminals import ROOT
from tests.core.dispatch.factories import OK, decides, got
from tests.core.transport.fault_server import hostile

HEADER = "name,eventId,userId,productId\n"
GOOD = "Product viewed,e{n},u1,p1\n"
LINE = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "exports").mkdir()
    (tmp_path / "good.csv").write_text(HEADER + GOOD.format(n=1) + GOOD.format(n=2))
    (tmp_path / "exports" / "a.csv").write_text(HEADER + "view,e3,u1,p1\n")
    (tmp_path / "exports" / "b.csv").write_text(HEADER + GOOD.format(n=4))
    (tmp_path / "lines.jsonl").write_text(json.dumps(LINE) + "\n" + json.dumps({**LINE, "eventId": None}) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pipe(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


# ── several files ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_file_has_its_report_and_the_total_sums_them_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "good.csv", "lines.jsonl", "exports/*.csv"], {}) == 1
    lines = capsys.readouterr().out.splitlines()
    verdicts = [line for line in lines if ": " in line and "rows have warnings" in line]
    assert verdicts == [
        "good.csv: 2 rows; 0 rows have errors, 0 rows have warnings.",
        "lines.jsonl: 2 rows; 1 row has errors, 0 rows have warnings.",
        "a.csv: 1 row; 1 row has errors, 0 rows have warnings.",
        "b.csv: 1 row; 0 rows have errors, 0 rows have warnings.",
        "4 files: 6 rows; 2 rows have errors, 0 rows have warnings.",
    ]
    assert lines[-1] == verdicts[-1]


def test_all_clean_is_0(folder: Path) -> None:
    assert main(["check", "good.csv", "exports/b.csv"], {}) == 0


def test_as_json_they_are_a_list_whose_reports_are_those_of_each_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = {}
    for name in ("good.csv", "exports/a.csv"):
        main(["check", name, "--format", "json"], {})
        alone[name] = json.loads(capsys.readouterr().out)
    assert main(["check", *alone, "--format", "json"], {}) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [{"file": name, "report": report} for name, report in alone.items()]
    assert told["total"] == {
        "files": 2,
        "files_unreadable": 0,
        "files_failed": 1,
        "rows": 3,
        "events": 3,
        "rows_with_errors": 1,
        "events_with_errors": 1,
        "rows_with_warnings": 0,
        "rows_ignored": 0,
        "counts": {"event_name": 1},
    }


def test_one_file_that_a_pattern_matches_is_that_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "go*.csv", "--format", "json"], {}) == 0
    by_pattern = capsys.readouterr().out
    assert main(["check", "good.csv", "--format", "json"], {}) == 0
    assert capsys.readouterr().out == by_pattern


def test_a_file_that_cannot_be_read_is_the_gravest_and_stops_no_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty.csv").write_text("")
    assert main(["check", "exports/a.csv", "empty.csv", "good.csv"], {}) == 2
    told = capsys.readouterr()
    assert told.out.endswith("3 files: 3 rows; 1 row has errors, 0 rows have warnings. 1 file cannot be read.\n")
    assert told.err.startswith("empty.csv")
    assert told.err.count("\n") == 1
    assert main(["check", "good.csv", "empty.csv", "--format", "json"], {}) == 2
    first, second = json.loads(capsys.readouterr().out)["files"]
    assert (first["file"], second["file"], second["error"][:9]) == ("good.csv", "empty.csv", "empty.csv")


def test_as_junit_they_are_one_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty.csv").write_text("")
    assert main(["check", "good.csv", "exports/a.csv", "empty.csv", "--format", "junit"], {}) == 2
    root = ET.fromstring(capsys.readouterr().out)  # noqa: S314  our own
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["good.csv", "a.csv", "empty.csv"]
    assert root.get("failures") == "1"
    assert root.get("errors") == "1"
    assert int(root.get("tests", 0)) == sum(int(suite.get("tests", 0)) for suite in suites)
    assert len(root.findall(".//testcase")) == int(root.get("tests", 0))


def test_files_that_test_themselves_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, expected in (("right.csv", "ok"), ("wrong.csv", "event_name")):
        (folder / name).write_text(f"{HEADER[:-1]},expect\n{GOOD.format(n=1)[:-1]},{expected}\n")
    assert main(["check", "right.csv", "wrong.csv", "--expect"], {}) == 1
    assert capsys.readouterr().out.endswith("2 files: 1 as expected, 1 not.\n")
    assert main(["check", "right.csv", "wrong.csv", "--expect", "--format", "json"], {}) == 1
    told = json.loads(capsys.readouterr().out)
    assert [entry["report"]["as_expected"] for entry in told["files"]] == [True, False]
    assert told["total"] == {"files": 2, "files_unreadable": 0, "files_failed": 1}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["exports/*.parquet"], "No file matches “exports/*.parquet”."),
        (["good.csv", "none-[0-9].csv"], "No file matches “none-[0-9].csv”."),
        (["good.csv", "exports/a.csv", "--problems", "p.csv"], "--problems goes with one file, and there are 2."),
        (["*/*.csv", "--baseline", "b.json"], "--baseline goes with one file, and there are 2."),
        (["-", "-"], "Say it once"),
        (["good.csv", "--form", "csv"], "say - as FILE"),
    ],
)
def test_what_goes_with_no_several_files_is_a_sentence_and_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    try:
        code = main(["check", *arguments], {})
    except SystemExit as ended:
        code = int(ended.code or 0)
    told = capsys.readouterr()
    assert (code, says in told.err, told.out) == (2, True, "")


def test_a_name_with_the_characters_of_a_pattern_is_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a[1].csv").write_text(HEADER + GOOD.format(n=1))
    assert main(["check", "a[1].csv"], {}) == 0
    assert capsys.readouterr().out.startswith("a[1].csv: 1 row;")


def test_a_file_that_is_named_and_matched_is_checked_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "exports/b.csv", "exports/*.csv"], {}) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 files: 2 rows;")


# ── standard input ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["good.csv", "lines.jsonl"])
def test_standard_input_is_what_its_bytes_say(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, packed: bool
) -> None:
    code = main(["check", name], {})
    alone = capsys.readouterr().out
    content = (folder / name).read_bytes()
    pipe(monkeypatch, gzip.compress(content) if packed else content)
    assert main(["check", "-"], {}) == code
    assert capsys.readouterr().out.splitlines()[-1] == alone.splitlines()[-1].replace(name, "standard input")
    assert not list(Path(tempfile.gettempdir()).glob("event-console-*/input"))


def test_a_form_decides_what_one_line_of_json_is(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for form, said in (("jsonl", "Read as JSON lines"), ("json", "Read as ")):
        pipe(monkeypatch, json.dumps(LINE).encode())
        assert main(["check", "-", "--form", form], {}) == 0
        assert said in capsys.readouterr().out
    pipe(monkeypatch, json.dumps(LINE).encode())
    assert main(["check", "-", "--form", "csv"], {}) == 2
    assert "is JSON lines, and --form says csv." in capsys.readouterr().err


def test_nothing_on_standard_input_is_2(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, b"")
    assert main(["check", "-"], {}) == 2
    assert "empty" in capsys.readouterr().err


def test_standard_input_is_one_of_several(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, (folder / "good.csv").read_bytes())
    assert main(["check", "exports/b.csv", "-"], {}) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 files: 3 rows;")


def test_standard_input_is_sent_once_as_a_file_is(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"CONSOLE_DATA": str(folder / "data"), "INTEMPT_API_KEY": "pre.secretsecret"}
    content, out = (folder / "good.csv").read_bytes(), folder / "out.csv"
    with hostile(decides(lambda _: OK)) as server:
        target = f"{server.url}/v1/acme/projects/shop/sources/1001/track"
        pipe(monkeypatch, content)
        assert main(["send", "-", "--target", target, "--yes", "--results", str(out)], environment) == 0
        pipe(monkeypatch, content)
        assert main(["send", "-", "--target", target, "--yes"], environment) == 5
        pipe(monkeypatch, content)
        assert main(["send", "-", "--target", target], environment) == 5
        pipe(monkeypatch, content.replace(b"e1", b"e7"))
        assert main(["send", "-", "--target", target, "--rest"], environment) == 1
        assert "Say --yes" in capsys.readouterr().err
        assert sorted(got(server)) == ["e1", "e2"]
    assert out.read_text("utf-8").count("accepted") == 2


def test_a_pattern_names_the_one_file_that_is_sent(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"CONSOLE_DATA": str(folder / "data")}
    assert main(["send", "goo*.csv", "--target", "sandbox", "--yes"], environment) == 0
    capsys.readouterr()
    assert main(["send", "exports/*.csv", "--target", "sandbox", "--yes"], environment) == 2
    assert "matches 2 files, and one is sent at a time" in capsys.readouterr().err
    assert main(["send", "none*", "--target", "sandbox", "--yes"], environment) == 2


@pytest.mark.long
def test_a_send_of_standard_input_that_is_interrupted_before_its_end_records_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "intempt_core", "send", "-", "--target", "sandbox", "--yes"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "CONSOLE_DATA": str(tmp_path / "data"), "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write((HEADER + GOOD.format(n=1)).encode())
    process.stdin.flush()
    while not list(tmp_path.glob("event-console-*/input")):
        assert process.poll() is None
    os.kill(process.pid, 2)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told.splitlines()[-1]) == (130, b"Interrupted.")
    assert not (tmp_path / "data").exists()
    assert not list(tmp_path.glob("event-console-*"))
