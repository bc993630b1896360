"""``suggest``: a mapping file on standard output that ``check`` takes, and the reasons on standard error."""

import io
import json
from pathlib import Path

import pytest

from intempt_core.cli import main

DE = "Ereignis;Zeitpunkt;Kundennummer;Artikelnummer;Preis\n"


def write(folder: Path, text: str, name: str = "shop.csv") -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def suggested(capsys: pytest.CaptureFixture[str], *call: str) -> tuple[str, str]:
    """What ``suggest`` prints on standard output, and its reasons."""
    capsys.readouterr()
    assert main(["suggest", *call], {}) == 0
    out, err = capsys.readouterr()
    return out, err


def test_what_suggest_prints_is_a_mapping_file_that_check_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, DE + "view;01.10.2022 10:00;u1;p1;12,50\nkauf;13.10.2022 10:00;u2;p2;1.299,00\n")
    out, err = suggested(capsys, file)
    assert json.loads(out) == {
        "columns": {
            "Ereignis": "name",
            "Zeitpunkt": "timestamp",
            "Kundennummer": "userId",
            "Artikelnummer": "data.productId",
            "Preis": "data.price",
        },
        "names": {"view": "Product viewed", "kauf": "Product ordered"},
        "types": {"data.price": "number:1.234,5"},
        "constants": {},
        "time_zone": "UTC",
        "time_format": "%d.%m.%Y %H:%M",
    }
    assert "Artikelnummer → data.productId: Confirm it: a product id names one product of the catalogue" in err
    assert main(["check", file, "--mapping", write(tmp_path, out, "m.json")], {"CONSOLE_DATA": str(tmp_path)}) == 0
    assert not (tmp_path / "mappings").exists()


def test_nothing_is_suggested_for_csvs_of_something_else_and_check_still_takes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "first,last,zip\nJohn,Doe,08123\n")
    out, err = suggested(capsys, file)
    assert json.loads(out)["columns"] == {"first": "data.first", "last": "data.last", "zip": "data.zip"}
    for missing in ("No column seems to be name", "No column seems to be data.productId", "an identity"):
        assert missing in err
    assert main(["check", file, "--mapping", write(tmp_path, out, "m.json")], {}) == 1


def test_how_the_file_is_read_goes_into_the_mapping(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "Report of October\n\nevent|user_id|sku\nview|u1|p1\n")
    out, _ = suggested(capsys, file, "--header-line", "3", "--delimiter", "|")
    assert json.loads(out)["read"] == {"header_line": 3, "delimiter": "|"}
    assert main(["check", file, "--mapping", write(tmp_path, out, "m.json")], {}) == 0


def test_json_lines_are_mapped_and_many_columns_of_one_reason_share_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {
        "event": "Product Added",
        "userId": "u1",
        "messageId": "m1",
        "timestamp": "2022-10-01T10:00:00Z",
        "properties": {"product_id": "p1", "a": "1", "b": "2", "c": "3", "d": "4", "price": 12.5},
    }
    file = write(tmp_path, json.dumps(event) + "\n", "x.json")
    out, err = suggested(capsys, file)
    mapping = json.loads(out)
    assert mapping["columns"]["properties.product_id"] == "data.productId"
    assert mapping["columns"]["properties.price"] == "data.price"
    assert "properties.a → data.a, properties.b → data.b, properties.c → data.c and 1 more: It is inside" in err
    assert main(["check", file, "--mapping", write(tmp_path, out, "m.json")], {}) == 0


def test_events_that_have_their_names_need_no_mapping(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": "p"}}
    out, err = suggested(capsys, write(tmp_path, json.dumps(event) + "\n", "x.jsonl"))
    assert json.loads(out)["columns"] == {}
    assert "they are sent as they are, and need no mapping" in err


def test_of_two_columns_that_are_the_product_by_name_the_filled_one_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "name,userId,productId,data.productId\nProduct viewed,u,,p1\n")
    out, err = suggested(capsys, file)
    assert json.loads(out)["columns"] == {"name": "name", "userId": "userId", "data.productId": "data.productId"}
    assert "“productId” is left out: another column is data.productId." in err
    assert main(["check", file, "--mapping", write(tmp_path, out, "m.json")], {}) == 0


@pytest.mark.parametrize(
    ("vendor", "header", "cells", "columns"),
    [
        (
            "Magento",
            "object_id,subject_id,logged_at",
            "7,9,2022-10-01 10:00:00",
            ["data.productId", "userId", "timestamp"],
        ),
        ("ga4", "item_id,user_pseudo_id", "SKU,1.2", ["data.productId", "profileId"]),
        ("mixpanel", "time,distinct_id", "1664618400,u1", ["timestamp", "userId"]),
        ("uci", "StockCode,CustomerID", "85123A,17850", ["data.productId", "userId"]),
        ("AWS Personalize", "USER_ID,ITEM_ID,TIMESTAMP", "u,i,1664618400", ["userId", "data.productId", "timestamp"]),
        ("rudderstack", "id,anonymous_id", "e1,a1", ["eventId", "anotherUserId"]),
    ],
)
def test_a_vendor_says_whose_words_the_headers_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], vendor: str, header: str, cells: str, columns: list[str]
) -> None:
    out, _ = suggested(capsys, write(tmp_path, f"{header}\n{cells}\n"), "--vendor", vendor)
    assert list(json.loads(out)["columns"].values()) == columns


