"""Upload: rows that become several events are suggested and chosen, names are ignored, keys of JSON are mapped."""

import json
from typing import Any

import pytest

from pages.parts.shared.formatting import escape_markdown
from tests.pages.upload_steps import Upload, grid


def line(event: str, message: str, **properties: Any) -> str:
    return json.dumps({"event": event, "userId": "u1", "messageId": message, "properties": properties})


ORDERS = "\n".join((
    line("Order Completed", "m1", order_id="O1", products=[{"product_id": "p1"}, {"product_id": "p2"}]),
    line("Order Completed", "m2", order_id="O2", products=[{"product_id": "p3"}, {"sku": "s4"}, {"product_id": "p5"}]),
    line("Order Refunded", "m3", order_id="O1"),
    line("Cart Viewed", "m4"),
)).encode()  # fmt: skip
"""Row 1 is two events, 2 is three, the second of which has no product; 3 and 4 are not for us."""


def choose(upload: Upload, label: str, value: str) -> Upload:
    """Choose a value of the box with a label, of which a column's name is escaped."""
    escaped = label if label.startswith("Map") else f"{label[:9]}{escape_markdown(label[9:])}"
    next(box for box in upload.app.selectbox if box.label == escaped).set_value(value)
    return upload.run()


def mapped(upload: Upload) -> Upload:
    """The orders, exploded, with fields and names, before the mapping is settled."""
    upload.drop(ORDERS, "orders.jsonl").press("upload-explode-0")
    for column, field in (("event", "name"), ("messageId", "eventId")):
        choose(upload, f"Field of {column}", field)
    choose(upload, "Field of properties.products[].product_id", "data.productId")
    choose(upload, "Name of Order Completed", "Product ordered")
    return upload


def test_a_list_is_suggested_with_a_count_and_nothing_is_made_before_the_click(upload: Upload) -> None:
    upload.drop(ORDERS, "orders.jsonl")
    said = "2 rows have a list in properties.products: 5 events would come of them."
    assert said in upload.texts
    assert "properties.products[].product_id" not in upload.texts
    upload.press("upload-explode-0")
    assert "properties.products[].product_id" in upload.texts
    assert "Each value in properties.products becomes an event of its own" in upload.texts
    upload.press("upload-explode-stop")
    assert said in upload.texts
    assert "properties.products[].product_id" not in upload.texts


def test_names_are_ignored_by_a_click_and_a_row_with_a_bad_member_is_skipped_whole_by_default(upload: Upload) -> None:
    mapped(upload)
    upload.press("upload-ignore-names").press("upload-settle")
    assert "4 rows become 5 events" in upload.markdown + upload.texts
    assert "2 rows are skipped for the name, as the mapping says." in upload.texts
    assert "2 events · 1 user · 1 request" in upload.texts
    assert "would keep 1 of 2 events." in upload.texts
    upload.app.checkbox(key="upload-good-members").check()
    upload.run()
    assert "4 events · 1 user · 1 request" in upload.texts


def test_what_is_wrong_names_row_and_member_and_its_cell_can_be_fixed(upload: Upload) -> None:
    mapped(upload).press("upload-ignore-names").press("upload-settle").look(3)
    assert list(grid(upload).index) == ["2 · 2"]
    assert "column properties.products[].product_id · in the event" in upload.texts
    upload.app.text_input(key="upload-find").set_value("row 2 member 2 properties.products[].product_id")
    upload.run()
    assert "**Row 2, member 2 · line 2**" in upload.markdown


def test_a_key_inside_the_json_of_a_cell_and_a_name_of_two_columns_are_mapped(upload: Upload) -> None:
    rows = 'event,action,userId,eventId,payload\nproduct,view,u1,e1,"{""item"":{""id"":""p1""}}"\n'
    upload.drop(rows.encode())
    choose(upload, "Map a key inside JSON", "payload.item.id")
    choose(upload, "Field of payload.item.id", "data.productId")
    next(box for box in upload.app.multiselect if box.label == "Columns that together are the name").set_value(
        ["event", "action"]
    )
    upload.run()
    choose(upload, "Name of product / view", "Product viewed")
    upload.press("upload-settle")
    assert "1 event · 1 user · 1 request" in upload.texts


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"id,product_1,product_2\no1,a,b\no2,c,\n", "2 rows have a value in product_1, product_2: 3 events"),
        (b"id,skus\no1,a|b\no2,c\n", "2 rows have a list in skus: 3 events"),
    ],
)
def test_numbered_columns_and_cells_with_a_separator_are_suggested_too(upload: Upload, data: bytes, said: str) -> None:
    upload.drop(data)
    assert said in upload.texts
    upload.press("upload-explode-0")
    assert "becomes an event of its own" in upload.texts
