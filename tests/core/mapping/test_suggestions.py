"""What is offered for a file: every offer with its reason, nothing taken, the product id one column at a time."""

import pytest

from intempt_core.contract.fields import EVENT_COUNT
from intempt_core.mapping.model import Mapping, MappingSuggestion, exact_mapping
from intempt_core.mapping.suggestions.profile import ColumnProfile
from intempt_core.mapping.suggestions.suggest import suggest_mapping
from intempt_core.mapping.suggestions.times import find_time_forms
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.table import Table
from tests.core.readers.factories import table_of

SHOP = ["event_time", "event_type", "product_id", "price", "user_id", "user_session"]


def test_a_shop_export_gets_every_offer_with_a_reason() -> None:
    table = table_of(
        SHOP, [["2022-10-01 00:00:00 UTC", kind, "5", "2.62", "9", "s"] for kind in ("cart", "view", "other")]
    )
    found = {offer.field: offer for offer in suggest_mapping(table)}
    assert {offer.column: offer.field for offer in found.values()} == {
        "event_time": "timestamp",
        "event_type": "name",
        "product_id": "data.productId",
        "price": "data.price",
        "user_id": "userId",
        "user_session": "sessionId",
    }
    assert found["name"].names == {"cart": "Added to cart", "view": "Product viewed"}
    assert found["data.price"].type == "number"
    assert all(offer.reason.endswith(".") for offer in found.values())
    mapping = exact_mapping(SHOP)
    for offer in found.values():
        mapping = mapping.accept(offer)
    assert mapping == Mapping(
        {offer.column: offer.field for offer in found.values()},
        names={"cart": "Added to cart", "view": "Product viewed"},
        types={"data.price": "number"},
    )
    map_table(table, mapping)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        *((cell, "Product viewed") for cell in ("view", "item_seen", "view_item", "Product Viewed")),
        *((cell, "Added to cart") for cell in ("cart", "cart_add", "add_to_cart", "Product Added")),
        *((cell, "Removed from cart") for cell in ("remove_from_cart", "remove_item", "Product Removed")),
        *(
            (cell, "Product ordered")
            for cell in ("purchase", "checkout_complete", "transaction", "Order Completed", "order")
        ),
    ],
)
def test_known_names_of_others_are_offered(cell: str, name: str) -> None:
    (offer,) = suggest_mapping(table_of(["name"], [[cell], [""], ["Product viewed"]]))
    assert (offer.column, offer.field, dict(offer.names)) == ("name", "name", {cell: name})


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("sku", "data.productId"),
        ("item_id", "data.productId"),
        ("Product ID", "data.productId"),
        ("uid", "userId"),
        ("customer_id", "userId"),
        ("ts", "timestamp"),
        ("event", "name"),
        ("message_id", "eventId"),
    ],
)
def test_usual_headers_are_offered(column: str, field: str) -> None:
    cell = "2026-11-22 12:00" if field == "timestamp" else "x"
    found = suggest_mapping(table_of([column], [[cell]]))
    assert [(offer.column, offer.field) for offer in found] == [(column, field)]


def test_nothing_is_offered_where_headers_are_exact_or_taken() -> None:
    assert (
        suggest_mapping(table_of(["name", "productId", "sku", "event_type"], [["Product viewed", "1", "2", "view"]]))
        == []
    )
    (offer,) = suggest_mapping(table_of(["uid", "customer_id"], [["1", "2"]]))
    assert (offer.column, offer.runner_up) == ("uid", "“customer_id”")
    assert suggest_mapping(table_of(["price", "quantity"], [["cheap", ""]])) == []


def accepted(table: Table) -> Mapping:
    """Every offer taken, of several for one field the first."""
    mapping = exact_mapping(table.header)
    while found := suggest_mapping(table, mapping):
        mapping = mapping.accept(found[0])
    return mapping


def test_of_several_columns_that_could_be_the_product_id_each_is_offered_by_itself() -> None:
    table = table_of(["sku", "item_id", "user_id"], [["1", "2", "u"]])
    found = suggest_mapping(table)
    assert [(offer.column, offer.field, offer.exclusive) for offer in found] == [
        ("user_id", "userId", False),
        ("sku", "data.productId", True),
        ("item_id", "data.productId", True),
    ]
    chosen = exact_mapping(table.header).accept(found[2])
    assert [offer.column for offer in suggest_mapping(table, chosen)] == ["user_id"]


