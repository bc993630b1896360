"""Which event name a text means: surely, perhaps, or none, because it is another event."""

import pytest

from intempt_core.contract.fields import EventName
from intempt_core.contract.hints import build_name_hint, find_meant_name
from intempt_core.fixes.suggest import suggest_fixes
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table

HEADER = ["name", "eventId", "userId", "data.productId"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("product viewed", "Product viewed"),
        ("PRODUCT_VIEWED", "Product viewed"),
        ("productViewed", "Product viewed"),
        (" Product  viewed.", "Product viewed"),
        ("Ｐｒｏｄｕｃｔ viewed", "Product viewed"),
        ("Viewed Product", "Product viewed"),
        ("view_item", "Product viewed"),
        ("add_to_cart", "Added to cart"),
        ("Added to basket", "Added to cart"),
        ("Product Added", "Added to cart"),
        ("removed-from-cart", "Removed from cart"),
        ("Remove from bag", "Removed from cart"),
        ("product ordered", "Product ordered"),
        ("Product purchased", "Product ordered"),
    ],
)
def test_a_name_in_other_letters_or_a_synonym_has_a_certain_fix(text: str, name: str) -> None:
    assert find_meant_name(text) == name
    assert build_name_hint(text) == f"Write “{name}”, exactly so."


@pytest.mark.parametrize(
    "text",
    [
        "Product Reviewed",
        "Product List Viewed",
        "Product Reordered",
        "Not added to cart",
        "Products viewed often",
        "Cart viewed",
        "Added to wishlist",
        "Removed from wishlist",
        "Order cancelled",
        "Product unordered",
        "Product preordered",
        "Product returned",
        "Product 2 viewed",
        "",
        "viewed",
    ],
)
def test_another_event_has_no_certain_fix_and_no_hint(text: str) -> None:
    assert find_meant_name(text) == ""
    assert build_name_hint(text) == ""


@pytest.mark.parametrize(
    "text", ["Product viewd", "Prodcut viewed", "Product vieweed", "Prduct viewed", "Product viewe", "Froduct viewed"]
)
def test_a_slip_of_the_pen_is_said_and_left_to_a_person(text: str) -> None:
    assert find_meant_name(text) == ""
    assert build_name_hint(text) == "It is one letter away from “Product viewed”: write that, if it is what happened."


def test_fixes_are_offered_only_for_the_names_that_are_certain() -> None:
    names = ["Product Reviewed", "Product List Viewed", "Product Reordered", "Not added to cart", "product_viewed"]
    lines = [",".join(HEADER), *(f"{name},{number},u,p" for number, name in enumerate(names, 1))]
    table = read_table("\n".join(lines).encode(), name="events.csv")
    mapped = map_table(table, exact_mapping(HEADER))
    report = check_table(mapped)
    assert report.counts == {"event_name": 5}
    assert [one.message for one in suggest_fixes(mapped, report)] == [
        "“product_viewed” → “Product viewed” in 1 cell of name"
    ]


def test_every_name_means_itself() -> None:
    assert [find_meant_name(name) for name in EventName] == [name.value for name in EventName]
