"""``coverage``: what files exercise, the rows that lack, and what is said where that cannot be."""

import json
from pathlib import Path

import pytest

from intempt_core.cli import main

GOOD = "name,eventId,userId,timestamp,productId\nProduct viewed,e1,u1,1717372800000,A\n"


def call(*arguments: object) -> int:
    return main(["coverage", *map(str, arguments)], {})


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.csv"
    file.write_text(GOOD)
    return file


def measure(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    capsys.readouterr()
    assert call(*arguments, "--format", "json") == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_with_the_missing_rows_everything_is_exercised(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some, more = tmp_path / f"some.{form}", tmp_path / f"more.{form}"
    arguments = ["--persons", "3", "--defects", "event_name=20%,id_twins=5%", "--form", form, "--out", str(some)]
    assert main(["generate", *arguments], {}) == 0
    before = measure(capsys, some)
    assert 0 < float(str(before["percent"])) < 100
    assert call(some, "--add-missing", more) == 0
    assert measure(capsys, some, more)["percent"] == 100
    assert main(["check", str(more), "--expect"], {}) == 0
    capsys.readouterr()
    assert call(some, more, "--add-missing", tmp_path / f"none.{form}") == 0
    assert "Nothing lacks" in capsys.readouterr().err
    assert not (tmp_path / f"none.{form}").exists()


def test_a_catalogue_makes_unknown_products_count(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items, more = tmp_path / "items.csv", tmp_path / "more.csv"
    items.write_text("productId\n" + "".join(f"P{number}\n" for number in range(200)))
    assert call(good, "--catalogue", items, "--add-missing", more) == 0
    assert measure(capsys, good, more, "--catalogue", items)["percent"] == 100
    assert "product_unknown" in str(measure(capsys, good)["not_counted"])


def test_it_says_what_is_exercised_and_what_not(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(good) == 0
    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.split()}
    assert lines["product_id_missing"] == ["yes", "NO"]
    assert lines["event_id_shared"] == ["NO", "NO"]
    assert lines["viewed_only"][0] == "yes"
    assert lines["ordered_again"][0] == "NO"


def test_less_than_what_is_asked_for_ends_with_1(good: Path) -> None:
    assert call(good, "--fail-under", "10") == 0
    assert call(good, "--fail-under", "90%") == 1


def test_a_mapping_is_for_all_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, mapping = tmp_path / "shop.csv", tmp_path / "shop.json"
    file.write_text("what,id,who,sku\nview,e1,u1,A\n")
    columns = {"what": "name", "id": "eventId", "who": "userId", "sku": "data.productId"}
    mapping.write_text(json.dumps({"columns": columns, "names": {"view": "Product viewed"}}))
    shapes = measure(capsys, file, "--mapping", mapping)["shapes"]
    assert isinstance(shapes, dict)
    assert shapes["viewed_only"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere.csv"], 2, "nowhere.csv"),
        (["good.csv", "--add-missing", "more.jsonl"], 2, "Name a .csv file in the place of more.jsonl."),
        (["good.csv", "--add-missing", "good.csv", "--force"], 1, "is the file to read itself"),
        (["good.csv", "--add-missing", "there.csv"], 1, "is there already. Say --force"),
        (["good.csv", "--catalogue", "few.csv", "--add-missing", "more.csv"], 2, "has 1 of the 3 different products"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: list[str], code: int, sentence: str, good: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "few.csv").write_text("productId\nA\n")
    assert call(*arguments) == code
    assert sentence in capsys.readouterr().err
    assert (tmp_path / "there.csv").read_text() == "mine"
    assert good.read_text() == GOOD


@pytest.mark.parametrize("arguments", [["--fail-under", "120"], ["--add-missing", "more.xlsx"], ["--fail-under", "x"]])
def test_a_wrong_call_ends_with_2(arguments: list[str], good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call(good, *arguments)
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
