"""The search for products: every word in id or name, the exact id first, twenty at a time, and quick."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from intempt_core.validation import ProductCatalogue, build_catalogue, read_catalogue_file, search_products

ROWS = [("100", "Brush"), ("1000", "Lipstick 04"), ("SKU_100", "brush of 1000 hairs"), ("X9", "Ärmel 100"), ("Z", "")]


def catalogue_of(rows: list[tuple[str, str]]) -> ProductCatalogue:
    lines = "".join(f'"{id_}","{name}"\n' for id_, name in rows)
    file = read_catalogue_file(f"productId,name\n{lines}".encode(), name="items.csv")
    return build_catalogue(file, "productId", ["name"])


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("100", ["100", "1000", "SKU_100", "X9"]),
        ("brush", ["100", "SKU_100"]),
        ("BRUSH 1000", ["SKU_100"]),
        ("ärmel", ["X9"]),
        ("  sku_100 ", ["SKU_100"]),
        ("", ["100", "1000", "SKU_100", "X9", "Z"]),
        ("nothing like it", []),
        ("half \ud800", []),
        (".*", []),
    ],
)
def test_products_are_found_by_parts_of_their_id_and_name_the_best_first(text: str, ids: list[str]) -> None:
    found = search_products(catalogue_of(ROWS), text)
    assert [product.id for product in found.products] == ids
    assert found.total == len(ids)


@given(text=some.text("abILPstick 0149X", max_size=6), limit=some.integers(1, 3))
def test_what_is_found_holds_every_word_and_no_more_than_asked(text: str, limit: int) -> None:
    found = search_products(catalogue_of(ROWS), text, limit)
    assert len(found.products) == min(limit, found.total)
    for product in found.products:
        assert all(word.casefold() in f"{product.id}\n{product.name}".casefold() for word in text.split())


def test_a_search_in_a_large_catalogue_is_quick() -> None:
    catalogue = catalogue_of([(f"{number:08}", f"Product {number % 977} of {number}") for number in range(60_000)])
    search_products(catalogue, "warm")
    began = time.process_time()
    found = search_products(catalogue, "product 59")
    assert time.process_time() - began < 2, "some 20 ms by itself"
    assert len(found.products) == 20
    assert found.total > 20
