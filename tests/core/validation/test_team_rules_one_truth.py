"""The team's rules over columns and event by event find the same, on every row."""

import json
from collections import Counter
from typing import Any

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from intempt_core.contract.issues import Place
from intempt_core.contract.rules import GivenEvent
from intempt_core.mapping.mapped_table import MappedTable
from intempt_core.mapping.model import Mapping
from intempt_core.readers.table import read_table
from intempt_core.validation.team_rules.rules_file import TeamRules
from tests.core.readers.factories import table_of
from tests.examples import scale_examples

CELLS = st.sampled_from(
    ["", " ", "a", "abc", "äé🛒", "0", "-1", "1", "5", "5.0", "12.50", " 5", "007", "1e3", "true", "False", "x\n",
     "123456789012345678901", "0.1234567890123456789", "1664618400123", "2022-10-01", "EUR", "eur",
     "1.000,5", "12,50 €", "-1.000.000", "-0"]
)  # fmt: skip
NAMES = st.sampled_from(["Product viewed", "Product ordered", "", "other"])
NUMBERS = st.sampled_from([-1, 0, 1, 5, 5.0, 12.5, 1e3, 2**60, 1664618400123])
VALUES = st.one_of(NUMBERS, st.sampled_from(["a", "abc", "EUR", True, False, None, "5"]))
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])
LIMITS = st.sampled_from("minimum maximum exclusiveMinimum exclusiveMaximum".split())
CHECKS = st.one_of(
    st.builds(lambda v: {"type": v}, TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True)),
    st.builds(lambda v: {"enum": v}, st.lists(VALUES, max_size=4)),
    st.builds(lambda v: {"const": v}, VALUES),
    st.builds(lambda k, v: {k: v}, LIMITS, NUMBERS),
    st.builds(lambda k, v: {k: v}, st.sampled_from(["minLength", "maxLength"]), st.integers(0, 4)),
    st.builds(lambda v: {"pattern": v}, st.sampled_from(["^a", "^.$", r"\d", "(?i)eur", "", "é", "5$"])),
    st.sampled_from([{"format": "date"}, {"multipleOf": 5}, {"not": {"const": "a"}}, False, True, {"items": False}]),
    st.builds(lambda v: {"anyOf": [{"type": "number"}, {"minLength": v}]}, st.integers(0, 3)),
)
FIELDS = ["productId", "price", "note", "absent", "fixed"]
LEAVES = st.one_of(CHECKS, st.builds(lambda some: {"allOf": some}, st.lists(CHECKS, min_size=1, max_size=3)))
OF_DATA = st.fixed_dictionaries(
    {"properties": st.dictionaries(st.sampled_from(FIELDS), LEAVES, max_size=4)},
    optional={
        "required": st.lists(st.sampled_from(FIELDS), max_size=3, unique=True),
        "dependentRequired": st.just({"price": ["note", "absent"]}),
        "additionalProperties": st.sampled_from([False, {"type": "number"}]),
        "patternProperties": st.just({"^p": {"maxLength": 3}}),
        "minProperties": st.integers(0, 4),
        "type": TYPES,
        "if": st.just({"required": ["price"]}),
        "then": st.just({"required": ["note"]}),
    },
)
PLAIN = ["userId", "timestamp", "userAttributes", "data", "eventId"]
OF_EVENT = st.fixed_dictionaries(
    {"properties": st.fixed_dictionaries({}, optional={
        "data": OF_DATA, "eventId": LEAVES, "userId": LEAVES, "timestamp": LEAVES,
        "userAttributes": st.sampled_from([{"required": ["city"]}, {"properties": {"city": {"minLength": 2}}}, False]),
    })},
    optional={
        "required": st.lists(st.sampled_from(PLAIN), max_size=3, unique=True),
        "additionalProperties": st.just(False),
    },
)  # fmt: skip
HEADER = ["name", "userId", "timestamp", "pid", "price", "note", "city"]
COLUMNS = dict(zip(HEADER, ["name", "userId", "timestamp", "data.productId", "data.price", "data.note",
                            "userAttributes.city"], strict=True))  # fmt: skip

TYPES_OF_COLUMNS = [
    {},
    {"data.price": "number"},
    {"data.price": "integer", "data.note": "boolean"},
    {"data.price": "number:1.234,5", "data.note": "number:1 234.5"},
]


