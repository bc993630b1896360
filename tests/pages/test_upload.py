"""Upload without a browser: files of every kind, and the choices of every step."""

import gzip
import json
import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from intempt_core.contract import ISSUE_KINDS, EventName
from intempt_core.readers import TABLE_FORMATS
from pages.parts.shared.services import get_services
from tests.core.readers.parquet_factories import parquet, parquet_of
from tests.core.readers.workbook_factories import rows_xml, workbook
from tests.examples import keep_first_quick
from tests.pages.upload_steps import HEADER, Upload, cosmetics, csv_of, good_rows, grid

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"


# ── the empty screen ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_empty_screen_shows_what_it_is_for_and_explains_the_columns_of_the_template(upload: Upload) -> None:
    assert "Every problem is shown before anything is sent" in upload.texts
    assert upload.app.table[0].value.index.tolist() == [*HEADER.split(","), "expect"]
    codes = upload.app.dataframe[0].value
    assert set(codes["code"]) == set(ISSUE_KINDS)  # so that a fixture can be written from the screen


def test_the_template_has_no_problem_and_needs_no_mapping(upload: Upload) -> None:
    from pages.parts.upload.file_view import CSV_TEMPLATE

    upload.drop(CSV_TEMPLATE.encode(), "events-template.csv").press("upload-settle")
    assert f"{len(EventName)} events · 1 user · 1 request → Sandbox" in upload.texts
    assert "none" in upload.texts.splitlines()


# ── every bad file: a clear sentence, or read right ──────────────────────────────────────────────────────────────────

NO_TABLE = {
    "an empty file": (b"", "is empty"),
    "a png": (PNG, "is an image"),
    "an xlsx that was cut": (workbook({"S": rows_xml([["a"], ["1"]])})[:-9], "is cut or broken"),
    "a parquet file that was cut": (parquet_of(["a"], [["1"]])[:-9], "the Parquet file was cut, or is broken"),
    "a gz that was cut": (gzip.compress(b"a,b\n1,2\n")[:-3], "it was cut, or is broken"),
    "two identical headers": (csv_of("a,b,c", header="name,userId,name"), "name"),
    "an open quote in the header": (b'name,"userId\nProduct viewed,u1\n', "a quote is opened and never closed"),
    "JSON in one piece": (b'{\n"name": "Product viewed"\n}', "is JSON in one piece"),
    "JSON without an event": (b'{"track": []}', "is JSON and holds no event"),
}


@pytest.mark.parametrize(("data", "sentence"), keep_first_quick(NO_TABLE.values(), 4), ids=NO_TABLE)
def test_what_is_no_table_is_a_sentence_and_the_next_file_is_read(upload: Upload, data: bytes, sentence: str) -> None:
    upload.drop(data, "strange.csv")
    assert "cannot be read" in upload.markdown
    assert sentence in upload.texts
    assert upload.texts.count("strange.csv") == 1
    upload.drop(csv_of(*good_rows(1)))
    assert "events.csv · 1 row · 6 columns" in upload.texts
    assert "cannot be read" not in upload.markdown


TEXT = csv_of("Product viewed,e1,zoë,SKU_1,1714631904000,1.50").decode()
READ_RIGHT = {
    "bom": (TEXT.encode("utf-8-sig"), "utf-8, comma"),
    "utf-16": (TEXT.encode("utf-16"), "utf-16, comma"),
    "latin-1": (TEXT.encode("latin-1"), "cp1252, comma"),
    "semicolons": (TEXT.replace(",", ";").encode(), "utf-8, semicolon"),
    "tabs": (TEXT.replace(",", "\t").encode(), "utf-8, tab"),
    "windows line ends": (TEXT.replace("\n", "\r\n").encode(), "utf-8, comma"),
}


@pytest.mark.parametrize(("data", "dialect"), keep_first_quick(READ_RIGHT.values(), 2), ids=READ_RIGHT)
def test_a_table_in_another_dialect_is_read_and_shows_how(upload: Upload, data: bytes, dialect: str) -> None:
    upload.drop(data)
    assert dialect in upload.texts
    assert "zoë" in upload.texts.splitlines()
    upload.press("upload-settle")
    assert "1 event · 1 user" in upload.texts


