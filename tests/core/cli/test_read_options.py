"""How a file is read can be said on the command line and in a mapping file, and ``send`` says what ``check`` says."""

import json
from pathlib import Path

import pytest

from intempt_core.cli import main
from tests.core.readers.workbook_factories import rows_xml, workbook

MAPPING = {"columns": {"was": "name", "wer": "userId", "sku": "data.productId"}, "names": {"view": "Product viewed"}}
REPORT = "Auswertung;\nwas;wer;sku\n(Text);(Text);(Text)\nview;zoë;p1\nview;'a;b';p2\n"
"""A header in line 2, one row of units below it; cells in single quotes."""

FLAGS = [
    "--header-line",
    "2",
    "--rows-to-skip",
    "1",
    "--delimiter",
    "semicolon",
    "--encoding",
    "cp1252",
    "--quote",
    "'",
]
READ = {"header_line": 2, "rows_to_skip": 1, "delimiter": "semicolon", "encoding": "cp1252", "quote": "'"}


def write_report(folder: Path) -> str:
    path = folder / "report.csv"
    path.write_bytes(REPORT.encode("cp1252"))
    return str(path)


def write_mapping(folder: Path, **more: object) -> str:
    path = folder / "m.json"
    path.write_text(json.dumps({**MAPPING, **more}), "utf-8")
    return str(path)


def check(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["check", *arguments], {})
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_flags_say_how_the_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check([write_report(tmp_path), "--mapping", write_mapping(tmp_path), *FLAGS], capsys)
    assert code == 0, out
    assert "The header is line 2; what is above it was not read." in out
    assert "The row after the header was skipped, as you said." in out
    assert "report.csv: 2 rows; 0 rows have errors, 0 rows have warnings." in out


def test_a_mapping_file_says_the_same_and_a_flag_overrules_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = write_mapping(tmp_path, read=READ)
    code, out, _ = check([write_report(tmp_path), "--mapping", mapping], capsys)
    assert (code, "report.csv: 2 rows;" in out) == (0, True)
    code, out, _ = check([write_report(tmp_path), "--mapping", mapping, "--rows-to-skip", "0"], capsys)
    assert (code, "report.csv: 3 rows;" in out) == (1, True)  # the row of units is no event


