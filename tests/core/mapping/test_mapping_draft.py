"""A drafted mapping can be used as it is, whatever the file: a law, on files of any columns and cells."""

from hypothesis import given
from hypothesis import strategies as st

from intempt_core.mapping.model import Mapping
from intempt_core.mapping.suggestions.cell_kinds import describe_columns
from intempt_core.mapping.suggestions.draft import draft_mapping
from intempt_core.mapping.suggestions.suggest import ColumnFacts, suggest_mapping
from intempt_core.mapping.suggestions.vendors import VENDORS
from intempt_core.mapping.table_events import map_table
from tests.core.readers.factories import table_of

HEADERS = (
    "name userId profileId timestamp eventId productId data.productId data.price properties.price items.price sku"
    " item_id user_id customer_no event event_type event_time date Preis Menge quantity order_id InvoiceNo email expect"
    " problems column,1 **x** data. id Zeitpunkt properties.product_id data.data.price"
).split()
CELLS = (
    *("", " ", "view", "Product viewed", "1", "007", "12,50", "12.5", "2022-10-01", "13/10/22 10:00", "1664618400"),
    *("1664618400123", "n/a", "null", "true", "x y z", "{}", "[1]", "\x00", "é", "a" * 500, "U1", "-", "٣"),
)


@given(
    st.lists(st.sampled_from(HEADERS), min_size=1, max_size=8, unique=True),
    st.lists(st.lists(st.sampled_from(CELLS), min_size=8, max_size=8), max_size=8),
    st.sampled_from(["", *VENDORS]),
)
def test_a_draft_is_a_mapping_of_its_file(header: list[str], rows: list[list[str]], vendor: str) -> None:
    table = table_of(header, [row[: len(header)] for row in rows])
    draft = draft_mapping(table, vendor)
    assert Mapping.from_json(draft.mapping.to_json()) == draft.mapping
    map_table(table, draft.mapping)
    assert all(reason.strip() and "\n" not in reason for reason in draft.reasons)


@given(
    st.lists(st.sampled_from(HEADERS), min_size=1, max_size=5, unique=True),
    st.lists(st.lists(st.sampled_from(CELLS), min_size=5, max_size=5), max_size=6),
)
def test_what_is_kept_of_a_file_changes_no_suggestion(header: list[str], rows: list[list[str]]) -> None:
    table = table_of(header, [row[: len(header)] for row in rows])
    facts = ColumnFacts()
    first = suggest_mapping(table, None, facts)
    assert suggest_mapping(table, None, facts) == first == suggest_mapping(table)
    assert list(describe_columns(table)) == header