def test_an_unknown_vendor_and_a_document_are_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "sku\n1\n")
    assert main(["suggest", file, "--vendor", "Shopfy"], {}) == 2
    assert "“Shopfy” is no vendor whose exports are known. Did you mean “Shopify”?" in capsys.readouterr().err
    document = write(tmp_path, '{"name": "Product viewed",\n "eventId": "e"}', "x.json")
    assert main(["suggest", document], {}) == 2
    assert "it takes no mapping" in capsys.readouterr().err
    assert main(["suggest", str(tmp_path / "none.csv")], {}) == 2


@pytest.mark.parametrize(
    ("text", "explode", "member", "events"),
    [
        (
            "order_id,customer_id,order_date,product_1,product_2,product_3\nO1,c1,2022-10-01,p1,p2,\nO2,c2,2022-10-02,p3,,\n",
            {"columns": ["product_1", "product_2", "product_3"], "as": "product"},
            "product",
            3,
        ),
        (
            'order_id,customer_id,order_date,skus\nO1,c1,2022-10-01 10:00:00,"p1|p2"\n',
            {"column": "skus", "separator": "|"},
            "skus[]",
            2,
        ),
    ],
)
def test_several_products_of_a_row_are_drafted_as_several_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, explode: object, member: str, events: int
) -> None:
    file = write(tmp_path, text)
    out, err = suggested(capsys, file)
    mapping = json.loads(out)
    assert mapping["columns"] == {
        "order_id": "eventId",
        "customer_id": "userId",
        "order_date": "timestamp",
        member: "data.productId",
    }
    assert (mapping["explode"], mapping["constants"]) == (explode, {"name": "Product ordered"})
    assert f"{member} → data.productId: Confirm it: " in err
    capsys.readouterr()
    assert main(["check", file, "--mapping", write(tmp_path, out, "m.json"), "--format", "json"], {}) == 0
    assert json.loads(capsys.readouterr().out)["events"] == events


def test_a_list_in_json_has_a_mapping_whose_rows_are_its_items(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [{"sku": "A1", "user": "u1", "event": "Product viewed", "price": 12.5}, {"sku": "A2", "user": "u2"}]
    file = write(tmp_path, json.dumps(items, indent=2), "shop.json")
    out, err = suggested(capsys, file)
    columns = {"sku": "data.productId", "user": "userId", "event": "name", "price": "data.price"}
    assert json.loads(out)["columns"] == columns
    assert "each item is a row" in err
    mapping = write(tmp_path, out, "m.json")
    assert main(["check", file, "--mapping", mapping, "--format", "json"], {"CONSOLE_DATA": str(tmp_path)}) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["rows_with_errors"], report["counts"]["event_name"]) == (2, 1, 1)


def test_lines_that_are_no_json_are_counted_and_the_first_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, err = suggested(capsys, write(tmp_path, '{"sku": "A1"}\n{"sku" "A2"}\n{"sku": "A3"}\n', "x.jsonl"))
    assert "1 of 3 rows cannot be read as JSON. See line 2, column 8: " in err
    assert main(["suggest", write(tmp_path, '{"sku" 1}\n{"sku" 2}\n', "y.jsonl")], {}) == 2
    assert "y.jsonl: nothing in it can be read as JSON. See line 1, column " in capsys.readouterr().err


def test_of_several_files_and_patterns_each_has_its_mapping_in_one_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "sku,user,event\np1,u1,view\n", "b.csv")
    write(tmp_path, DE + "view;01.10.2022 10:00;u1;p1;12,50\nkauf;13.10.2022 10:00;u2;p2;1.299,00\n", "a.csv")
    write(tmp_path, '{"sku": "A1", "user": "u1"}\n', "c.jsonl")
    out, err = suggested(capsys, "c.jsonl", "*.csv", "b.csv")
    files = json.loads(out)["files"]
    assert [one["file"] for one in files] == ["c.jsonl", "a.csv", "b.csv"]
    assert files[0]["mapping"]["columns"] == {"sku": "data.productId", "user": "userId"}
    assert files[1]["mapping"]["types"] == {"data.price": "number:1.234,5"}
    assert files[1]["mapping"] == json.loads(suggested(capsys, "a.csv")[0])
    lines = err.splitlines()
    assert {line.partition(": ")[0] for line in lines} == {"a.csv", "b.csv", "c.jsonl"}


def test_a_file_among_several_that_takes_no_mapping_is_said_and_the_others_have_theirs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, '{"sku" 1}\n', "a.jsonl")
    write(tmp_path, "sku,user\np1,u1\n", "b.csv")
    capsys.readouterr()
    assert main(["suggest", "a.jsonl", "none.csv", "b.csv"], {}) == 2
    out, err = capsys.readouterr()
    bad, missing, good = json.loads(out)["files"]
    assert bad["error"].startswith("a.jsonl: nothing in it can be read as JSON.")
    assert missing["error"].startswith("none.csv")
    assert good["mapping"]["columns"] == {"sku": "data.productId", "user": "userId"}
    assert bad["error"] in err


def test_standard_input_is_read_and_a_pattern_without_a_file_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"sku,user\np1,u1\n")))
    out, _ = suggested(capsys, "-", "--form", "csv")
    assert json.loads(out)["columns"] == {"sku": "data.productId", "user": "userId"}
    assert main(["suggest", str(tmp_path / "*.csv")], {}) == 2
    assert "No file matches" in capsys.readouterr().err
    for call, sentence in (
        (["a.csv", "--form", "csv"], "--form says what standard input holds"),
        (["-", "-"], "read once"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["suggest", *call], {})
        assert ended.value.code == 2
        assert sentence in capsys.readouterr().err