def test_a_column_that_is_not_there_says_which_sheet_was_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [["was", "wer", "sku"], ["view", "zoe", "p1"]]
    book = tmp_path / "book.xlsx"
    book.write_bytes(workbook({"Cover": rows_xml([["Export of October"]]), "Orders": rows_xml(rows)}))
    code, _, err = check([str(book), "--mapping", write_mapping(tmp_path)], capsys)
    assert code == 2
    assert "book.xlsx has no column “was”" in err
    assert "Sheet “Cover” of 2 was read; not read: “Orders”." in err
    code, out, _ = check([str(book), "--mapping", write_mapping(tmp_path), "--sheet", "Orders"], capsys)
    assert code == 0, out


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        ([], "“read” of the mapping is not an object"),
        ({"headerLine": 2}, "has a key “headerLine”. Did you mean “header_line”?"),
        ({"header_line": 0}, "“header_line” in “read” of the mapping is “0”. It is a whole number, 1 or more."),
        ({"header_line": True}, "It is a whole number, 1 or more."),
        ({"delimiter": 5}, "“delimiter” in “read” of the mapping is “5”. It is a text."),
        ({"sheets": "x"}, "Did you mean “sheet”?"),
    ],
)
def test_what_a_mapping_file_cannot_say_is_a_sentence(
    read: object, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = check([write_report(tmp_path), "--mapping", write_mapping(tmp_path, read=read)], capsys)
    assert (code, sentence in err) == (2, True), err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--header-line", "0"], "“0” is no number of lines; it takes 1 or more"),
        (["--rows-to-skip", "-1"], "“-1” is no number of lines; it takes 0 or more"),
        (["--header-line", "99"], "has no header in line 99"),
        (["--delimiter", "ab"], "The delimiter is “ab”. It is one visible character, or a tab."),
        (["--encoding", "klingon"], "cannot be read as “klingon”"),
    ],
)
def test_a_flag_that_cannot_be_is_a_sentence(
    flags: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code, _, err = check([write_report(tmp_path), "--encoding", "cp1252", *flags], capsys)
    except SystemExit as end:
        code, err = int(end.code or 0), capsys.readouterr().err
    assert (code, sentence in err) == (2, True), err


@pytest.mark.parametrize(
    ("written", "named", "seems"),
    [
        ("utf-8", "utf-16", "utf-8"), ("utf-8", "utf-32-le", "utf-8"), ("utf-16", "utf-16-be", "utf-16"),
        ("utf-16-le", "utf-16-be", "utf-16-le"),
    ],
)  # fmt: skip
def test_text_that_is_named_as_of_another_width_is_no_empty_table(
    written: str, named: str, seems: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("name,userId,data.productId\nProduct viewed,u,pé\n".encode(written))
    code, _, err = check([str(path), "--encoding", named], capsys)
    assert (code, f"cannot be read as {named}" in err, f"It seems to be {seems}." in err) == (2, True, True), err


@pytest.mark.parametrize("written", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", ["name,userId\nProduct viewed,ü\n", "名\n"])
def test_text_of_the_width_that_is_named_is_read(
    written: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode(written))
    code, _, err = check([str(path), "--encoding", written], capsys)
    assert code != 2, err


def test_what_a_format_does_not_have_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"name":"Product viewed","eventId":"1","userId":"u","data":{"productId":"p"}}\n', "utf-8")
    code, out, _ = check([str(path), "--delimiter", ";", "--sheet", "Orders"], capsys)
    assert code == 0
    assert "Not used, since JSON lines has no such choice: sheet “Orders” and delimiter “;”." in out


def test_a_program_gets_json_and_a_person_beside_it_what_was_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.csv"
    path.write_text("Report of October\n\nwas,wer,sku\nview,u1,p1\n", "utf-8")
    code, out, err = check([str(path), "--mapping", write_mapping(tmp_path), "--format", "json"], capsys)
    assert (code, json.loads(out)["rows"]) == (0, 1)
    assert "The header is line 3; what is above it was not read." in err


def test_a_sheet_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.xlsx"
    rows = [["was", "wer", "sku"], ["view", "u1", "p1"]]
    path.write_bytes(workbook({"Notes": rows_xml([["Read me"]]), "Events": rows_xml(rows)}))
    arguments = [str(path), "--mapping", write_mapping(tmp_path), "--sheet"]
    assert check([*arguments, "Events"], capsys)[0] == 0
    code, _, err = check([*arguments, "Event"], capsys)
    assert (code, "has no sheet “Event”. It has Notes, Events." in err) == (2, True)


def test_lines_of_json_are_mapped_whatever_the_file_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = '{"was":"view","wer":"u1","sku":"p1"}\n'
    for name, lines in (("one.json", 1), ("two.json", 2), ("two.jsonl", 2)):
        (tmp_path / name).write_text(line * lines, "utf-8")
        code, out, err = check([str(tmp_path / name), "--mapping", write_mapping(tmp_path)], capsys)
        assert code == 0, out + err
        assert f"{name}: {lines} row" in out


def test_send_prints_what_check_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shop.csv"
    path.write_bytes("was;wer;sku;note\nview;Ïèð;p1;x\nview;;p2;y\n".encode("cp1252"))
    arguments = [str(path), "--mapping", write_mapping(tmp_path)]
    _, out, _ = check(arguments, capsys)
    assert "The file was read as cp1252, not as UTF-8" in out
    assert "Not sent: note." in out
    assert "No identity is given." in out
    environment = {"CONSOLE_DATA": str(tmp_path / "data")}
    assert main(["send", *arguments, "--target", "sandbox", "--yes"], environment) == 0
    assert out in capsys.readouterr().err
