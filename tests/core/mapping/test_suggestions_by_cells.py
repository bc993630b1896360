"""Suggestions that look at the cells, over all rows: what fits, what is the exception, and which column wins."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.mapping.model import Mapping, MappingSuggestion, exact_mapping
from intempt_core.mapping.suggestions.cell_types import find_cell_type
from intempt_core.mapping.suggestions.profile import MAX_SHAPES, ColumnProfile, find_only_shape, make_shapes
from intempt_core.mapping.suggestions.suggest import suggest_mapping
from intempt_core.mapping.suggestions.times import SEARCHED_PATTERNS, find_time_forms
from intempt_core.mapping.table_events import map_table
from intempt_core.mapping.time_formats import build_time_parser, check_time_format
from intempt_core.mapping.values import is_cell_of_type
from intempt_core.readers.table import Table
from tests.core.readers.factories import table_of

UTC_ZONE = ZoneInfo("UTC")


def columns_of(**cells: list[str]) -> Table:
    return table_of(list(cells), [list(row) for row in zip(*cells.values(), strict=True)])


def found_in(table: Table, mapping: Mapping | None = None) -> dict[str, MappingSuggestion]:
    """The first suggestion of each field."""
    found: dict[str, MappingSuggestion] = {}
    for suggestion in suggest_mapping(table, mapping):
        found.setdefault(suggestion.field, suggestion)
    return found


# ── which column ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_column_and_one_that_cannot_be_what_its_header_says_are_not_suggested() -> None:
    table = table_of(
        ["Name", "Device ID", "_insert_id", "Created at", "sku", "customer_id", "visitor_id"],
        [
            ["#1051", "", " ", "2025-12-06 10:37:33 -0500", "A1", "c1", "NULL"],
            ["#1050", "", "", "2025-12-06 10:37:30 -0500", "A2", "c2", "NULL"],
        ],
    )
    found = suggest_mapping(table)
    assert [(one.column, one.field) for one in found] == [
        ("Created at", "timestamp"),
        ("customer_id", "userId"),
        ("sku", "data.productId"),
    ]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("product", ["Red shoe, size 42", "Blue hat for winter"]),  # texts for people
        ("item", ["12.50", "3.99"]),  # amounts
        ("customer", ["Jo Smith", "Ann Lee"]),
        ("user", ['{"id": 1}', '{"id": 2}']),
        ("visit", ["2022-10-01 10:00:00", "2022-10-01 11:00:00"]),  # a time, and no session
        ("event_time", ["yesterday", "today"]),
        ("event", ["10.5", "11.5"]),
        ("event_id", ["1", "1"] * 20),  # of a kind of event, not of an event
    ],
)
def test_cells_that_cannot_be_an_id_hide_what_the_header_promises(header: str, cells: list[str]) -> None:
    promised = {"visit": "sessionId", "event_time": "timestamp", "event": "name", "event_id": "eventId"}
    found = found_in(columns_of(**{header: cells}))
    assert promised.get(header, "data.productId" if header in ("product", "item") else "userId") not in found


def test_a_column_of_days_never_beats_a_finer_one_and_comes_second() -> None:
    table = columns_of(
        event_date=["20221001", "20221002"],
        event_timestamp=["1664618400123456", "1664618401123456"],
        item_id=["1", "2"],
    )
    time = found_in(table)["timestamp"]
    assert (time.column, time.time_format) == ("event_timestamp", "epoch_us")
    assert time.runner_up == "“event_date” (its cells are whole days)"
    assert found_in(columns_of(event_date=["20221001"]))["timestamp"].time_format == "%Y%m%d"


def test_a_time_of_something_else_does_not_beat_a_day_of_the_event() -> None:
    found = found_in(columns_of(updated_at=["2022-10-03 10:00:00"], order_date=["2022-10-01"], birthday=["1990-01-01"]))
    assert found["timestamp"].column == "order_date"


def test_the_best_column_wins_and_not_the_leftmost() -> None:
    table = columns_of(
        action=["1", "2"], event=["add_to_cart", "purchase"], client_event_id=["", "7"], message_id=["a", "b"]
    )
    found = found_in(table)
    assert found["name"].column == "event"
    assert found["eventId"].column == "message_id"


def test_a_filled_column_is_suggested_in_the_place_of_an_empty_one_that_has_the_fields_name() -> None:
    table = columns_of(userId=["", ""], customer_id=["c1", "c2"], eventId=["e1", "e2"], message_id=["m1", "m2"])
    found = suggest_mapping(table)
    assert [(one.column, one.field) for one in found] == [("customer_id", "userId")]
    mapping = exact_mapping(table.header).accept(found[0])
    assert "userId" not in mapping.columns
    map_table(table, mapping)


def test_a_title_called_name_leaves_the_name_to_the_column_that_has_names() -> None:
    table = columns_of(event=["Product Added", "Order Completed"], name=["Monopoly", "Uno"], userId=["u1", ""])
    name = found_in(table)["name"]
    assert (name.column, dict(name.names)) == (
        "event",
        {"Product Added": "Added to cart", "Order Completed": "Product ordered"},
    )
    mapping = exact_mapping(table.header).accept(name)
    assert mapping.columns == {"event": "name", "userId": "userId"}


def test_how_much_of_a_column_is_empty_is_said() -> None:
    found = found_in(columns_of(customer_id=["c1", "", "c2", ""], sku=["1", "2", "3", "4"]))
    assert found["userId"].reason.endswith(" It is empty in 2 of 4 rows.")


def test_of_two_products_the_one_whose_ids_repeat_comes_first() -> None:
    rows = 60
    table = columns_of(item_id=[f"line{n}" for n in range(rows)], sku=[f"s{n % 7}" for n in range(rows)])
    first, second = [one for one in suggest_mapping(table) if one.field == "data.productId"]
    assert (first.column, second.column, first.exclusive, second.exclusive) == ("sku", "item_id", True, True)
    assert first.runner_up == "“item_id”"


def test_an_orders_number_is_the_events_id_only_where_it_is_one_for_each_row() -> None:
    alone = columns_of(order_id=["O1", "O2", "O3"], sku=["a", "b", "c"])
    assert found_in(alone)["eventId"].column == "order_id"
    lines = columns_of(order_id=["O1", "O1", "O3"], sku=["a", "b", "c"])
    assert "eventId" not in found_in(lines)


def test_an_address_is_the_user_only_where_there_is_no_other_identity() -> None:
    assert found_in(columns_of(Email=["a@x.org", "b@x.org"], sku=["1", "2"]))["userId"].column == "Email"
    assert "userId" not in found_in(columns_of(Email=["a@x.org"], visitor_id=["v1"]))


def test_lines_of_orders_get_their_name_as_a_constant_by_a_click_of_its_own() -> None:
    table = columns_of(
        InvoiceNo=["536365", "536365"],
        StockCode=["85123A", "71053"],
        Description=["WHITE LANTERN", "METAL BOX"],
        Quantity=["6", "8"],
        InvoiceDate=["12/1/2010 8:26", "12/13/2010 8:26"],
        UnitPrice=["2.55", "3.39"],
        CustomerID=["17850", "17851"],
        Country=["United Kingdom", "France"],
    )
    found = found_in(table)
    assert {one.field: one.column for one in found.values()} == {
        "data.productId": "StockCode",
        "data.Quantity": "Quantity",
        "data.UnitPrice": "UnitPrice",
        "timestamp": "InvoiceDate",
        "userId": "CustomerID",
        "name": "",
    }
    assert found["timestamp"].time_format == "%m/%d/%Y %H:%M"
    assert (found["name"].constant, found["name"].exclusive) == ("Product ordered", True)
    mapping = exact_mapping(table.header).accept(found["name"])
    assert mapping.constants == {"name": "Product ordered"}
    assert "name" not in found_in(table, mapping)


DAY = "2023-05-01 10:11:12"


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [
        (  # Magento: its orders have a moment of change and an id of each line
            "increment_id created_at updated_at customer_id customer_email sku item_id qty_ordered name",
            ["100001", DAY, DAY, "7", "a@x.org", "SKU-1", "1", "1", "Shirt"],
            {"timestamp": "created_at", "userId": "customer_id", "data.productId": "sku"},
        ),
        (  # RudderStack's warehouse
            "id anonymous_id user_id event original_timestamp sent_at received_at context_ip product_id",
            ["m1", "a1", "u1", "product_added", DAY, DAY, DAY, "1.2.3.4", "p1"],
            {
                "eventId": "id",
                "anotherUserId": "anonymous_id",
                "userId": "user_id",
                "name": "event",
                "timestamp": "original_timestamp",
                "data.productId": "product_id",
            },
        ),
        (  # Snowplow: the corrected time comes before those of the device and the collector
            "etl_tstamp collector_tstamp derived_tstamp event event_id user_ipaddress domain_userid se_action",
            [DAY, DAY, DAY, "unstruct", "c6ef-1", "1.2.3.4", "bc2e", "product_view"],
            {
                "timestamp": "derived_tstamp",
                "eventId": "event_id",
                "profileId": "domain_userid",
                "name": "se_action",
            },
        ),
        (  # Amplitude: what many write comes before what is its own
            "amplitude_id client_event_time device_id event_time event_type server_upload_time uuid",
            ["12", DAY, "dv1", DAY, "Product Viewed", DAY, "a-1"],
            {"profileId": "device_id", "timestamp": "event_time", "name": "event_type", "eventId": "uuid"},
        ),
        (  # Mixpanel's export
            "event properties.time properties.distinct_id properties.$insert_id properties.product_id",
            ["Add To Cart", "1664618400", "u1", "i1", "p1"],
            {
                "name": "event",
                "timestamp": "properties.time",
                "userId": "properties.distinct_id",
                "eventId": "properties.$insert_id",
                "data.productId": "properties.product_id",
            },
        ),
        (  # Google Analytics 4 as BigQuery flattens it
            "event_date event_timestamp event_name user_pseudo_id user_first_touch_timestamp ga_session_id item_id",
            ["20210131", "1612069510766593", "view_item", "10.42", "1612069510766593", "66", "GGOE1"],
            {
                "timestamp": "event_timestamp",
                "name": "event_name",
                "profileId": "user_pseudo_id",
                "sessionId": "ga_session_id",
                "data.productId": "item_id",
            },
        ),
        (  # Klaviyo
            "Metric Person_ID Email ProductID ProductName Timestamp",
            ["Placed Order", "01GDD", "a@x.org", "p1", "Shirt", "1664618400"],
            {"name": "Metric", "profileId": "Person_ID", "data.productId": "ProductID", "timestamp": "Timestamp"},
        ),
        (  # a French file whose clock stands in a column of its own
            "Date Heure Action Référence_produit N°client",
            ["13/10/2022", "10:00", "vu", "P-1", "C1"],
            {"timestamp": "Date", "name": "Action", "data.productId": "Référence_produit", "userId": "N°client"},
        ),
    ],
)
def test_what_vendors_export_is_understood(header: str, row: list[str], columns: dict[str, str]) -> None:
    found = found_in(table_of(header.split(), [row]))
    own = {field for field in found if field.startswith("data.") and field != "data.productId"}
    assert {field: one.column for field, one in found.items() if field not in own} == columns


# ── headers in parts and in other languages ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "cell", "field"),
    [
        ("Kundennummer", "17850", "userId"),
        ("Kunden-Nr.", "17850", "userId"),
        ("numéro_client", "17850", "userId"),
        ("id_utilisateur", "u1", "userId"),
        ("ID de usuario", "u1", "userId"),
        ("shopCustomerNo", "17850", "userId"),
        ("Artikelnummer", "A-1", "data.productId"),
        ("ProduktNr", "A-1", "data.productId"),
        ("code_produit", "A-1", "data.productId"),
        ("Código de artículo", "A-1", "data.productId"),
        ("Lineitem sku", "A-1", "data.productId"),
        ("productDetails.product.id", "A-1", "data.productId"),
        ("Besucher_ID", "v1", "profileId"),
        ("id_visiteur", "v1", "profileId"),
        ("Sitzung", "s1", "sessionId"),
        ("id_sesión", "s1", "sessionId"),
        ("Zeitpunkt", "2022-10-01 10:00", "timestamp"),
        ("Bestelldatum", "2022-10-01 10:00", "timestamp"),
        ("date_commande", "2022-10-01 10:00", "timestamp"),
        ("Fecha del evento", "2022-10-01 10:00", "timestamp"),
        ("Ereignis", "view", "name"),
        ("Nom de l'événement", "view", "name"),
        ("tipo_evento", "view", "name"),
        ("EreignisID", "e1", "eventId"),
    ],
)
def test_parts_of_headers_in_four_languages_are_understood(header: str, cell: str, field: str) -> None:
    assert [one.field for one in suggest_mapping(columns_of(**{header: [cell]}))] == [field]


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("product_name", "shoe"),
        ("product category", "shoes"),
        ("user_agent", "Mozilla"),
        ("customer_city", "Bonn"),
        ("Kundengruppe", "A"),
        ("android", "x"),
        ("solid", "x"),
        ("brand", "x"),
        ("category_id", "1487580005268456192"),
        ("session_source", "ads"),
        ("产品编号", "x"),
        ("商品id", "x"),
    ],
)
def test_what_is_about_a_thing_is_not_the_thing(header: str, cell: str) -> None:
    assert [one.field for one in suggest_mapping(columns_of(**{header: [cell]})) if one.field != f"data.{header}"] == []


def test_names_in_other_languages_are_suggested_and_near_ones_are_not() -> None:
    table = columns_of(
        Ereignis=["angesehen", "Ajouté au panier", "eliminado del carrito", "Gekauft", "Product Reviewed"]
    )
    name = found_in(table)["name"]
    assert dict(name.names) == {
        "angesehen": "Product viewed",
        "Ajouté au panier": "Added to cart",
        "eliminado del carrito": "Removed from cart",
        "Gekauft": "Product ordered",
    }
    assert "“Product Reviewed” stays as it is." in name.reason


def test_prices_and_quantities_of_other_languages_get_their_usual_key() -> None:
    found = found_in(columns_of(Preis=["12,50", "3,00"], Menge=["1", "2"]))
    assert found["data.price"].type == "number:1.234,5"
    assert found["data.quantity"].type == "integer"


# ── exceptions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_odd_cell_among_thirty_is_named_and_hides_nothing() -> None:
    times = [f"{day:02}.10.2022 10:00" for day in range(1, 31)]
    times[10] = "n/a"
    found = found_in(columns_of(event_time=times, price=["12,50"] * 29 + ["free"]))
    assert found["timestamp"].time_format == "%d.%m.%Y %H:%M"
    assert "29 of 30 fit; line 12 is “n/a”." in found["timestamp"].reason
    assert found["data.price"].type == "number:1.234,5"
    assert "29 of 30 fit; line 31 is “free”." in found["data.price"].reason


def test_two_exceptions_are_named_and_more_are_counted() -> None:
    found = found_in(columns_of(ts=["1664618400"] * 26 + ["-", "x", "0", ""]))
    assert found["timestamp"].time_format == "epoch_s"
    assert "26 of 29 fit; line 28 is “-”, line 29 is “x”, and 1 more do not." in found["timestamp"].reason


def test_days_that_are_none_are_exceptions_too() -> None:
    (fit,) = find_time_forms(ColumnProfile(columns_of(t=["31.12.2022", "31.11.2022", *["01.02.2023"] * 8]), "t"))
    assert (fit.form, fit.fitting, fit.exceptions) == ("%d.%m.%Y", 9, (1,))


def test_where_the_rows_have_several_forms_they_are_suggested_together_by_a_click_of_its_own() -> None:
    cells = ["2016-08-11", "4/15/2017", "2016-12-06", "4/16/2017", "2016-12-07"]
    time = found_in(columns_of(event_time=cells))["timestamp"]
    assert (time.time_format, time.exclusive) == ("iso | %m/%d/%Y", True)
    assert "each is read by the first that reads it of iso, then %m/%d/%Y." in time.reason
    read = build_time_parser("iso | %m/%d/%Y", UTC_ZONE)
    assert all(read(cell) is not None for cell in cells)


def test_times_of_forms_that_are_not_known_are_shown() -> None:
    found = found_in(columns_of(event_time=["2016 week 11", "2017 week 12"]))
    assert found["timestamp"].time_format is None
    assert "no form that is known here fits most of them: “2016 week 11”" in found["timestamp"].reason


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["10/13/22 10:00", "3/4/22 9:05"], "%m/%d/%y %H:%M"),
        (["13.10.22", "04.03.22"], "%d.%m.%y"),
        (["Oct 1, 2022 3:05 PM", "Nov 12, 2022 11:05 AM"], "%b %d, %Y %I:%M %p"),
        (["2022/10/01 10:00:00.123"], "%Y/%m/%d %H:%M:%S.%f"),
        (["01/Oct/2022:10:00:00 +0200"], "%d/%b/%Y:%H:%M:%S %z"),
        (["1664582400123456789", "1664582401123456789"], "epoch_ns"),
        (["44835.41667", "44836"], "serial"),
        (["Sat Oct 01 2022 10:00:00 GMT+0200 (CEST)"], "%a %b %d %Y %H:%M:%S %z"),
    ],
)
def test_other_forms_of_times_are_found(cells: list[str], form: str) -> None:
    assert found_in(columns_of(event_time=cells))["timestamp"].time_format == form


def test_every_pattern_that_is_searched_is_one_that_a_mapping_takes() -> None:
    for pattern in SEARCHED_PATTERNS:
        check_time_format(pattern)


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("price", ["12,50", "1.299,00"], "number:1.234,5"),
        ("x", ["12,50", "1.299,00"], "number:1.234,5"),  # the cells say so themselves
        ("x", ["€ 3", "€ 4"], "number:1.234,5"),
        ("x", ["1,5", "2,7"], None),  # may be two ids
        ("price", ["1.299", "2.500"], None),  # thousands or a fraction: only a person can tell
        ("price", ["1.299", "0.500"], "number"),
        ("price", ["$1,299.00", "$12.50"], "number:1,234.5"),
        ("zip", ["12345", "23456"], None),
        ("quantity", ["1", "22"], "integer"),
        ("quantity", ["007", "022"], None),
        ("unit price", ["1.5", "22"], "number"),
        ("price_list_id", ["15", "22"], None),
        ("gift", ["true", "FALSE"], "boolean"),
    ],
)
def test_the_type_is_suggested_from_the_cells(header: str, cells: list[str], kind: str | None) -> None:
    fit = find_cell_type(ColumnProfile(columns_of(**{header: cells}), header))
    assert (fit.kind if fit else None) == kind


# ── all rows, and fast = careful ─────────────────────────────────────────────────────────────────────────────────────


def test_all_rows_are_looked_at_and_not_only_the_first() -> None:
    cells = ["5"] * 20_000 + ["view", "cart"]
    found = found_in(columns_of(event=["view"] * 20_000 + ["purchase", "cart"], qty=cells))
    assert set(found["name"].names) == {"view", "purchase", "cart"}
    assert "20,000 of 20,002 fit; line 20,002 is “view”, line 20,003 is “cart”." in found["data.qty"].reason


def test_a_column_of_very_many_shapes_is_not_gone_through() -> None:
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676 % 26)}" for n in range(MAX_SHAPES + 5)]
    profile = ColumnProfile(columns_of(session_id=words), "session_id")
    assert profile.shapes is None
    assert (profile.filled, profile.distinct, profile.with_spaces) == (MAX_SHAPES + 5, MAX_SHAPES + 5, 0)
    assert found_in(profile.table)["sessionId"].column == "session_id"


def test_long_cells_and_other_scripts_do_no_harm() -> None:
    table = columns_of(event_time=["x" * 100_000, "2022-10-01"], user_id=["é" * 300, "日本"], price=["٣", "12"])
    assert [one.field for one in suggest_mapping(table)] == ["userId"]


START = datetime(2011, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 914_000_000).map(lambda seconds: START + timedelta(seconds=seconds))
FORMS = ("%d.%m.%Y %H:%M", "%m/%d/%y %H:%M", "%Y-%m-%dT%H:%M:%S", "%d %b %Y", "%Y/%m/%d %I:%M %p")


@given(
    st.sampled_from(FORMS),
    st.lists(MOMENTS, min_size=5, max_size=30),
    st.lists(
        st.sampled_from(["n/a", "31.02.2022 10:00", "99/99/99 10:00", "2022-13-01T10:00:00", " ", ""]), max_size=3
    ),
    st.integers(1, 7),
)
def test_a_form_fits_exactly_the_cells_that_it_reads(
    form: str, moments: list[datetime], odd: list[str], chunk: int
) -> None:
    cells = [moment.strftime(form) for moment in moments] + odd
    table = table_of(["t"], [[cell] for cell in cells], chunk=chunk)
    first, last = (datetime(2010, 1, 1, tzinfo=UTC), datetime(2040, 1, 18, tzinfo=UTC))
    fits = find_time_forms(ColumnProfile(table, "t"))
    for fit in fits:
        read = build_time_parser(fit.form, UTC_ZONE)
        times = [read(cell) for cell in cells]
        fitting = [
            ms is not None and first <= datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms) <= last
            for ms in times
        ]
        assert fit.fitting == sum(fitting)
        assert set(fit.exceptions) <= {row for row, cell in enumerate(cells) if cell.strip() and not fitting[row]}
    if not odd:
        assert fits


NUMBERS = st.one_of(
    st.integers(0, 10**7).map(str),
    st.decimals(0, 10**5, places=2).map(str),
    st.decimals(0, 999, places=2).map(lambda number: str(number).replace(".", ",")),
    st.sampled_from(["007", "x", "", "-1", "1.299,00", "0.5"]),
)


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.integers(1, 7))
def test_a_type_fits_exactly_the_cells_that_are_of_it(cells: list[str], chunk: int) -> None:
    fit = find_cell_type(ColumnProfile(table_of(["price"], [[cell] for cell in cells], chunk=chunk), "price"))
    if fit is not None:
        assert fit.fitting == sum(is_cell_of_type(cell, fit.kind) for cell in cells if cell)


@given(cells=st.lists(st.text(alphabet="0123456789/:;é -", max_size=12), max_size=20), start=st.integers(0, 5))
def test_a_shape_is_its_cell_with_nines_for_digits(cells: list[str], start: int) -> None:
    nines = str.maketrans("0123456789", "9999999999")
    for kind in (pa.string(), pa.large_string()):
        chunk = pa.array(cells, kind).slice(min(start, len(cells)))
        shapes = make_shapes(chunk)
        expected = [cell.translate(nines).encode() for cell in cells[start:]]
        assert shapes.to_pylist() == expected
        assert find_only_shape(shapes) == (expected[0] if len(set(expected)) == 1 else None)


@pytest.mark.parametrize("per_ms", [0.001, 1, 1_000, 1_000_000])
def test_numbers_of_every_unit_are_read_to_the_last_digit(per_ms: float) -> None:
    def write(ms: int) -> int:
        return ms // 1000 if per_ms < 1 else ms * int(per_ms)

    earliest, latest = write(1_262_304_000_000), write(2_210_457_600_000)  # 2010-01-01 and 2040-01-18, CONTRACT 2.7
    good = [earliest, latest, *(earliest + 10**place for place in range(9)), *(latest - n for n in range(9))]
    cells = [*good, earliest - 1, latest + (1 if per_ms <= 1 else int(per_ms))]
    table = table_of(["t"], [[str(cell)] for cell in cells])
    fit = max(find_time_forms(ColumnProfile(table, "t")), key=lambda fit: fit.fitting)
    assert (fit.fitting, fit.exceptions) == (len(good), (len(good), len(good) + 1))
