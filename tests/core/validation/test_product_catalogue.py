"""A catalogue: read from whatever file, kept for a target, and what checks say with one."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.fields import is_blank
from intempt_core.errors import CatalogueUnavailable, ReadError
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.payload import read_payload
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_events, check_table
from intempt_core.validation.product_catalogue import (
    CatalogueFolder,
    ProductCatalogue,
    build_catalogue,
    read_catalogue_file,
)

ITEMS = b"product_id,category_id,category_code,brand\n5,1487580005268456192,,runail\n6,1,a.b,\n5,2,,\n,3,x,y\n7,4,,\n"


def of(data: bytes, column: str = "", *naming: str) -> ProductCatalogue:
    listing = read_catalogue_file(data, name="items.csv")
    return build_catalogue(listing, column or listing.likely_id_column, naming or listing.name_columns, loaded_at=7)


def products(found: ProductCatalogue) -> dict[str, str]:
    return dict(zip(found.ids.to_pylist(), found.names.to_pylist(), strict=True))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_csv_gives_each_product_once_with_the_last_name_that_says_something() -> None:
    found = of(ITEMS)
    assert products(found) == {"5": "runail", "6": "a.b", "7": ""}
    assert (found.rows, len(found), found.loaded_at) == (5, 3, 7)


def test_ids_of_nineteen_digits_stay_text() -> None:
    assert products(of(ITEMS, "category_id", "brand"))["1487580005268456192"] == "runail"


def test_only_a_column_that_is_called_product_id_exactly_is_taken_without_a_word() -> None:
    listing = read_catalogue_file(ITEMS, name="items.csv")
    assert (listing.id_column, listing.likely_id_column, listing.name_columns) == (
        None,
        "product_id",
        ["brand", "category_code"],
    )
    assert read_catalogue_file(b"title,productId\nA,1\n", name="x").id_column == "productId"
    assert read_catalogue_file(b"x,y\n1,2\n", name="x").likely_id_column == "x"


def test_several_columns_say_one_after_the_other_what_a_product_is_called() -> None:
    data = b"id,brand,title\n1,Acme,Shoe\n2,,Hat\n3,Acme,\n4,,\n"
    assert products(of(data, "id", "brand", "title")) == {"1": "Acme · Shoe", "2": "Hat", "3": "Acme", "4": ""}
    assert products(of(data, "id", "title"))["1"] == "Shoe"
    assert products(build_catalogue(read_catalogue_file(data, name="x"), "id")) == dict.fromkeys("1234", "")


@pytest.mark.parametrize(
    "data",
    [
        b'[{"id": 18415031129180487681, "name": "A"}, {"id": "2", "name": null}]',
        b'{"products": [{"id": 18415031129180487681, "name": "A"}, {"id": "2"}], "total": 2}',
        b'\xef\xbb\xbf{"id": 18415031129180487681, "name": "A"}\n\n{"id": "2"}\n',
    ],
    ids=["list", "object", "lines"],
)
def test_json_is_a_list_an_object_with_one_or_a_product_a_line(data: bytes) -> None:
    assert products(of(data)) == {"18415031129180487681": "A", "2": ""}


def test_values_of_json_are_the_text_that_they_are() -> None:
    data = b'[{"id": 1.50, "name": ["a"]}, {"id": true, "name": "\\ud800"}, {"id": "x", "name": {"de": "y"}}]'
    assert products(of(data)) == {"1.50": '["a"]', "true": "?", "x": '{"de": "y"}'}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "items.csv"),
        (b"[1, 2]", "no list of objects"),
        (b"[]", "holds no product"),
        (b"[{}]", "holds no product"),
        (b"{\xff", "is not UTF-8"),
        (b"{nonsense", "begins like JSON and is none"),
        (b'{"id": 1}\n{"id": 2\n', "line 2"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"' + b'": 1, "'.join(f"k{n}".encode() for n in range(300)) + b'": 1}]', "different keys"),
    ],
    ids=["nothing", "picture", "numbers", "none", "empty objects", "bytes", "no json", "second line", "deep", "keys"],
)
def test_what_is_no_catalogue_is_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(ReadError, match=r"\.$") as raised:
        read_catalogue_file(data, name="items.csv")
    assert says in str(raised.value)


def test_a_column_without_any_id_is_a_sentence() -> None:
    with pytest.raises(ReadError, match="has a product id in its column brand"):
        of(b"id,brand\n1,\n2, \n", "brand")


def test_a_file_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be read"):
        read_catalogue_file(tmp_path / "gone", name="gone")


def test_a_file_on_disk_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    for data in (ITEMS, b'[{"id": "1"}]'):
        (tmp_path / "file").write_bytes(data)
        read = read_catalogue_file(tmp_path / "file", name="file")
        assert read.header == read_catalogue_file(data, name="file").header


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────

texts = st.text(st.characters(codec="utf-8", exclude_characters=",\"'\r\n;|\t\0"), min_size=1, max_size=3)


@given(st.lists(texts.filter(lambda text: text.strip() != ""), min_size=1), st.lists(texts))
def test_a_catalogue_lacks_what_is_not_in_it_by_every_way_of_asking(ids: list[str], asked: list[str]) -> None:
    listing = read_catalogue_file(ITEMS, name="x")
    columns = {"id": pa.chunked_array([pa.array(ids, pa.large_string())])}
    known = {id_ for id_ in ids if not is_blank(id_)}
    if not known:
        return
    found = build_catalogue(type(listing)("x", ("id",), columns, len(ids)), "id")
    assert set(found.ids.to_pylist()) == known
    assert found.is_unknown(pa.array(asked, pa.large_string())).tolist() == [text not in known for text in asked]
    assert found.unknown_ids(asked) == {text for text in asked if text not in known}


def test_half_a_character_is_in_no_catalogue() -> None:
    found = of(ITEMS)
    assert found.names_of(["5", "7", "\ud800", "nobody"]) == {"5": "runail"}
    assert found.unknown_ids(["5", "\ud800", "nobody"]) == {"nobody"}


# ── keeping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_catalogue_is_kept_for_its_target_replaced_and_removed(tmp_path: Path) -> None:
    kept = CatalogueFolder(tmp_path / "catalogues")
    assert kept.get("sandbox") is None
    kept.save("sandbox", of(ITEMS))
    again = CatalogueFolder(tmp_path / "catalogues")
    for one in (kept, again):
        found = one.get("sandbox")
        assert found is not None
        assert products(found) == products(of(ITEMS))
        assert (found.name, found.rows, found.loaded_at) == ("items.csv", 5, 7)
        assert one.get("sandbox") is found
    assert kept.get("https://shop.example/track") is None
    kept.save("sandbox", of(b"id\n9\n"))
    replaced = again.get("sandbox")
    assert replaced is not None
    assert products(replaced) == {"9": ""}
    kept.remove("sandbox")
    kept.remove("sandbox")
    assert kept.get("sandbox") is again.get("sandbox") is None
    assert list((tmp_path / "catalogues").iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"not arrow", b"ARROW1\0\0" + b"x" * 100])
def test_a_damaged_file_is_a_sentence_and_can_be_replaced(tmp_path: Path, damage: bytes) -> None:
    kept = CatalogueFolder(tmp_path)
    kept.save("sandbox", of(ITEMS))
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    with pytest.raises(CatalogueUnavailable, match="Load it again, or remove it"):
        CatalogueFolder(tmp_path).get("sandbox")
    kept.save("sandbox", of(ITEMS))
    assert kept.get("sandbox") is not None


def test_where_nothing_can_be_written_it_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = CatalogueFolder(tmp_path / "file")
    asked: list[Callable[[], object]] = [
        lambda: kept.get("sandbox"), lambda: kept.save("sandbox", of(ITEMS)), lambda: kept.remove("sandbox")
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(CatalogueUnavailable):
            ask()


# ── checking ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ROWS = "name,eventId,userId,productId\n" + "".join(
    f"Product viewed,e{n},u,{product}\n" for n, product in enumerate(["5", "nope", "", "7", "nope"])
)


def test_an_unknown_product_is_a_warning_in_a_file() -> None:
    table = read_table(ROWS.encode(), name="x.csv")
    mapped = map_table(table, exact_mapping(table.header))
    report = check_table(mapped, is_unknown_product=of(ITEMS).is_unknown)
    assert report.counts["product_unknown"] == 2
    assert report.rows_of("product_unknown").tolist() == [1, 4]
    (first, _) = report.issues(code="product_unknown")
    assert first.given == "nope"
    assert first.place.column == "productId"
    assert "is not in the catalogue that is loaded" in first.sentence
    assert "product_unknown" not in check_table(mapped).counts
    assert report.rows_with_errors == 1


@pytest.mark.parametrize(("product", "rows"), [("nope", 5), ("5", 0)])
def test_a_constant_product_is_unknown_in_every_row_or_in_none(product: str, rows: int) -> None:
    table = read_table(ROWS.replace("productId", "other").encode(), name="x.csv")
    mapping = exact_mapping(table.header)
    columns = {column: field for column, field in mapping.columns.items() if column != "other"}
    mapped = map_table(table, type(mapping)(columns, constants={"data.productId": product}))
    assert check_table(mapped, is_unknown_product=of(ITEMS).is_unknown).rows_of("product_unknown").size == rows


def test_a_form_and_a_pasted_payload_say_the_same() -> None:
    body = """{"track": [{"name": "Product viewed", "payload": [
        {"eventId": "1", "userId": "u", "data": {"productId": "5"}},
        {"eventId": "2", "userId": "u", "data": {"productId": "nope"}},
        {"eventId": "3", "userId": "u", "data": {"productId": "\\ud800"}},
        {"eventId": "4", "userId": "u", "data": {"productId": 7}},
        {"eventId": "5", "userId": "u", "data": {}}]}]}"""
    payload = read_payload(body)
    report = check_events(payload.events, reader_issues=payload.issues, is_unknown_product=of(ITEMS).is_unknown)
    assert report.rows_of("product_unknown").tolist() == [1, 2]
    (first, _) = report.issues(code="product_unknown")
    assert first.place.path == "track[0].payload[1].data.productId"
