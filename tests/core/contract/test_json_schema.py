"""The contract as JSON Schema: it says what the checks say of one value, and is a schema itself."""

import json
from hashlib import sha256
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract import (
    EVENT_FIELDS,
    ISSUE_KINDS,
    EventName,
    FoundElsewhere,
    GivenEvent,
    Place,
    SchemaSubject,
    Severity,
    build_contract_schema,
    find_event_errors,
)
from intempt_core.contract.json_schema import RULE_SCHEMAS, SCHEMA_VERSION

REQUEST = jsonschema_rs.Draft202012Validator(build_contract_schema())
EVENT = jsonschema_rs.Draft202012Validator(build_contract_schema(SchemaSubject.EVENT))
GOOD = {"eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}

VALUES: tuple[Any, ...] = (
    "x", " x ", "", " ", "\u200b", "\ufeff\u00a0", "\n", "é", "0", "null", 0, 7, -1, 1.5, 2**70, True, False, None,
    [], ["x"], {}, {"a": 1},
    1_262_304_000_000, 1_262_303_999_999, 1_700_000_000_000, 1.7e12, 1_700_000_000_000.5, "1700000000000", 4e12, -5,
)  # fmt: skip


def place(event: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    """A copy of an event with another value in a field."""
    copy = json.loads(json.dumps(event))
    inside = copy
    *above, key = field.split(".")
    for step in above:
        inside = inside[step]
    inside[key] = value
    return copy  # type: ignore[no-any-return]


def has_errors(body: Any, name: Any = "Product viewed") -> bool:
    return bool(find_event_errors(GivenEvent(name, body, Place())))


def without_words(schema: Any) -> Any:
    """A schema without what is for people."""
    if isinstance(schema, dict):
        return {key: without_words(value) for key, value in schema.items() if key not in ("description", "$comment")}
    return [without_words(item) for item in schema] if isinstance(schema, list) else schema


def wrap(body: Any, name: Any = "Product viewed") -> dict[str, Any]:
    return {"track": [{"name": name, "payload": [body]}]}


@pytest.mark.parametrize("subject", SchemaSubject)
def test_it_is_a_schema_of_its_dialect_and_names_its_version(subject: SchemaSubject) -> None:
    schema = build_contract_schema(subject)
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:event-console:track-{subject}:{SCHEMA_VERSION}"


def test_what_changes_in_what_it_takes_has_another_version() -> None:
    schemas = [without_words(build_contract_schema(one)) for one in SchemaSubject]
    digest = sha256(json.dumps(schemas).encode()).hexdigest()
    assert (SCHEMA_VERSION, digest[:16]) == ("1.0.0", "c5d1d9130c4c19a2"), (
        "give it another version, then write the digest here"
    )


@pytest.mark.parametrize("field", [*EVENT_FIELDS, "data"])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_right_where_the_checks_find_no_error(field: str, value: Any) -> None:
    for event in (place(GOOD, field, value), {**place(GOOD, field, value), "profileId": "p"}):
        assert EVENT.is_valid(event) is not has_errors(event), event
        assert REQUEST.is_valid(wrap(event)) is not has_errors(event), event


@pytest.mark.parametrize("field", ["eventId", "userId", "data"])
def test_what_is_absent_is_wrong_as_the_checks_say(field: str) -> None:
    event = {key: value for key, value in GOOD.items() if key != field}
    assert not EVENT.is_valid(event)
    assert has_errors(event)


@pytest.mark.parametrize("name", [*EventName, "view", "product viewed", "", None, 7, []])
def test_the_name_is_one_of_the_contracts(name: Any) -> None:
    assert REQUEST.is_valid(wrap(GOOD, name)) is (name in list(EventName))
    assert REQUEST.is_valid(wrap(GOOD, name)) is not has_errors(GOOD, name)


@pytest.mark.parametrize(
    "body",
    [{}, {"track": {}}, {"track": [7]}, {"track": [{"name": "Product viewed"}]}, {"track": [{"payload": []}]}, []],
)
def test_a_body_of_another_shape_is_wrong(body: Any) -> None:
    assert not REQUEST.is_valid(body)


@given(
    st.dictionaries(
        st.sampled_from(["eventId", "userId", "accountId", "sessionId", "timestamp", "data", "more"]),
        st.one_of(
            st.sampled_from(VALUES), st.dictionaries(st.sampled_from(["productId", "x"]), st.sampled_from(VALUES))
        ),
    )
)
def test_schema_and_checks_agree_on_any_event(event: dict[str, Any]) -> None:
    assert EVENT.is_valid(event) is not has_errors(event)


def test_every_error_about_one_value_is_said() -> None:
    about_values = {
        code
        for code, kind in ISSUE_KINDS.items()
        if kind.severity is Severity.ERROR and not isinstance(kind.reading, FoundElsewhere)
    }
    assert set(RULE_SCHEMAS) == about_values


def test_what_it_cannot_say_is_named() -> None:
    assert "event_id_repeated" in build_contract_schema()["$comment"]