def test_a_workbook_is_read_as_text_and_another_of_its_sheets_can_be_chosen(upload: Upload) -> None:
    rows = [line.split(",") for line in (HEADER, *good_rows(2))]
    data = workbook({"Notes": rows_xml([["Read me"]]), "Events": rows_xml([["", ""], ["Shop"], *rows])})
    upload.drop(data, "shop.csv")  # whatever it is called
    assert "shop.csv · 0 rows · 1 column · " in upload.texts
    assert "Excel, sheet Notes, header in row 1" in upload.texts
    upload.look(1)
    upload.app.selectbox(key=widget(upload, "upload-sheet")).set_value("Events")
    upload.run().press("upload-reread")
    assert "2 rows · 6 columns" in upload.texts
    assert "The header is row 3; what is above it was not read." in upload.texts
    upload.app.number_input(key=widget(upload, "upload-header")).set_value(2)
    upload.run().press("upload-reread")
    assert "3 rows · 1 column" in upload.texts
    upload.app.number_input(key=widget(upload, "upload-header")).set_value(3)
    upload.run().press("upload-reread")
    assert "2 rows · 6 columns" in upload.texts
    upload.press("upload-settle")
    assert "2 events · 2 users" in upload.texts


def test_hidden_rows_and_merged_cells_of_a_sheet_are_said_and_chosen(upload: Upload) -> None:
    from tests.core.readers.test_workbook_choices import order_book

    upload.drop(order_book(hidden=(2,), merged=("A3:A5",)), "orders.xlsx").look(1)
    assert "One row is hidden in the sheet, by a filter or by a person (row 2), and was read." in upload.texts
    assert "Cells are merged (“A3:A5”)" in upload.texts
    upload.app.selectbox(key=widget(upload, "upload-hidden-rows")).set_value("exclude")
    upload.app.selectbox(key=widget(upload, "upload-merged-cells")).set_value("fill")
    upload.run().press("upload-reread")
    assert "orders.xlsx · 3 rows · 3 columns" in upload.texts
    assert "rows below the first one of each were given its value, as you said." in upload.texts


def test_what_cannot_be_seen_in_a_sample_or_a_column_is_spelled(upload: Upload) -> None:
    upload.drop("kind\u200b,who\nv\u202eiew,u\u00a01\nbuy,u2\n".encode())
    assert "v[right-to-left override]iew · buy" in upload.texts.splitlines()
    assert "u[no-break space]1 · u2" in upload.texts.splitlines()
    assert "kind[zero width space]" in upload.texts


def test_a_file_without_a_header_is_said_and_a_person_may_say_otherwise(upload: Upload) -> None:
    upload.drop(b"1433221332117,257597,view,355908\n1433224214164,992329,view,248676\n")
    assert "events.csv · 2 rows · 4 columns" in upload.texts
    assert "There is no header: line 1 is the first row." in upload.texts
    upload.look(1)
    upload.app.checkbox(key=widget(upload, "upload-no-header")).uncheck()
    upload.run().press("upload-reread")
    assert "events.csv · 1 row · 4 columns" in upload.texts


def test_a_malformed_quote_is_a_problem_of_its_row(upload: Upload) -> None:
    upload.drop(csv_of('Product viewed,e1,u1,"27 TV,1714631904000,1.50', *good_rows(2, first=2)))
    upload.press("upload-settle")
    assert "2 events · 2 users" in upload.texts
    upload.look(3)
    assert "1 row with errors" in upload.markdown


def test_parquet_is_read_as_text_by_its_rows_and_nothing_of_it_is_chosen(upload: Upload) -> None:
    columns = {
        "name": ["Product viewed", "Product viewed", "view"],
        "eventId": ["e1", "e2", "e3"],
        "userId": pa.array([1487580005268456192, 2, 3]),
        "data": [{"productId": 507}, {"productId": 508}, {"productId": 509}],
        "timestamp": pa.array([1714631904000] * 3).cast(pa.timestamp("ms", "UTC")),
    }
    upload.drop(parquet(columns), "shop.csv")  # whatever it is called
    assert "shop.csv · 3 rows · 5 columns · " in upload.texts
    assert "· Parquet" in upload.texts
    upload.look(1)
    assert "Columns inside a column are called by both names: “data.productId”." in upload.texts
    assert not upload.has("upload-reread")
    upload.look(1).press("upload-settle")
    assert "2 events · 2 users" in upload.texts
    assert "1487580005268456192" in next(code.value for code in upload.app.code if "track" in code.value)
    upload.look(3)
    assert "1 row with errors" in upload.markdown


def test_every_choice_of_a_format_has_its_widget() -> None:
    from pages.parts.upload.file_view import CHOICES

    assert set(CHOICES) == {option for one in TABLE_FORMATS for option in one.options}


