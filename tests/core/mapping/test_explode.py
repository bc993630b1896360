"""One row becomes several events: a list inside JSON, several columns, or a cell with a separator."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.body import build_request_body, dump_json
from intempt_core.contract.rules import find_event_errors, find_event_warnings
from intempt_core.errors import MappingError, TableTooLarge
from intempt_core.mapping.mapped_table import MappedTable
from intempt_core.mapping.member_columns import MAX_MEMBER_COLUMNS
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.new_ids import map_table_as_new
from intempt_core.mapping.table_events import map_table
from intempt_core.planning.bulk_bodies import write_bodies
from intempt_core.planning.plan import plan_table
from intempt_core.readers.limits import ReadLimits
from intempt_core.readers.table import Table, read_table
from intempt_core.validation.check import check_table
from tests.data.samples import shared_data

ORDERS: dict[str, Any] = {
    "columns": {
        "event": "name", "userId": "userId", "messageId": "eventId", "properties.order_id": "data.orderId",
        "properties.products[].product_id": "data.productId",
    },
    "names": {"Order Completed": "Product ordered", "Product Added": "Added to cart"},
    "explode": {"path": "properties.products"},
}  # fmt: skip


def order(products: Any, user: str = "u1", message: str = "m1", event: str = "Order Completed") -> dict[str, Any]:
    return {
        "event": event, "userId": user, "messageId": message, "properties": {"order_id": "O1", "products": products},
    }  # fmt: skip


def lines(*values: Any) -> Table:
    return read_table("\n".join(map(json.dumps, values)).encode(), name="x.jsonl")


def text(cells: str) -> Table:
    return read_table(cells.encode(), name="x.csv")


def mapped(table: Table, mapping: dict[str, Any], **changes: Any) -> MappedTable:
    found = map_table(table, Mapping.from_json(json.dumps({**mapping, **changes})))
    assert isinstance(found, MappedTable)
    return found


def described(source: MappedTable) -> list[tuple[int | None, int, Any, Any]]:
    """Row, member, event id and product of each event."""
    return [
        (event.place.row, event.place.member, event.body.get("eventId"), event.body["data"].get("productId"))
        for event in source.events()
    ]


def test_a_list_inside_json_becomes_events_that_share_what_is_outside_it() -> None:
    columns = {**ORDERS["columns"], "properties.products[].quantity": "data.quantity"}
    products = [{"product_id": "p1", "quantity": 1}, {"product_id": "p2", "quantity": 2}]
    source = mapped(lines(order(products)), ORDERS, columns=columns)
    assert [(event.name, event.body) for event in source.events()] == [
        (
            "Product ordered",
            {"eventId": "m1", "userId": "u1", "data": {"orderId": "O1", "productId": product, "quantity": quantity}},
        )
        for product, quantity in (("p1", 1), ("p2", 2))
    ]
    assert [event.place.label for event in source.events()] == ["Row 1, member 1", "Row 1, member 2"]
    report = check_table(source)
    assert (report.rows, report.events, report.counts) == (1, 2, {})
    plan = plan_table(source, range(2))
    assert (len(plan.requests), plan.body(plan.requests[0]).count(b'"eventId":"m1"')) == (1, 2)


def test_several_columns_become_events_and_an_empty_one_none() -> None:
    table = text(
        "order_id,customer_id,product_1,product_2,product_3\nO1,c1,p1,p2,\nO2,c2,p3,,\nO3,c3,,,p4\nO4,c4,, ,\n"
    )
    source = mapped(table, {
        "columns": {"order_id": "eventId", "customer_id": "userId", "product": "data.productId"},
        "constants": {"name": "Product ordered"},
        "explode": {"columns": ["product_1", "product_2", "product_3"], "as": "product"},
    })  # fmt: skip
    assert described(source) == [
        (1, 1, "O1", "p1"), (1, 2, "O1", "p2"), (2, 1, "O2", "p3"), (3, 3, "O3", "p4"), (4, 0, "O4", None),
    ]  # fmt: skip
    assert check_table(source).counts == {"product_id_missing": 1}
    assert source.unused_columns == ()


def test_a_cell_with_a_separator_becomes_events() -> None:
    columns = {"order_id": "eventId", "customer_id": "userId", "skus[]": "data.productId"}
    chosen = {
        "columns": columns, "constants": {"name": "Product ordered"}, "explode": {"column": "skus", "separator": "|"},
    }  # fmt: skip
    source = mapped(text("order_id,customer_id,skus\nO1,c1,p1|p2\nO2,c2, p3 ||p4|\nO3,c3,\n"), chosen)
    assert described(source) == [
        (1, 1, "O1", "p1"), (1, 2, "O1", "p2"), (2, 1, "O2", "p3"), (2, 2, "O2", "p4"), (3, 0, "O3", None),
    ]  # fmt: skip


def test_members_that_are_no_lines_of_one_order_get_ids_of_their_own() -> None:
    products = [{"product_id": "p1"}, {"product_id": "p2"}]
    source = mapped(lines(order(products, event="Product Added")), ORDERS)
    assert described(source) == [(1, 1, "m1-1", "p1"), (1, 2, "m1-2", "p2")]
    assert check_table(source).counts == {}


def test_a_second_line_of_the_same_product_gets_an_id_of_its_own_with_one_note() -> None:
    products = [{"product_id": "p1"}, {"product_id": "p1"}, {"product_id": "p2"}, {"product_id": "p1"}]
    source = mapped(lines(order(products), order([{"product_id": "p1"}], "u2", "m2")), ORDERS)
    assert described(source) == [
        (1, 1, "m1", "p1"), (1, 2, "m1-2", "p1"), (1, 3, "m1", "p2"), (1, 4, "m1-4", "p1"), (2, 1, "m2", "p1"),
    ]  # fmt: skip
    assert check_table(source).counts == {}
    notes = [note for note in source.table.notes if "product" in note]
    assert " ".join(notes) == (
        "2 lines of orders name a product that an earlier line of the order names (the first: row 1, member 2 "
        "(line 1)). Each gets an event id of its own: the order's, and its number."
    )
    plan = plan_table(source, range(5))
    assert [request.rows for request in plan.requests] == [(0, 1, 2, 3), (4,)] or len(plan.requests) == 1


def test_lines_of_two_rows_that_share_an_id_are_still_named() -> None:
    """Two rows of one order, as some exports write it: the warning is about the rows, not about their members."""
    first = order([{"product_id": "p1"}, {"product_id": "p2"}])
    report = check_table(mapped(lines(first, order([{"product_id": "p3"}])), ORDERS))
    assert report.counts == {"event_id_shared": 1}
    (issue,) = report.issues()
    assert (issue.place.row, issue.place.member) == (2, 1)
    assert "row 1, member 1" in issue.hint
    repeated = check_table(mapped(lines(first, order([{"product_id": "p3"}, {"product_id": "p4"}], "u9")), ORDERS))
    assert (repeated.counts, repeated.events_with_errors) == ({"event_id_repeated": 1}, 2)


def test_lines_of_a_person_whom_no_id_links_are_one_order() -> None:
    source = mapped(lines(order([{"product_id": "p1"}, {"product_id": "p2"}], "anonymous")), ORDERS)
    assert check_table(source).counts == {"id_placeholder": 1}


def test_made_ids_come_from_the_row_and_the_number_of_the_member() -> None:
    columns = {key: value for key, value in ORDERS["columns"].items() if value != "eventId"}
    table = lines(order([{"product_id": "p1"}, {"product_id": "p2"}]), order([]), order([{"product_id": "p1"}]))
    ids = [event.body["eventId"] for event in mapped(table, ORDERS, columns=columns).events()]
    flat = [event.body["eventId"] for event in map_table(table, Mapping({"userId": "userId"})).events()]
    assert ids == [f"{flat[0]}-1", f"{flat[0]}-2", flat[1], f"{flat[2]}-1"]


def test_a_new_run_gives_each_event_a_new_id_and_lines_of_an_order_still_one() -> None:
    table = lines(order([{"product_id": "p1"}, {"product_id": "p2"}]))
    again = map_table_as_new(table, Mapping.from_json(json.dumps(ORDERS)), "r")
    assert [event.body["eventId"] for event in again.events()] == ["m1-r", "m1-r"]


def test_a_field_of_an_outer_and_of_a_member_column_has_the_members_value_where_there_is_one() -> None:
    columns = ORDERS["columns"] | {"properties.price": "data.price", "properties.products[].price": "data.price"}
    line = order([{"product_id": "p1", "price": 2.50}, {"product_id": "p2"}])
    line["properties"]["price"] = "9"
    view = {"event": "Product Added", "userId": "u", "messageId": "m2", "properties": {"price": 3}}
    source = mapped(lines(line, view), ORDERS, columns=columns)
    assert [dump_json(event.body["data"]["price"]) for event in source.events()] == [b"2.5", b'"9"', b"3"]


def test_a_list_of_texts_of_lists_an_empty_one_and_what_is_no_list() -> None:
    columns = {**ORDERS["columns"], "properties.products[]": "data.productId"}
    del columns["properties.products[].product_id"]
    table = lines(*(order(products, message=f"m{n}") for n, products in enumerate(
        [["p1", "p2"], [["a"], ["b", None]], [], None, "p3", {"product_id": "x"}, [None, 5, True],
         [{"product_id": "y"}]]
    )))  # fmt: skip
    source = mapped(table, ORDERS, columns=columns)
    assert described(source) == [
        (1, 1, "m0", "p1"), (1, 2, "m0", "p2"), (2, 1, "m1", ["a"]), (2, 2, "m1", ["b", None]),
        (3, 0, "m2", None), (4, 0, "m3", None), (5, 0, "m4", None), (6, 0, "m5", None),
        (7, 1, "m6", None), (7, 2, "m6", "5"), (7, 3, "m6", True), (8, 1, "m7", None),
    ]  # fmt: skip
    (note,) = [note for note in source.table.notes if "no list" in note]
    assert note.startswith("In 2 of the rows “properties.products” is no list; each of them stays one event")


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_long_list_is_one_row_of_as_many_events(count: int) -> None:
    source = mapped(lines(order([{"product_id": f"p{number}"} for number in range(count)])), ORDERS)
    report = check_table(source)
    assert (report.rows, report.events, report.counts) == (1, count, {})
    assert described(source)[-1] == (1, count, "m1", f"p{count - 1}")


def test_members_of_ever_other_keys_do_not_make_ever_more_columns() -> None:
    products = [{"product_id": "p", f"k{number}": number} for number in range(2 * MAX_MEMBER_COLUMNS)]
    last = f"properties.products[].k{2 * MAX_MEMBER_COLUMNS - 1}"
    columns = {**ORDERS["columns"], last: "data.last"}
    source = mapped(lines(order(products)), ORDERS, columns=columns)
    found = [column for column in source.table.header if source.mapping.is_member(column)]
    assert len(found) == MAX_MEMBER_COLUMNS
    assert source.event(source.rows - 1).body["data"]["last"] == 2 * MAX_MEMBER_COLUMNS - 1
    assert any(note.startswith("Members have more than 256 different keys") for note in source.table.notes)


def test_more_events_than_are_taken_are_rejected_with_their_number() -> None:
    table = lines(order([{"product_id": str(number)} for number in range(11)]))
    with pytest.raises(TableTooLarge, match="becomes 11 events"):
        map_table(table, Mapping.from_json(json.dumps(ORDERS)), limits=replace(ReadLimits(), rows=10))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"explode": {"path": ""}}, "“explode” of the mapping is not one of these"),
        ({"explode": {"columns": ["a", "a"], "as": "b"}}, "“explode” of the mapping is not one of these"),
        ({"explode": {"path": "properties.products", "separator": "|"}}, "is not one of these"),
        ({"explode": "products"}, "is not one of these"),
        ({"explode": {"path": "properties.productz"}}, "has no column “properties.productz”"),
        ({"explode": {"path": "properties.items"}}, "no column of its members is mapped"),
        ({"columns": {"properties.products[].sku": "data.productId", "event": "name"}}, "No member has “properties"),
        ({"columns": {"userId": "userId", "event": "name"}}, "no column of its members is mapped"),
        ({"ignored_names": ["Order Completed"]}, "“Order Completed” is mapped to “Product ordered” and is ignored"),
        ({"ignored_names": "x"}, "“ignored_names” of the mapping is not a list of texts"),
        ({"name_columns": ["event", "userId"]}, "something else gives it too"),
    ],
)
def test_a_mapping_that_cannot_be_meant_says_why(change: dict[str, Any], sentence: str) -> None:
    table = lines(order([{"product_id": "p1"}]))
    if "productz" in str(change):
        change = change | {"columns": {"properties.productz[].product_id": "data.productId", "event": "name"}}
    with pytest.raises(MappingError) as raised:
        mapped(table, ORDERS, **change)
    assert sentence in str(raised.value)


def test_two_columns_of_one_field_lead_to_explode() -> None:
    with pytest.raises(
        MappingError, match=re.escape('"explode": {"columns": ["product_1", "product_2"], "as": "product"}')
    ):
        mapped(
            text("product_1,product_2\na,b\n"), {"columns": dict.fromkeys(["product_1", "product_2"], "data.productId")}
        )


def test_a_mapping_with_explode_is_written_and_read_again() -> None:
    forms: list[dict[str, Any]] = [
        {"path": "properties.products"},
        {"columns": ["a", "b"], "as": "properties.products[].product_id"},
        {"column": "properties.products", "separator": "|"},
    ]
    for explode in forms:
        chosen = ORDERS | {"explode": explode, "ignored_names": ["x"]}
        if "path" not in explode:
            chosen["columns"] = {"event": "name", explode.get("as", "properties.products[]"): "data.productId"}
        mapping = Mapping.from_json(json.dumps(chosen))
        assert Mapping.from_json(mapping.to_json()) == mapping
        assert json.loads(mapping.to_json())["explode"] == explode


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ignored_names_are_excluded_with_a_count_and_every_other_name_stays_an_error() -> None:
    table = lines(
        order([{"product_id": "p1"}]), order([], event="Order Refunded"), order([], event="Order Refunded"),
        order([], event="Cart Viewed"), order([{"product_id": "p2"}], event="order refunded"),
    )  # fmt: skip
    report = check_table(mapped(table, ORDERS, ignored_names=["Order Refunded", "Cart Viewed", "Never There"]))
    assert (report.rows, report.events, report.rows_ignored) == (5, 2, 3)
    assert report.ignored_names == {"Order Refunded": 2, "Cart Viewed": 1}
    assert report.counts == {"event_name": 1}
    assert report.issues()[0].place.row == 5


def test_a_name_may_be_of_more_than_one_column() -> None:
    table = text("event,action,userId,id,product\nproduct,view,u,1,p\nproduct,click,u,2,p\nproduct,,u,3,p\n")
    source = mapped(table, {
        "columns": {"userId": "userId", "id": "eventId", "product": "data.productId"},
        "name_columns": ["event", "action"], "names": {"product / view": "Product viewed"},
        "ignored_names": ["product / click"],
    })  # fmt: skip
    assert [event.name for event in source.events()] == ["Product viewed", "product / "]
    assert check_table(source).counts == {"event_name": 1}
    assert source.unused_columns == ()


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_inside_a_cell_of_a_csv_file_is_reached_and_exploded() -> None:
    rows = [
        "id,user,payload",
        'm1,u1,"{""order"":{""id"":""0012"",""total"":12.50},""items"":[{""sku"":""p1""},{""sku"":""p2""}]}"',
        "m2,u2,not json",
        'm3,u3,"{""items"":[]}"',
    ]
    source = mapped(text("\n".join(rows)), {
        "columns": {
            "id": "eventId", "user": "userId", "payload.order.id": "data.order", "payload.order.total": "data.total",
            "payload.items[].sku": "data.productId",
        },
        "constants": {"name": "Product ordered"}, "explode": {"path": "payload.items"},
    })  # fmt: skip
    assert described(source) == [
        (1, 1, "m1", "p1"), (1, 2, "m1", "p2"), (2, 0, "m2", None), (3, 0, "m3", None),
    ]  # fmt: skip
    assert dump_json(next(source.events()).body["data"]) == b'{"order":"0012","total":12.50,"productId":"p1"}'
    (note,) = source.table.notes
    assert note == (
        "In 1 row the cell of “payload” is no list or object of JSON; nothing in it is sent (the first is row 2 (line"
        " 3)). See that it was not cut."
    )


def test_json_of_a_cell_that_was_cut_is_said_where_an_outer_column_fills_the_field() -> None:
    rows = [
        "user,product,payload", 'u1,p0,"{""items"":[{""sku"":""p1""},{""sku"":""p2""}]}"',
        'u2,p0,"{""items"":[{""sku"":""p1""},"', "u3,p0,", 'u4,p0,"{""other"":1}"',
    ]  # fmt: skip
    source = mapped(text("\n".join(rows)), {
        "columns": {"user": "userId", "product": "data.productId", "payload.items[].sku": "data.productId"},
        "constants": {"name": "Product ordered"}, "explode": {"path": "payload.items"},
    })  # fmt: skip
    assert [event.body["data"]["productId"] for event in source.events()] == ["p1", "p2", "p0", "p0", "p0"]
    (note,) = source.table.notes
    assert note.startswith("In 1 row the cell of “payload” is no list or object of JSON")
    assert "row 2 (line 3)" in note


def test_an_object_is_mapped_whole_also_where_some_lines_have_something_else() -> None:
    table = lines(
        *(
            {"event": "v", "eventId": "1", "properties": {"dims": value}}
            for value in ({"w": 1.5, "h": {"x": [1]}}, "none", None)
        )
    )
    source = mapped(
        table, {"columns": {"eventId": "eventId", "properties.dims": "data.dims", "properties.dims.w": "data.dims.w"}}
    )
    assert [dump_json(event.body["data"]) for event in source.events()] == [
        b'{"dims":{"w":1.5,"h":{"x":[1]}},"dims.w":1.5}', b'{"dims":"none"}', b'{"dims":null}',
    ]  # fmt: skip


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
              st.text(max_size=3).map(lambda value: value.encode("utf-8", "ignore").decode()),
              st.just(""), st.just("12.5")),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=4,
)  # fmt: skip


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={"x": VALUES, "y": VALUES, "items": st.lists(VALUES, max_size=3)}),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_bodies_of_json_over_columns_are_those_of_the_events_one_by_one(
    found: list[dict[str, Any]], exploded: bool
) -> None:
    table = lines(*({"userId": "u", "k": "-", "z": "", **one} for one in found))
    columns = {column: f"data.{column}" for column in ("x", "y") if column in table.columns}
    chosen: dict[str, Any] = {"columns": {"userId": "userId", "z": "data.z", **columns}, "constants": {"name": "n"}}
    if "data.x" in columns.values():
        chosen["types"] = {"data.x": "number"}
    if exploded and any(type(one.get("items")) is list and one["items"] for one in found):
        chosen |= {"explode": {"path": "items"}, "columns": {**chosen["columns"], "items[]": "data.item"}}
        if not any(not isinstance(item, dict) for one in found for item in one.get("items", ())):
            return
    source = mapped(table, chosen)
    rows, bounds = list(range(source.rows)), sorted({0, 1, source.rows})
    quick = write_bodies(source, np.array(rows), bounds)
    events = [(event.name, event.body) for event in source.events(rows)]
    assert quick is None or quick == [build_request_body(events[start:stop]) for start, stop in pairwise(bounds)]


def test_a_number_to_the_last_digit_goes_out_in_bodies_written_over_columns() -> None:
    table = read_table(b'{"userId":"u","v":12.50}\n{"userId":"u","v":"12.50"}\n{"userId":"u","v":null}', name="x.jsonl")
    source = mapped(table, {"columns": {"userId": "userId", "v": "data.v"}, "constants": {"name": "n", "eventId": "e"}})
    quick = write_bodies(source, np.arange(3), [0, 3])
    assert quick is not None
    assert [part.split(b"}")[0] for part in quick[0].split(b'"v":')[1:]] == [b"12.50", b'"12.50"', b"null"]


# ── a vendor's file ──────────────────────────────────────────────────────────────────────────────────────────────────

OURS = {
    "Product Viewed": "Product viewed", "Product Added": "Added to cart", "Product Removed": "Removed from cart",
    "Order Completed": "Product ordered",
}  # fmt: skip


def vendor_mapping(names: list[str]) -> dict[str, Any]:
    """The mapping of a vendor's track calls; of these names those that are not for us are ignored."""
    return {
        "columns": {
            "event": "name", "properties.product_id": "data.productId",
            "properties.products[].product_id": "data.productId", "properties.price": "data.price",
            "properties.products[].price": "data.price",
        },
        "constants": {"userId": "u1"}, "names": {name: OURS[name] for name in OURS if name in names},
        "ignored_names": sorted({name for name in names if name and name not in OURS}),
        "explode": {"path": "properties.products"},
    }  # fmt: skip


