"""Which event counts is said once: of one event, of whole columns and in SQL it is the same verdict."""

import sqlite3
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.counting import (
    ERRORS_BEYOND_FIELDS,
    REASONS_NOT_COUNTING,
    REQUIRED_FIELDS,
    REQUIREMENTS,
    event_counts,
    explain_not_counting,
)
from intempt_core.contract.fields import EventName, get_field, id_to_text, is_event_name
from intempt_core.contract.issue_kinds import ISSUE_KINDS, Severity
from intempt_core.contract.issues import Place
from intempt_core.contract.readings import Requirement, ValueRule
from intempt_core.contract.rules import GivenEvent, find_event_errors
from intempt_core.sandbox.storage.counted_events import COUNTS_SQL, EVENT_COLUMNS

flags = st.fixed_dictionaries({field: st.booleans() for field in REQUIRED_FIELDS})
values: st.SearchStrategy[Any] = st.sampled_from([None, "", " ", "a", 7, {}])


@given(st.lists(flags, max_size=8))
def test_columns_and_single_events_get_the_same_verdict(rows: list[dict[str, bool]]) -> None:
    masks = {field: np.array([row[field] for row in rows], np.bool_) for field in REQUIRED_FIELDS}
    assert event_counts(masks).tolist() == [event_counts(row) for row in rows]
    assert [explain_not_counting(row) == "" for row in rows] == [event_counts(row) for row in rows]


@given(flags, st.booleans(), st.booleans())
def test_sql_gives_the_same_verdict(flag: dict[str, bool], without_errors: bool, is_first: bool) -> None:
    row: dict[str, object] = {EVENT_COLUMNS[field]: "x" if there else None for field, there in flag.items()}
    row |= {"name": EventName.VIEWED.value if flag["name"] else "view"}
    row |= {"because": "" if without_errors else "wrong", "repeat_of": None if is_first else 1}
    columns = ", ".join(f":{column} AS {column}" for column in row)
    query = f"SELECT {COUNTS_SQL} FROM (SELECT {columns})"  # noqa: S608  our own names
    [(found,)] = sqlite3.connect(":memory:").execute(query, row)
    assert bool(found) == event_counts(flag, without_errors=without_errors, is_first=is_first)


@given(
    st.sampled_from([*EventName, "view", "", None, 7]),
    st.dictionaries(st.sampled_from([*REQUIRED_FIELDS[1:-1], "timestamp"]), values),
    st.dictionaries(st.just("productId"), values),
)
def test_an_event_without_errors_counts_and_one_that_misses_something_does_not(
    name: Any, body: dict[str, Any], data: dict[str, Any]
) -> None:
    event = {**body, "data": data}
    fields = {field: id_to_text(get_field(event, field)) is not None for field in REQUIRED_FIELDS}
    fields["name"] = is_event_name(name)
    codes = {issue.code for issue in find_event_errors(GivenEvent(name, event, Place()))}
    if not codes:
        assert event_counts(fields)
    if codes & REQUIREMENTS.keys():
        assert not event_counts(fields)


def test_every_error_that_stored_fields_do_not_show_is_accounted_for() -> None:
    of_one_event = {
        code
        for code, kind in ISSUE_KINDS.items()
        if kind.severity is Severity.ERROR and isinstance(kind.reading, Requirement | ValueRule)
    }
    assert of_one_event - REQUIREMENTS.keys() ^ ERRORS_BEYOND_FIELDS.keys() == set()


def test_every_requirement_is_an_error_and_has_a_reason() -> None:
    assert [code for code in REQUIREMENTS if ISSUE_KINDS[code].severity is not Severity.ERROR] == []
    assert REQUIREMENTS.keys() - REASONS_NOT_COUNTING.keys() == set()
    assert explain_not_counting(dict.fromkeys(REQUIRED_FIELDS, True), is_first=False) != ""