def test_rows_after_the_header_can_be_skipped_and_the_delimiter_be_another(upload: Upload) -> None:
    upload.drop(csv_of("(text),(text),(text),(text),(ms),(EUR)", *good_rows(1)))
    assert "2 rows · 6 columns" in upload.texts
    upload.look(1)
    upload.app.number_input(key=widget(upload, "upload-skip")).set_value(1)
    upload.run().press("upload-reread")
    assert "1 row · 6 columns" in upload.texts
    assert "The row after the header was skipped, as you said." in upload.texts
    upload.app.selectbox(key=widget(upload, "upload-delimiter")).set_value("|")
    upload.run().press("upload-reread")
    assert "1 row · 1 column" in upload.texts
    assert "utf-8, bar, header in line 1" in upload.texts


def lines(*events: Mapping[str, object]) -> bytes:
    return "\n".join(json.dumps(event) for event in events).encode()


def test_json_lines_are_sent_unchanged_and_their_problems_are_shown(upload: Upload) -> None:
    good = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "SKU_1", "price": 1.0}}
    upload.drop(lines(good, {**good, "eventId": "e2", "name": "view"}, good) + b"\n{broken\n", "events.jsonl")
    assert "events.jsonl · 4 rows · 5 columns" in upload.texts
    assert "JSON lines, utf-8" in upload.texts
    assert "Every event is sent exactly as it is in its line" in upload.texts
    upload.press("upload-settle")
    assert "every event is sent unchanged" in upload.texts
    assert "3 rows with errors" in upload.markdown
    assert "1 event · 1 user" in upload.texts
    assert '"price":1.0' in next(code.value for code in upload.app.code if "track" in code.value)
    upload.look(3).look(1)
    kinds = upload.app.dataframe[0].value["kind"].tolist()
    assert any("line that is no JSON" in kind for kind in kinds)


def test_events_of_another_shape_are_mapped_by_their_keys_and_one_may_go_back(upload: Upload) -> None:
    event = {"event": "Product Added", "messageId": "m1", "who": "u1", "properties": {"product_id": "507"}}
    upload.drop(lines(event), "vendor.jsonl")
    assert "Every event is sent exactly as it is" not in upload.texts
    upload.app.selectbox(key=field_key(upload, "who")).set_value("userId")
    upload.run()
    upload.app.selectbox(key=field_key(upload, "properties.product_id")).set_value("data.productId")
    upload.run()
    choice = next(
        str(group.key) for group in upload.app.button_group if str(group.key).startswith("upload-json-events")
    )
    upload.app.button_group(key=choice).set_value("unchanged")
    upload.run()
    assert "Every event is sent exactly as it is" in upload.texts
    upload.press("upload-settle")
    assert "1 row with errors" in upload.markdown


def widget(upload: Upload, begins: str) -> str:
    """The key of the widget that begins so."""
    kinds = (upload.app.selectbox, upload.app.number_input, upload.app.checkbox)
    [found] = {str(box.key) for kind in kinds for box in kind if str(box.key).startswith(begins)}
    return found


def test_one_line_is_a_header_without_rows_and_nothing_can_be_sent(upload: Upload) -> None:
    upload.drop(HEADER.encode()).press("upload-settle")
    assert "The file has a header and no rows: there is nothing to send." in upload.texts
    assert not upload.has("upload-send")


def test_quoted_newlines_stay_in_their_cell(upload: Upload) -> None:
    upload.drop(csv_of('Product viewed,e1,"u\n1",SKU_1,1714631904000,1', *good_rows(1, 2))).press("upload-settle")
    assert "2 rows" in upload.texts
    assert "2 events · 2 users" in upload.texts


def test_ragged_rows_cost_themselves_only(upload: Upload) -> None:
    upload.drop(csv_of(*good_rows(2), "Product viewed,e8,u8,S,1714631904000,1,,,9", "Product viewed,e9,u9,S9"))
    upload.press("upload-settle")
    assert "1 row with errors" in upload.markdown  # the long one; the short one is a warning
    assert "3 events" in upload.texts


def test_nul_bytes_do_not_bring_the_screen_down(upload: Upload) -> None:
    upload.drop(csv_of("Product viewed,e\x001,u1,SKU_1,1714631904000,1"))
    assert "cannot be read" in upload.markdown or "1 row" in upload.texts
    if upload.has("upload-settle"):
        upload.press("upload-settle").look(3)