def test_of_a_vendors_sample_what_is_ours_becomes_events_and_the_rest_is_ignored() -> None:
    calls: list[dict[str, Any]] = [
        {"type": "track", "event": "Products Searched", "properties": {"query": "tea"}},
        {"type": "track", "event": "Product List Viewed", "properties": {"products": [{"product_id": "p1"}]}},
        {"type": "track", "event": "Product Viewed", "properties": {"product_id": "p1", "price": 18.99}},
        {"type": "track", "event": "Product Added", "properties": {"product_id": "p1", "price": 18.99}},
        {"type": "track", "event": "Product Removed", "properties": {"product_id": "p1", "price": 18.99}},
        {"type": "track", "event": "Order Completed", "properties": {
            "order_id": "o1", "products": [{"product_id": "p1", "price": 19}, {"product_id": "p2", "price": 3}],
        }},
        {"type": "track", "event": "Order Refunded", "properties": {"order_id": "o1"}},
    ]  # fmt: skip
    source = mapped(lines(*calls), vendor_mapping([call["event"] for call in calls]))
    report = check_table(source)
    assert (report.rows, report.events, report.rows_ignored, report.counts) == (7, 5, 3, {})
    assert [(event.name, event.place.row, event.place.member, event.body["data"]) for event in source.events()] == [
        ("Product viewed", 3, 0, {"productId": "p1", "price": 18.99}),
        ("Added to cart", 4, 0, {"productId": "p1", "price": 18.99}),
        ("Removed from cart", 5, 0, {"productId": "p1", "price": 18.99}),
        ("Product ordered", 6, 1, {"productId": "p1", "price": 19}),
        ("Product ordered", 6, 2, {"productId": "p2", "price": 3}),
    ]
    assert len({event.body["eventId"] for event in source.events()}) == 5