@settings(max_examples=scale_examples(200), deadline=None)
@given(
    st.dictionaries(st.sampled_from(["*", "Product ordered"]), OF_EVENT, min_size=1),
    st.lists(st.tuples(NAMES, *[CELLS] * 6), min_size=1, max_size=6),
    st.sampled_from(TYPES_OF_COLUMNS),
    st.sampled_from([{}, {"data.fixed": 3}, {"data.fixed": "abc"}]),
    st.sampled_from(["", "epoch_s"]),
)
def test_columns_and_events_break_the_same_checks(
    events: dict[str, Any], rows: list[tuple[str, ...]], types: dict[str, str], constants: dict[str, Any], form: str
) -> None:
    table = table_of(HEADER, rows)
    mapped = MappedTable(table, Mapping(COLUMNS, types=types, constants=constants, time_format=form))
    assert_both_find_the_same(mapped, TeamRules.from_json(json.dumps({"rules": "1", "events": events})))


def assert_both_find_the_same(mapped: MappedTable, rules: TeamRules) -> None:
    """Each row breaks each check as often over columns as event by event."""
    by_columns: Counter[tuple[int, str]] = Counter()
    for finding in rules.find_in_source(mapped):
        by_columns.update((row, finding.code) for row in finding.rows.tolist())
    by_events = Counter(
        (row, broken.check.code) for row, event in enumerate(mapped.events()) for broken in rules.find_broken(event)
    )
    assert by_columns == by_events


IN_JSON = st.one_of(VALUES, st.sampled_from(["", " ", "12.5", 12345678901234567890, -0.0, 1e-7, [1, "a"], [], {}]))
OF_A_LINE = st.fixed_dictionaries(
    {"name": NAMES}, optional=dict.fromkeys(["userId", "timestamp", "pid", "price", "note", "city"], IN_JSON)
)


@settings(max_examples=scale_examples(200), deadline=None)
@given(
    st.dictionaries(st.sampled_from(["*", "Product ordered"]), OF_EVENT, min_size=1),
    st.lists(OF_A_LINE, min_size=1, max_size=6),
    st.sampled_from([*TYPES_OF_COLUMNS, {"data.price": "text"}]),
)
def test_columns_and_events_break_the_same_checks_where_cells_are_values_of_json(
    events: dict[str, Any], rows: list[dict[str, Any]], types: dict[str, str]
) -> None:
    table = read_table("\n".join(map(json.dumps, rows)).encode(), name="x.jsonl")
    columns = {column: field for column, field in COLUMNS.items() if column in table.header}
    mapped = MappedTable(
        table, Mapping(columns, types={field: types[field] for field in types if field in columns.values()})
    )
    assert_both_find_the_same(mapped, TeamRules.from_json(json.dumps({"rules": "1", "events": events})))


BODIES = st.fixed_dictionaries(
    {},
    optional={
        "userId": VALUES,
        "timestamp": NUMBERS,
        "data": st.dictionaries(st.sampled_from(FIELDS), VALUES | st.lists(VALUES, max_size=3), max_size=4) | VALUES,
        "other": VALUES,
    },
)


@settings(max_examples=scale_examples(200), deadline=None)
@given(OF_EVENT, st.lists(LEAVES, min_size=2, max_size=2), BODIES)
def test_a_schema_with_its_references_written_out_means_the_same(
    schema: dict[str, Any], definitions: list[Any], body: dict[str, Any]
) -> None:
    """``jsonschema-rs`` by itself, which knows nothing of ours, is asked the schema as it stands in the file."""
    definition = {"allOf": [definitions[0], {"$ref": "#/$defs/two"}]}
    schema = {**schema, "allOf": [{"properties": {"userId": {"$ref": "#/$defs/one"}}}]}
    given_file = {"events": {"*": schema}, "$defs": {"one": definition, "two": definitions[1]}}
    by_itself = jsonschema_rs.Draft202012Validator({**schema, "$defs": given_file["$defs"]}, validate_formats=True)
    found = TeamRules.from_json(json.dumps(given_file)).find_issues(GivenEvent("Product viewed", body, Place()))
    assert by_itself.is_valid(body) == (found == [])