@pytest.mark.parametrize("width", [500, *(pytest.param(width, marks=pytest.mark.long) for width in (2_000, 10_000))])
def test_thousands_of_columns_do_not_freeze_the_screen(upload: Upload, width: int) -> None:
    wide = [f"c{number}" for number in range(width)]
    data = csv_of(
        *(f"Product viewed,e{row},u{row},,{row},{','.join(['x'] * width)}" for row in range(30)),
        header=f"name,eventId,userId,productId,price,{','.join(wide)}",
    )
    started = time.process_time()
    upload.drop(data, "wide.csv").press("upload-settle").look(3)
    assert time.process_time() - started < 60
    assert f"{width + 5:,} columns" in upload.texts
    assert "30 rows with errors" in upload.markdown
    assert len(grid(upload).columns) == 1 + 40
    assert "productId" in grid(upload).columns


@pytest.mark.long  # tests/core/readers/test_table.py reads one whole
def test_a_cell_of_ten_megabytes_is_sent_whole_and_shown_in_part(upload: Upload) -> None:
    cell = "x" * 10_000_000
    started = time.process_time()
    upload.drop(csv_of(f"{cell},e1,u1,SKU_1,1714631904000,1", f"Product viewed,e2,u2,{cell},1714631904000,1"))
    upload.press("upload-settle").look(3)
    assert time.process_time() - started < 30
    assert "1 event · 1 user" in upload.texts
    shown = sum(len(code.value) for code in upload.app.code) + len(upload.texts)
    shown += sum(frame.value.to_csv().__len__() for frame in upload.app.dataframe)
    assert shown < 300_000


# ── hostile names and cells ──────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = (
    "**bold** [x](http://e.example) ![x](http://e.example/x.png)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "=HYPERLINK(1)",
    "\u202etxt.exe",
    "x" * 5000,
    ":red[colour] :material/home: $x^2$",
    "row",
    "_index",
    "problems",
    " ",
)


def test_hostile_headers_and_cells_are_shown_as_they_are_and_never_as_markup(upload: Upload) -> None:
    header = HEADER + "".join(f',"{name}"' for name in HOSTILE)
    cells = "".join(f',"{name}"' for name in HOSTILE)
    name = "**a** <b>[x](http://e.example).csv"
    upload.drop(csv_of(f"{good_rows(1)[0]}{cells}", f"**View**,e2,,,x,1{cells}", header=header), name)
    upload.press("upload-settle").look(1).look(2).look(3)
    assert name in upload.texts
    for text in (upload.markdown, *(box.label for box in upload.app.selectbox), *(b.label for b in upload.app.button)):
        assert "<script>" not in text
        assert "](http" not in text
        assert ":red[colour]" not in text
        assert "**View**" not in text
    rows = grid(upload)
    assert rows.loc[2, "row"] == "row"
    assert rows.loc[2, "userId"] == ""


# ── mapping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_product_id_is_never_mapped_by_the_click_that_applies_the_other_suggestions(upload: Upload) -> None:
    upload.drop(cosmetics(20))
    assert "3 required fields missing" in upload.markdown
    assert not upload.has("upload-settle")
    upload.press("upload-accept")
    assert "1 required field missing" in upload.markdown
    assert "Product id: choose the column that holds the ids of the catalogue (data.productId)." in upload.texts
    assert not upload.has("upload-settle")
    assert upload.app.selectbox(key=field_key(upload, "product_id")).value == "data.product_id"
    upload.press("upload-accept-product")
    assert "missing" not in upload.markdown
    assert "Product viewed · user 463240079 · product 5700183 · 2022-10-01 00:00:00 UTC · price 86.85" in "".join(
        code.value for code in upload.app.code
    )
    upload.press("upload-settle")
    assert "6 of 6 columns used · " in upload.texts
    assert "20 events" in upload.texts


def field_key(upload: Upload, column: str) -> str:
    [found] = [
        box.key
        for box in upload.app.selectbox
        if box.key and box.key.startswith("upload-field") and box.label.replace("\\", "") == f"Field of {column}"
    ]
    return str(found)


def test_two_columns_of_one_field_are_a_sentence_and_no_plan_even_after_the_mapping_was_settled(
    upload: Upload,
) -> None:
    upload.drop(csv_of(*good_rows(2))).press("upload-settle").look(2)
    upload.app.selectbox(key=field_key(upload, "price")).set_value("userId")
    upload.run()
    assert "both mapped to userId" in upload.texts
    assert not upload.has("upload-send")
    upload.app.selectbox(key=field_key(upload, "price")).set_value("(not used)")
    upload.run()
    assert "2 events · 2 users" in upload.texts


