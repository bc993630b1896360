"""``check --baseline``: what is new, fixed and still failing by code and row, and which columns changed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.cli import main
from intempt_core.validation.baseline import format_ranges, parse_ranges

HEADER = "name,eventId,userId,productId,timestamp,data.price\n"
GOOD = "Product viewed,e{0},u{0},p{0},1700000000000,12.5\n"


def write(folder: Path, text: str, name: str = "events.csv") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def checked(capsys: pytest.CaptureFixture[str], *call: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code of a check, and what it prints as JSON."""
    capsys.readouterr()
    code = main(["check", *map(str, call), "--format", "json"], {})
    return code, json.loads(capsys.readouterr().out)


def keep(capsys: pytest.CaptureFixture[str], folder: Path, file: Path) -> Path:
    """The JSON of a check, as a file."""
    return write(folder, json.dumps(checked(capsys, file)[1]), "last.json")


def test_new_fixed_and_still_failing_rows_by_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [GOOD.format(n) for n in range(6)]
    rows[1] = rows[1].replace("p1", "")
    rows[2] = rows[2].replace("u2", "")
    last = keep(capsys, tmp_path, write(tmp_path, HEADER + "".join(rows)))
    rows[1] = GOOD.format(1)  # fixed; row 3 still fails
    rows[3] = rows[3].replace("p3", "")
    rows[4] = rows[4].replace("p4", "")
    file = write(tmp_path, HEADER + "".join(rows))
    code, told = checked(capsys, file, "--baseline", last)
    assert code == 1
    assert {part: told["compared"][part] for part in ("new", "fixed", "still")} == {
        "new": {"product_id_missing": "4-5"},
        "fixed": {"product_id_missing": "2"},
        "still": {"identity_missing": "3"},
    }
    assert main(["check", str(file), "--baseline", str(last)], {}) == 1
    out = capsys.readouterr().out
    assert "new: product_id_missing in 2 rows: 4-5" in out
    assert "fixed: product_id_missing in 1 row: 2" in out
    assert "still failing: identity_missing in 1 row: 3" in out
    assert out.endswith("Since events.csv was checked: 2 new, 1 fixed, 1 still failing.\n")


def test_what_failed_before_and_new_warnings_are_no_reason_to_end_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = GOOD.format(1).replace("p1", "")
    last = keep(capsys, tmp_path, write(tmp_path, HEADER + bad + GOOD.format(2)))
    file = write(tmp_path, HEADER + bad + GOOD.format(2).replace("u2", "null"))
    code, told = checked(capsys, file, "--baseline", last)
    assert (code, told["compared"]["new"]) == (0, {"id_placeholder": "2"})
    assert checked(capsys, file)[0] == 1


def test_columns_and_types_that_came_went_and_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = keep(capsys, tmp_path, write(tmp_path, HEADER + GOOD.format(1) + GOOD.format(2)))
    header = HEADER.replace("timestamp", "data.when").replace("\n", ",data.qty\n")
    text = header + "Product viewed,e1,u1,p1,2022-10-01,cheap,1\nProduct viewed,e2,u2,p2,2022-10-02,dear,2\n"
    file = write(tmp_path, text)
    code, told = checked(capsys, file, "--baseline", last)
    assert code == 0
    assert told["compared"]["columns"] == {
        "came": {"data.when": "time", "data.qty": "integer"},
        "went": {"timestamp": "integer"},
        "changed": {"data.price": {"then": "number", "now": "text"}},
    }
    assert main(["check", str(file), "--baseline", str(last)], {}) == 0
    out = capsys.readouterr().out
    assert "2 columns came: “data.when” (time), “data.qty” (integer)" in out
    assert "column “data.price” was number and is text" in out


def test_a_column_of_which_some_cells_are_something_else_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(GOOD.format(n) for n in range(9))
    last = keep(capsys, tmp_path, write(tmp_path, HEADER + rows + GOOD.format(9)))
    file = write(tmp_path, HEADER + rows + GOOD.format(9).replace("12.5", "n/a"))
    changed = checked(capsys, file, "--baseline", last)[1]["compared"]["columns"]["changed"]
    assert changed == {"data.price": {"then": "number", "now": "mostly number"}}


def test_rows_that_were_put_in_are_said_and_a_file_of_the_same_shape_may_have_another_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = keep(capsys, tmp_path, write(tmp_path, HEADER + GOOD.format(1), "october.csv"))
    file = write(tmp_path, HEADER + GOOD.format(1) + GOOD.format(2), "november.csv")
    assert main(["check", str(file), "--baseline", str(last)], {}) == 0
    out = capsys.readouterr().out
    assert "1 row then, 2 now. Rows are compared by their number" in out
    assert "Since october.csv was checked: 0 new, 0 fixed, 0 still failing." in out