@pytest.mark.parametrize(
    ("columns", "row", "mapping"),
    [
        (
            [
                "event_name",
                "event_timestamp",
                "user_pseudo_id",
                "items.item_id",
                "items.price",
            ],  # GA4 as BigQuery has it
            ["view_item", "1664582400000000", "123.456", "SKU", "1.5"],
            Mapping(
                {
                    "event_name": "name",
                    "event_timestamp": "timestamp",
                    "user_pseudo_id": "profileId",
                    "items.item_id": "data.productId",
                    "items.price": "data.price",
                },
                names={"view_item": "Product viewed"},
                types={"data.price": "number"},
                time_format="epoch_us",
            ),
        ),
        (
            [
                "type",
                "event",
                "userId",
                "messageId",
                "properties.sku",
                "properties.name",
                "properties.price",
            ],  # Segment
            ["track", "Order Completed", "u", "m", "SKU", "Monopoly", "19"],
            Mapping(
                {
                    "type": "data.type",
                    "event": "name",
                    "userId": "userId",
                    "messageId": "eventId",
                    "properties.sku": "data.productId",
                    "properties.name": "data.name",
                    "properties.price": "data.price",
                },
                names={"Order Completed": "Product ordered"},
                types={"data.price": "number"},
            ),
        ),
        (
            ["name", "timestamp", "clientId"],  # a Shopify pixel
            ["product_removed_from_cart", "2026-11-22T12:00:00Z", "c"],
            Mapping(
                {"name": "name", "timestamp": "timestamp", "clientId": "profileId"},
                names={"product_removed_from_cart": "Removed from cart"},
            ),
        ),
        (
            ["timestamp", "visitorid", "event", "itemid", "transactionid"],  # Retailrocket's public data
            ["1433221332117", "257597", "transaction", "355908", ""],
            Mapping(
                {
                    "timestamp": "timestamp",
                    "visitorid": "profileId",
                    "event": "name",
                    "itemid": "data.productId",
                    "transactionid": "data.transactionid",
                },
                names={"transaction": "Product ordered"},
            ),
        ),
        (
            ["derived_tstamp", "domain_userid", "ecommerce_action_type"],  # Snowplow
            ["2026-11-22 12:00:00.123", "d", "remove_from_cart"],
            Mapping(
                {"derived_tstamp": "timestamp", "domain_userid": "profileId", "ecommerce_action_type": "name"},
                names={"remove_from_cart": "Removed from cart"},
            ),
        ),
    ],
)
def test_what_vendors_write_is_understood_when_every_offer_is_taken(
    columns: list[str], row: list[str], mapping: Mapping
) -> None:
    table = table_of(columns, [row])
    assert accepted(table) == mapping
    map_table(table, mapping)


def test_an_offer_says_whose_name_it_is_and_which_names_stay() -> None:
    table = table_of(["event"], [["add_to_cart"], ["page_view"], ["scroll"], ["Product viewed"]])
    (offer,) = suggest_mapping(table)
    assert offer.reason == (
        f"Its cells can be read as the {EVENT_COUNT} names: “add_to_cart” (Google Analytics 4) as Added to cart. "
        "“page_view”, “scroll” stay as they are."
    )
    (one,) = suggest_mapping(table_of(["distinct_id"], [["x"]]))
    assert one.reason == "“distinct_id” is what Mixpanel calls the user's id."


def test_a_column_of_names_is_found_without_its_header() -> None:
    rows = [["view", "x"], ["cart", "y"], ["other", "z"]]
    (offer,) = suggest_mapping(table_of(["what", "note"], rows))
    assert (offer.column, offer.field, dict(offer.names)) == (
        "what",
        "name",
        {"view": "Product viewed", "cart": "Added to cart"},
    )
    assert suggest_mapping(table_of(["what", "note"], [["view", "x"]])) == []  # one word is no sign


def test_names_of_the_column_that_a_person_has_chosen_are_offered() -> None:
    table = table_of(["x"], [["item_seen"]])
    (offer,) = suggest_mapping(table, Mapping({"x": "name"}))
    assert offer.names == {"item_seen": "Product viewed"}
    assert suggest_mapping(table, Mapping({"x": "name"}, names={"item_seen": "Product ordered"})) == []


@pytest.mark.parametrize(
    ("cells", "forms"),
    [
        (["2022-10-01 00:00:00 UTC"], []),
        (["1664582400000"], []),
        (["1664582400", "1664582401"], ["epoch_s"]),
        (["1664582400123456"], ["epoch_us"]),
        (["31.12.2022 14:05", "01.01.2023 00:00"], ["%d.%m.%Y %H:%M"]),
        (["13/01/2023", "01/02/2023"], ["%d/%m/%Y"]),
        (["01/13/2023 3:05 PM"], ["%m/%d/%Y %I:%M %p"]),
        (["01/02/2023", "03/04/2023"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["20221001"], ["%Y%m%d"]),
        (["Oct 1, 2022"], ["%b %d, %Y"]),
        (["2022-10-01", "yesterday"], []),
        ([], []),
    ],
)
def test_the_form_of_times_is_found_from_all_of_them(cells: list[str], forms: list[str]) -> None:
    found = find_time_forms(ColumnProfile(table_of(["t"], [[cell] for cell in cells]), "t"))
    assert [fit.form for fit in found if fit.form] == forms


def test_a_form_of_times_is_offered_with_its_reason_and_two_only_one_by_one() -> None:
    (offer,) = suggest_mapping(table_of(["timestamp"], [["31.12.2022"], [""]]))
    assert (offer.column, offer.field, offer.time_format) == ("timestamp", "timestamp", "%d.%m.%Y")
    assert offer.reason == "Its times are written as %d.%m.%Y, such as “31.12.2022”."
    table = table_of(["date"], [["01/02/2023"]])
    day, month = suggest_mapping(table)
    assert (day.time_format, month.time_format, day.exclusive, month.exclusive) == ("%d/%m/%Y", "%m/%d/%Y", True, True)
    assert "day first" in day.reason
    assert "you decide" in month.reason
    assert suggest_mapping(table, exact_mapping(["date"]).accept(month)) == []


def test_true_and_false_are_offered_as_such_and_numbers_only_where_the_header_says_an_amount() -> None:
    rows = [["true", "5", "5", "007"], ["false", "6", "", "8"]]
    found = {offer.column: offer.type for offer in suggest_mapping(table_of(["gift", "zip", "qty", "price"], rows))}
    assert found == {"gift": "boolean", "qty": "integer"}


def test_a_column_that_is_not_sent_and_one_of_the_tests_are_left_alone() -> None:
    assert suggest_mapping(table_of(["expect", "problems", "price"], [["ok", "", "5"]]), Mapping({})) == []


def test_a_hostile_header_is_offered_as_it_is() -> None:
    (offer,) = suggest_mapping(table_of(["**user_id**"], [["x"]]))
    assert (offer.column, offer.field) == ("**user_id**", "userId")
    assert isinstance(offer, MappingSuggestion)