def test_a_mapping_file_is_used_whole_and_the_screen_shows_its_zone(upload: Upload) -> None:
    upload.drop(cosmetics(5))
    upload.app.file_uploader(key="upload-map-file").upload(
        "cosmetics.json",
        json.dumps(
            {"columns": {"product_id": "data.productId", "event_time": "timestamp"}, "time_zone": "Asia/Tokyo"}
        ).encode(),
    )
    upload.run()
    [zone] = [box for box in upload.app.selectbox if box.label == "Time zone of times without one"]
    assert zone.value == "Asia/Tokyo"
    upload.app.file_uploader(key="upload-map-file").upload("bad.json", b'{"columns": []}')
    upload.run()
    assert "“columns” of the mapping is not an object of text to text." in upload.texts
    assert zone.value == "Asia/Tokyo"


def test_how_the_file_is_read_goes_into_its_mapping_and_comes_back_from_it(upload: Upload) -> None:
    data = csv_of("(text),(text),(text),(text),(ms),(EUR)", *good_rows(2))
    upload.drop(data).look(1)
    upload.app.number_input(key=widget(upload, "upload-skip")).set_value(1)
    upload.run().press("upload-reread")
    upload.app.text_input(key="upload-save-name-1").set_value("units")
    upload.press("upload-save-now")
    upload.drop(data, "next.csv")
    assert "3 rows · 6 columns" in upload.texts
    upload.press("upload-known-use-0")
    assert "2 rows · 6 columns" in upload.texts
    upload.press("upload-settle")
    assert "saved as “units”" in upload.texts


def german(rows: int = 3) -> bytes:
    lines = [f"{day + 1:02}.10.2022 14:05;view;{day};u{day};9,99" for day in range(rows)]
    return "\n".join(["wann;was;sku;user_id;preis", *lines]).encode()


def test_times_are_read_in_the_format_of_the_file_and_the_screen_shows_how(upload: Upload) -> None:
    upload.drop(german())
    upload.app.selectbox(key=field_key(upload, "wann")).set_value("timestamp")
    upload.run()
    assert "“01.10.2022 14:05” cannot be read in this format." in upload.texts
    assert "Its times are written as %d.%m.%Y %H:%M, such as “01.10.2022 14:05”." in captions(upload)
    [form] = [box for box in upload.app.selectbox if box.key and box.key.startswith("upload-time-format")]
    form.set_value("%d.%m.%Y %H:%M")
    upload.run()
    assert "“01.10.2022 14:05” is read as 2022-10-01 14:05:00 UTC." in upload.texts
    [form] = [box for box in upload.app.selectbox if box.key and box.key.startswith("upload-time-format")]
    form.set_value("epoch_s")
    upload.run()
    assert "“01.10.2022 14:05” cannot be read in this format." in upload.texts


def test_every_row_can_be_the_same_event_and_have_the_same_constant(upload: Upload) -> None:
    upload.drop(csv_of("u1,SKU_1", header="userId,productId"))
    upload.app.button_group[0].set_value("Product viewed")
    upload.run()
    upload.app.selectbox(key="upload-constant-field").set_value("data.shop")
    upload.app.text_input(key="upload-constant-value").set_value("007")
    upload.press("upload-constant-apply")
    assert 'data.shop = "007"' in upload.texts
    upload.app.selectbox(key="upload-constant-field").set_value("userId")
    upload.press("upload-constant-apply")
    assert "userId has a constant and column “userId”." in upload.texts
    upload.press("upload-settle")
    first = upload.app.code[0].value
    assert '"name":"Product viewed"' in first
    assert '"shop":"007"' in first
    upload.look(2)
    [remove] = [button for button in upload.app.button if button.label == "Remove"]
    upload.press(str(remove.key))
    assert "data.shop" not in upload.texts


def test_a_mapping_is_saved_by_name_and_suggested_for_a_file_with_its_header(upload: Upload) -> None:
    upload.drop(cosmetics(50)).press("upload-accept").press("upload-accept-product")
    upload.app.text_input(key="upload-save-name-1").set_value("cosmetics")
    upload.press("upload-save-now").press("upload-settle")
    assert "6 of 6 columns used · 4 event names mapped · saved as “cosmetics”" in upload.texts
    upload.drop(cosmetics(7, seed=9), "next.csv")
    assert "Mapping “cosmetics” was saved for files with exactly these columns." in upload.texts
    upload.press("upload-known-use-0")
    assert "7 events" in upload.texts
    assert "saved as “cosmetics”" in upload.texts