def test_what_is_wrong_with_a_document_is_compared_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = '{"name": "Product viewed", "eventId": "e%d", "userId": "u", "data": {"productId": "p"}}'
    last = keep(capsys, tmp_path, write(tmp_path, f"[{event % 1},\n {event % 2}]", "x.json"))
    file = write(tmp_path, f"[{event % 1},\n {event % 2},]".replace('"u"', '""', 1), "x.json")
    code, told = checked(capsys, file, "--baseline", last)
    assert code == 1
    assert told["compared"]["new"]["identity_missing"] == "1"
    assert told["compared"]["columns"] == {"came": {}, "went": {}, "changed": {}}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty. A shell empties the file that it writes to before the command starts"),
        ("no JSON", "is no JSON"),
        ("[1]", "is JSON, but not what “check --format json” prints"),
        ('{"results": [], "rows": 1, "counts": {}}', "is JSON, but not what “check --format json” prints"),
        ('{"rows": 1, "counts": {}, "issues": []}', "was printed by an earlier version"),
        ('{"rows": 1, "counts": {}, "baseline": {"version": 99}}', "was printed by a later version"),
        ('{"rows": 1, "counts": {}, "baseline": 7}', "was changed since"),
        (
            '{"rows": 1, "counts": {}, "baseline": {"file": "e", "columns": {}, "failing": {"x": "1-999999999"}}}',
            "was changed since",
        ),
        (
            '{"rows": 1, "counts": {}, "baseline": {"file": "other.csv", "columns": {"name": "text"}, "failing": {}}}',
            "The baseline is of another file, “other.csv”: it shares 1 of 6 columns with events.csv.",
        ),
    ],
)
def test_a_baseline_that_is_none_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, sentence: str
) -> None:
    file = write(tmp_path, HEADER + GOOD.format(1))
    last = write(tmp_path, content, "last.json")
    assert main(["check", str(file), "--baseline", str(last)], {}) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err


def test_a_baseline_that_powershell_wrote_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, HEADER + GOOD.format(1))
    last = tmp_path / "last.json"
    last.write_bytes(json.dumps(checked(capsys, file)[1]).encode("utf-16"))
    assert main(["check", str(file), "--baseline", str(last)], {}) == 0


def test_a_baseline_that_is_not_there_and_one_beside_expect_are_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, HEADER + GOOD.format(1))
    assert main(["check", str(file), "--baseline", str(tmp_path / "none.json")], {}) == 2
    assert "cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["check", str(file), "--baseline", "x.json", "--expect"], {})
    assert ended.value.code == 2


@given(st.lists(st.integers(0, 300), max_size=60))
def test_ranges_are_read_as_they_are_written(rows: list[int]) -> None:
    given_rows = np.unique(np.array(rows, np.int64))
    assert parse_ranges(format_ranges(given_rows)).tolist() == given_rows.tolist()


def test_what_the_teams_rules_find_is_compared_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shelf = {"required": ["shelf"], "x-name": "shelf", "x-severity": "error"}
    rules = {"rules": "1", "events": {"Product viewed": {"properties": {"data": shelf}}}}
    given_rules = write(tmp_path, json.dumps(rules), "rules.json")
    file = write(tmp_path, HEADER + GOOD.format(1) + GOOD.format(2))
    last = keep(capsys, tmp_path, file)
    code, told = checked(capsys, file, "--baseline", last, "--rules", given_rules)
    assert (code, told["compared"]["new"]) == (1, {"rule:shelf": "1-2"})


def test_a_row_that_became_several_events_is_one_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = "order_id,userId,product_1,product_2\n"
    mapping = {
        "columns": {"order_id": "eventId", "userId": "userId", "product": "data.productId"},
        "constants": {"name": "Product ordered"},
        "explode": {"columns": ["product_1", "product_2"], "as": "product"},
    }
    given_mapping = write(tmp_path, json.dumps(mapping), "m.json")
    file = write(tmp_path, header + "O1,u1,p1,p2\nO2,u2,p3,p4\n")
    told = checked(capsys, file, "--mapping", given_mapping)[1]
    assert list(told["baseline"]["columns"]) == ["order_id", "userId", "product_1", "product_2"]
    last = write(tmp_path, json.dumps(told), "last.json")
    file = write(tmp_path, header + "O1,u1,p1,p2\nO2,,p3,p4\n")
    code, told = checked(capsys, file, "--mapping", given_mapping, "--baseline", last)
    assert (code, told["compared"]["new"]) == (1, {"identity_missing": "2"})