def test_of_the_vendors_25_events_four_rows_are_ours_and_give_five_events() -> None:
    file = shared_data() / "vendor-events" / "segment-ecommerce.jsonl"
    table = read_table(file, name=file.name)
    source = mapped(table, vendor_mapping(table.distinct_cells("event", 100)))
    report = check_table(source)
    assert (report.rows, report.events, report.rows_ignored, report.counts) == (25, 5, 21, {})
    assert [(event.name, event.place.row, event.place.member) for event in source.events()] == [
        ("Product viewed", 7, 0), ("Added to cart", 8, 0), ("Removed from cart", 9, 0),
        ("Product ordered", 16, 1), ("Product ordered", 16, 2),
    ]  # fmt: skip


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

MEMBERS = st.lists(
    st.one_of(
        st.fixed_dictionaries({}, optional={"product_id": st.sampled_from(["p1", "p2", "", " p", None, 7])}),
        st.sampled_from(["p1", None, 3]),
    ),
    max_size=3,
)
CALLS = st.fixed_dictionaries({
    "event": st.sampled_from(["Order Completed", "Product Added", "view", ""]),
    "userId": st.sampled_from(["u1", "u2", "", "null"]),
    "messageId": st.sampled_from(["m1", "m2", "m3", ""]),
    "properties": st.fixed_dictionaries({"products": st.one_of(MEMBERS, st.just("none"))}),
})  # fmt: skip