def test_saved_mappings_are_renamed_and_deleted_and_what_fails_is_a_sentence(upload: Upload) -> None:
    upload.drop(csv_of(*good_rows(2)))
    for name in ("a", "b"):
        upload.app.text_input(key="upload-save-name-1").set_value(name)
        upload.press("upload-save-now")
    upload.app.selectbox(key="upload-saved-name").set_value("a")
    upload.run()
    upload.app.text_input(key="upload-saved-new-a").set_value("b")
    upload.press("upload-saved-rename")
    assert "A mapping is saved as “b” already." in upload.texts
    upload.app.text_input(key="upload-saved-new-a").set_value("c")
    upload.press("upload-saved-rename")
    assert upload.app.selectbox(key="upload-saved-name").options == ["b", "c"]
    upload.press("upload-saved-delete")
    assert upload.app.selectbox(key="upload-saved-name").options == ["b"]
    upload.press("upload-saved-use")
    assert "2 events" in upload.texts


def test_a_mapping_file_with_a_name_is_used_and_kept(upload: Upload) -> None:
    upload.drop(csv_of(*good_rows(2)))
    text = {"name": "brought", "header": ["userId"], "columns": {"userId": "profileId"}}
    upload.app.file_uploader(key="upload-map-file").upload("brought.json", json.dumps(text).encode())
    upload.run()
    assert upload.app.selectbox(key="upload-saved-name").options == ["brought"]
    assert upload.app.selectbox(key=field_key(upload, "userId")).value == "profileId"


def test_of_many_columns_a_page_is_drawn_and_one_is_found_by_its_name(upload: Upload) -> None:
    wide = [f"attribute {number}" for number in range(200)]
    started = time.process_time()
    upload.drop(csv_of(",".join(["x"] * 200), header=",".join(wide)), "wide.csv")
    assert time.process_time() - started < 10
    fields = [box for box in upload.app.selectbox if box.key and box.key.startswith("upload-field")]
    assert len(fields) == 25
    [find] = [box for box in upload.app.text_input if box.key and box.key.startswith("upload-find")]
    find.set_value("BUTE 199")
    upload.run()
    [field] = [box for box in upload.app.selectbox if box.key and box.key.startswith("upload-field")]
    field.set_value("data.productId")
    upload.run()
    [find] = [box for box in upload.app.text_input if box.key and box.key.startswith("upload-find")]
    find.set_value("nothing like it")
    upload.run()
    assert "No column has this in its name." in upload.texts
    assert "Product id:" not in upload.texts


def test_suggestions_say_what_does_not_fit_and_which_column_comes_second(upload: Upload) -> None:
    rows = [f"2022100{day},{day:02}.10.2022 10:00,view,c{day},A-{day}" for day in range(1, 10)] + [
        "20221010,n/a,view,c,A"
    ]
    upload.drop(csv_of(*rows, header="event_date,Zeitpunkt,event_type,Kundennummer,Artikelnummer"))
    assert (
        "timestamp: “Zeitpunkt” has the words of the event's time. 9 of 10 fit; line 11 is “n/a”."
        " Its times are written as %d.%m.%Y %H:%M, such as “01.10.2022 10:00”."
        " Next best: “event_date” (its cells are whole days)."
    ) in captions(upload)
    upload.press("upload-accept")
    assert upload.app.selectbox(key=field_key(upload, "Kundennummer")).value == "userId"
    assert upload.app.selectbox(key=field_key(upload, "Artikelnummer")).value == "data.Artikelnummer"
    upload.press("upload-accept-product")
    assert upload.app.selectbox(key=field_key(upload, "Artikelnummer")).value == "data.productId"


def test_lines_of_orders_get_their_name_by_a_click_of_its_own(upload: Upload) -> None:
    rows = ["536365,85123A,12/13/2010 8:26,17850", "536365,71053,12/13/2010 8:26,17850"]
    upload.drop(csv_of(*rows, header="InvoiceNo,StockCode,InvoiceDate,CustomerID"))
    assert "No column is the event's name" in upload.texts
    upload.press("upload-accept").press("upload-accept-product")
    assert "No column is the event's name" in upload.texts
    upload.press("upload-accept-every-row")
    upload.press("upload-settle")
    assert "2 events" in upload.texts


def captions(upload: Upload) -> str:
    """What stands under the rows of the mapping, without the signs that keep it from being markup."""
    return "\n".join(re.sub(r":color\[(.*?)\]|\\\\", r"\1", caption.value) for caption in upload.app.caption).replace(
        "\\", ""
    )


def test_many_suggestions_of_one_reason_are_applied_together_and_repeat_no_paragraph(upload: Upload) -> None:
    header = ["event", *(f"properties.p{number}" for number in range(30))]
    upload.drop(csv_of(",".join(["Product Viewed", *["x"] * 30]), header=",".join(header)))
    assert "It is inside" not in captions(upload)
    button = upload.app.button(key="upload-accept")
    assert button.label == "Apply 31 suggestions"
    upload.press("upload-accept")
    assert upload.app.selectbox(key=field_key(upload, "properties.p7")).value == "data.p7"


# ── problems and plan ────────────────────────────────────────────────────────────────────────────────────────────────


def faults() -> bytes:
    rows = good_rows(200)
    rows[10] = rows[10].replace("Product viewed", "Product Viewed")
    rows[11] = rows[11].replace("u12,", ",")
    for row in range(20, 140):
        rows[row] = rows[row].replace(f"SKU_{row + 1}", "")
    for row in range(150, 190):  # two placeholders in one row are two problems of one kind
        rows[row] = rows[row].replace(f"u{row + 1}", "null").replace(f"SKU_{row + 1}", "undefined")
    return csv_of(*rows)


def test_problems_are_counted_by_kind_and_one_kind_can_be_shown(upload: Upload) -> None:
    upload.drop(faults()).press("upload-settle").look(3)
    assert "122 rows with errors" in upload.markdown
    assert "40 rows with warnings" in upload.markdown
    kinds = upload.app.dataframe[0].value
    assert dict(zip(kinds["kind"].str[2:], kinds["rows"], strict=True)) == {
        ISSUE_KINDS["event_name"].title: 1,
        "identity missing": 1,
        "product id missing": 120,
        "id looks like a placeholder": 40,
    }
    assert dict(zip(kinds["code"], kinds["rows"], strict=True))["product_id_missing"] == 120
    upload.app.selectbox(key="upload-kind").set_value("event_name")
    upload.run()
    rows = grid(upload)
    assert rows.index.tolist() == [11]
    assert rows["problem"].tolist() == [f"■ {ISSUE_KINDS['event_name'].title}"]
    assert "**Row 11 · line 12**" in upload.markdown
    assert "column name · in the event /name · skipped" in upload.texts
    assert "`event_name`" in upload.markdown
    assert "name: The event name is “Product Viewed”. Write “Product viewed”, exactly so." in upload.texts
    assert f"Allowed: {ISSUE_KINDS['event_name'].allowed}" in upload.texts


def test_a_file_is_compared_with_the_last_one_of_its_shape(upload: Upload) -> None:
    rows = good_rows(6)
    rows[1], rows[4] = rows[1].replace("SKU_2", ""), rows[4].replace("SKU_5", "")
    upload.drop(csv_of(*rows), "monday.csv").press("upload-settle")
    assert "Since" not in upload.texts
    rows[1], rows[2] = good_rows(6)[1], rows[2].replace("u3,", ",")
    upload.drop(csv_of(*rows), "tuesday.csv").press("upload-settle")
    assert "Since monday.csv was checked: 1 new, 1 fixed, 1 still failing." in upload.texts
    assert any("new: identity_missing in 1 row: 3" in code.value for code in upload.app.code)
    upload.drop(csv_of(*rows), "tuesday.csv").press("upload-settle")
    assert "Since monday.csv was checked: 1 new, 1 fixed, 1 still failing." in upload.texts  # and not with itself


def test_every_problem_is_on_a_page_also_where_a_row_shows_one_kind_twice(upload: Upload) -> None:
    upload.drop(faults()).press("upload-settle").look(3)
    upload.app.selectbox(key="upload-kind").set_value("id_placeholder")
    upload.run()
    seen: set[int] = set()
    for page in range(1, 5):  # 80 problems, 20 a page
        upload.app.session_state["upload-page-id_placeholder"] = page
        upload.run()
        seen.update(grid(upload).index)
    assert len(seen) == 40