@given(st.lists(CALLS, min_size=1, max_size=5))
def test_a_report_over_columns_says_of_each_event_what_the_rules_say_of_it_alone(found: list[dict[str, Any]]) -> None:
    if not any(isinstance(one["properties"]["products"], list) and one["properties"]["products"] for one in found):
        return
    if not any(isinstance(item, dict) and item.get("product_id") is not None for one in found
               for item in one["properties"]["products"]):  # fmt: skip
        return
    columns = {column: field for column, field in ORDERS["columns"].items() if "order_id" not in column}
    source = mapped(
        lines({"event": "x", "userId": "u", "messageId": "y", "properties": {}}, *found), ORDERS, columns=columns
    )
    report = check_table(source)
    events = list(source.events())
    across = {"event_id_repeated", "event_id_shared"}
    by_columns = [{issue.code for issue in report.issues_of(row)} - across for row in range(report.events)]
    assert by_columns == [
        {issue.code for issue in (*find_event_errors(event), *find_event_warnings(event))} for event in events
    ]
    for row, event in enumerate(events):
        assert all(
            (i.place.row, i.place.member) == (event.place.row, event.place.member) for i in report.issues_of(row)
        )
    bad_rows = {event.place.row for row, event in enumerate(events) if report.error_mask[row]}
    assert report.excluded_mask.tolist() == [event.place.row in bad_rows for event in events]
    assert report.rows_with_errors == len(bad_rows)