def test_a_file_that_tests_itself_shows_what_is_not_as_expected(upload: Upload) -> None:
    rows = [f"{row},ok" for row in good_rows(4)]
    rows[1] = rows[1].replace("SKU_2", "")
    rows[2] = rows[2].replace("SKU_3", "").replace(",ok", ",product_id_missing")
    upload.drop(csv_of(*rows, header=f"{HEADER},expect")).press("upload-settle")
    assert "1 row not as expected" in upload.markdown
    assert "column expect: 3 as expected, 1 not." in [expander.label for expander in upload.app.expander]
    [result] = results(upload).to_dict("records")
    assert (result["row"], result["line"], result["reason"]) == (2, 3, "product_id_missing found and not expected.")
    upload.app.selectbox(key="upload-test-shown").set_value("every row")
    upload.run()
    assert len(results(upload)) == 4


def results(upload: Upload) -> pd.DataFrame:
    """What each row expects, and what was found."""
    [found] = [frame.value for frame in upload.app.dataframe if "expected" in frame.value.columns]
    return found


def test_an_empty_column_expect_is_reported(upload: Upload) -> None:
    upload.drop(csv_of(f"{good_rows(1)[0]},", header=f"{HEADER},expect")).press("upload-settle")
    assert "no row says what is expected of it" in upload.texts


def test_rows_with_errors_are_excluded_unless_everything_is_sent_and_the_choice_is_kept_across_screens(
    upload: Upload,
) -> None:
    upload.drop(faults()).press("upload-settle")
    assert "78 events" in upload.texts
    upload.app.radio(key="upload-everything").set_value(True)
    upload.run()
    assert "200 events" in upload.texts
    upload.app.switch_page("history.py")
    upload.run()
    upload.app.switch_page("upload.py")
    upload.run()
    assert upload.app.radio(key="upload-everything").value is True
    assert "200 events" in upload.texts


def test_a_file_with_errors_in_every_row_shows_what_can_be_done(upload: Upload) -> None:
    upload.drop(csv_of("Product viewed,e1,,SKU_1,1714631904000,1")).press("upload-settle")
    assert "No row can be sent: every row has an error." in upload.texts
    assert not upload.has("upload-send")


def test_generated_ids_are_the_same_each_time_and_new_ones_are_others(upload: Upload) -> None:
    upload.drop(cosmetics(5)).press("upload-accept").press("upload-accept-product").press("upload-settle")
    first = upload.app.code[0].value
    upload.app.button_group(key="upload-ids").set_value("new for this upload")
    upload.run()
    fresh = upload.app.code[0].value
    assert fresh != first
    upload.app.button_group(key="upload-ids").set_value("same row, same id")
    upload.run()
    assert upload.app.code[0].value == first


def test_what_history_cannot_record_is_not_sent_and_shown(upload: Upload, tmp_path: Path) -> None:
    upload.drop(csv_of(*good_rows(3))).press("upload-settle")
    with (
        get_services().history.database.engine.connect() as connection
    ):  # the one that is used next is the one used last
        connection.exec_driver_sql("PRAGMA busy_timeout=100")
    with closing(sqlite3.connect(tmp_path / "data" / "history.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        upload.press("upload-send")
        assert "Nothing was sent: History" in upload.texts
        assert get_services().history.queries.batches().total == 0
    upload.press("upload-send")
    assert get_services().history.queries.batches().total == 1
    assert "3 events · 3 users → Sandbox" in upload.texts


def test_a_file_that_was_not_used_for_a_day_is_gone_with_a_sentence(upload: Upload, tmp_path: Path) -> None:
    upload.drop(csv_of(*good_rows(1)))
    for file in (tmp_path / "data" / "spool").iterdir():
        file.unlink()
    upload.run()
    assert "events.csv was removed, as it was not used for a day. Upload it again." in upload.texts
    upload.drop(csv_of(*good_rows(1)))
    assert "events.csv · 1 row" in upload.texts


def test_a_link_to_no_batch_is_a_sentence(upload: Upload) -> None:
    upload.app.query_params["batch"] = "nonsense"
    upload.run()
    assert "History knows no batch nonsense." in upload.texts


@pytest.mark.long
def test_a_hundred_thousand_rows_are_shown_page_by_page_within_seconds(upload: Upload) -> None:
    rows = good_rows(100_000)
    for row in range(0, 100_000, 100):
        rows[row] = rows[row].replace("Product viewed", "product viewed")
    upload.drop(csv_of(*rows), "big.csv").press("upload-settle").look(3)
    assert "1,000 rows with errors" in upload.markdown
    assert len(grid(upload)) == 20
    started = time.process_time()
    upload.app.session_state["upload-page-None"] = 50
    upload.run()
    assert time.process_time() - started < 5
    assert grid(upload).index.tolist()[-1] == 99_901
    assert "99,000 events · 99,000 users · 1," in upload.texts
