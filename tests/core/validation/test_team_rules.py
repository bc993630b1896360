"""The team's own rules: what their file may hold, what they find, and in which words."""

import json
import pickle
import time
from pathlib import Path
from typing import Any

import pytest

from intempt_core.contract.issues import Place
from intempt_core.contract.rules import GivenEvent
from intempt_core.errors import RulesError
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.validation.check import check_events, check_table
from intempt_core.validation.expectations import ExpectationReport
from intempt_core.validation.team_rules.remembered import RulesFolder
from intempt_core.validation.team_rules.rules_file import TeamRules, read_rules_file
from tests.core.readers.factories import table_of

HEADER = ["name", "eventId", "userId", "productId", "price", "currency"]
COLUMNS = dict(zip(HEADER, ["name", "eventId", "userId", "data.productId", "data.price", "data.currency"], strict=True))


def rules_of(data: dict[str, Any], name: str = "*", **top: Any) -> TeamRules:
    """Rules about ``data``."""
    return TeamRules.from_json(json.dumps({"rules": "1", "events": {name: {"properties": {"data": data}}}, **top}), "r")


def event_of(name: str = "Product viewed", **data: Any) -> GivenEvent:
    return GivenEvent(name, {"eventId": "e", "userId": "u", "data": {"productId": "p", **data}}, Place())


def rejected(events: Any, **top: Any) -> str:
    with pytest.raises(RulesError) as error:
        TeamRules.from_json(json.dumps({"rules": "1", "events": events, **top}), "plan.json")
    return str(error.value)


@pytest.mark.parametrize(
    ("schema", "wrong", "message", "allowed"),
    [
        ({"minimum": 0}, -1, "data.x is “-1”.", "0 or more."),
        ({"exclusiveMaximum": 5}, 5, "data.x is “5”.", "Less than 5."),
        ({"enum": ["EUR", "USD"]}, "GBP", "data.x is “GBP”.", "“EUR” or “USD”."),
        ({"const": True}, "yes", "data.x is “yes”.", "true."),
        ({"minLength": 3}, "ab", "data.x is “ab”, 2 characters.", "At least 3 characters."),
        ({"maxLength": 1}, "ab", "data.x is “ab”, 2 characters.", "At most 1 character."),
        ({"type": "number"}, "12", "data.x is “12”, a text.", "A number."),
        ({"type": ["string", "null"]}, 3, "data.x is “3”, a number.", "Text or null."),
        ({"pattern": "^S"}, "x", "data.x is “x”, which does not match.", "A text in which the pattern “^S” is found."),
        ({"format": "date"}, "1.2.22", "data.x is “1.2.22”.", "A text of the format “date”."),
        (False, "x", "data.x is “x”.", "No data.x."),
        ({"uniqueItems": True}, [1, 1], "data.x has an item twice.", "Items that differ from each other."),
    ],
)  # fmt: skip
def test_each_keyword_has_a_plain_sentence(schema: Any, wrong: Any, message: str, allowed: str) -> None:
    (issue,) = rules_of({"properties": {"x": schema}}).find_issues(event_of(x=wrong))
    assert (issue.message, issue.kind.allowed, issue.place.pointer) == (message, allowed, "/data/x")
    assert issue.fix


def test_a_finding_is_called_by_its_name_or_by_the_pointer_of_its_schema() -> None:
    rules = rules_of(
        {"required": ["price"], "properties": {"price": {"minimum": 1, "x-name": "dear"}}}, "Product ordered"
    )
    codes = [issue.code for issue in rules.find_issues(event_of("Product ordered"))]
    assert codes == ["rule:/events/Product%20ordered/properties/data"]
    assert [issue.code for issue in rules.find_issues(event_of("Product ordered", price=0))] == ["rule:dear"]
    assert rules.find_issues(event_of("Product viewed")) == []


def test_labels_reach_what_is_about_the_same_value_and_no_further() -> None:
    money: dict[str, Any] = {"$defs": {"money": {"type": "number", "minimum": 0}}}
    price = {"$ref": "#/$defs/money", "x-name": "price_ok", "x-severity": "error", "x-message": "Ask Ana."}
    rules = rules_of({"properties": {"price": price}, "x-severity": "warning"}, **money)
    (issue,) = rules.find_issues(event_of(price=-1))
    assert (issue.code, issue.severity, issue.message) == ("rule:price_ok", "error", "Ask Ana.")
    assert "0 or more" in issue.fix
    assert rules.notes == ()


def test_counts_are_the_teams_own_and_only_errors_exclude() -> None:
    rules = rules_of({
        "required": ["currency"],
        "properties": {"currency": {"enum": ["EUR"], "x-name": "euro", "x-severity": "error"}},
    })  # fmt: skip
    rows = [
        ["Product viewed", "e1", "u", "p", "1", "EUR"],
        ["Product viewed", "e2", "u", "p", "1", "GBP"],
        ["Product viewed", "e3", "u", "p", "1", ""],
        ["Product viewed", "", "u", "p", "1", "GBP"],
    ]
    report = check_table(map_table(table_of(HEADER, rows), Mapping(COLUMNS)), rules=rules)
    assert report.rule_counts == {"rule:/events/*/properties/data": 1, "rule:euro": 2}
    assert (report.rows_with_errors, report.rows_with_rule_errors) == (1, 2)
    assert report.counts == {"event_id_missing": 1}
    assert report.excluded_mask.tolist() == [False, True, False, True]
    assert [(issue.place.row, issue.code) for issue in report.issues(code="rule:euro")] == [
        (2, "rule:euro"),
        (4, "rule:euro"),
    ]
    again = pickle.loads(pickle.dumps(report))  # noqa: S301  for a worker
    assert [issue.sentence for issue in again.issues()] == [issue.sentence for issue in report.issues()]
    assert report.issue_count() == len(report.issues()) == 4


def test_events_of_a_list_give_the_same() -> None:
    rules = rules_of({"properties": {"currency": {"const": "EUR", "x-severity": "error"}}})
    report = check_events([event_of(currency="EUR"), event_of(currency="GBP")], rules=rules)
    assert report.rows_with_rule_errors == 1
    assert report.rule_counts == {"rule:/events/*/properties/data/properties/currency": 1}


def test_a_rule_about_numbers_on_a_text_is_a_mistake_with_the_line_that_fixes_it() -> None:
    rules = rules_of({"properties": {"price": {"minimum": 0}}})
    source = map_table(table_of(HEADER, [[""] * 6]), Mapping(COLUMNS))
    with pytest.raises(RulesError, match=r'"types": \{"data.price": "number"\}'):
        rules.check_mapping(source)
    assert (
        rules.check_mapping(map_table(table_of(HEADER, [[""] * 6]), Mapping(COLUMNS, types={"data.price": "number"})))
        == []
    )
    with pytest.raises(RulesError, match="Ids are always text"):
        rules_of({"properties": {"productId": {"type": "integer"}}}).check_mapping(source)
    with pytest.raises(RulesError, match='"boolean"'):
        rules_of({"properties": {"price": {"enum": [True, False]}}}).check_mapping(source)


@pytest.mark.parametrize(
    "data",
    [
        {"properties": {"price": {"anyOf": [{"minimum": 3}, {"const": "free"}]}}},
        {"anyOf": [{"properties": {"price": {"minimum": 3}}}]},
        {"properties": {"price": {"not": {"maximum": 0}}}},
        {"if": {"properties": {"price": {"exclusiveMinimum": 100}}}, "then": {"required": ["currency"]}},
        {"properties": {"price": {"oneOf": [{"$ref": "#/$defs/high"}]}}},
    ],
)
def test_a_rule_about_numbers_inside_another_is_never_passed_over_on_a_text(data: dict[str, Any]) -> None:
    top: dict[str, Any] = {"$defs": {"high": {"minimum": 3}}}
    rules = rules_of(data, **top)
    empty = table_of(HEADER, [[""] * 6])
    with pytest.raises(RulesError, match=r"speaks of numbers, but data.price is sent as text"):
        rules.check_mapping(map_table(empty, Mapping(COLUMNS)))
    assert rules.check_mapping(map_table(empty, Mapping(COLUMNS, types={"data.price": "number"}))) == []


def test_a_branch_that_says_that_it_is_of_numbers_may_stand_beside_one_of_texts() -> None:
    schema = {"anyOf": [{"type": "number", "minimum": 3}, {"type": "string", "pattern": "^[0-9]+$"}]}
    source = map_table(table_of(HEADER, [[""] * 6]), Mapping(COLUMNS))
    assert rules_of({"properties": {"price": schema}}).check_mapping(source) == []


def test_a_field_that_no_event_has_is_said() -> None:
    source = map_table(table_of(HEADER, [[""] * 6]), Mapping(COLUMNS))
    (note,) = rules_of({"required": ["colour"], "properties": {"colour": {"minLength": 1}}}).check_mapping(source)
    assert "data.colour" in note


def test_expectations_take_the_codes_of_the_rules() -> None:
    rules = rules_of({"properties": {"currency": {"const": "EUR", "x-name": "euro", "x-severity": "error"}}})
    header = [*HEADER, "expect"]
    rows = [
        ["Product viewed", "e1", "u", "p", "1", "GBP", "rule:euro"],
        ["Product viewed", "e2", "u", "p", "1", "EUR", "rule:euro"],
        ["Product viewed", "e3", "u", "p", "1", "GBP", "ok"],
        ["Product viewed", "e4", "u", "p", "1", "GBP", "rule:eruo"],
    ]
    table = table_of(header, rows)
    source = map_table(table, Mapping(COLUMNS))
    results = list(ExpectationReport(table, check_table(source, rules=rules)).results())
    assert [result.state.value for result in results] == ["passed", "failed", "failed", "unreadable"]
    assert "Did you mean “rule:euro”?" in results[3].message
    (first, *_) = ExpectationReport(table, check_table(source)).results()
    assert "--rules" in first.message


@pytest.mark.parametrize(
    ("events", "top", "words"),
    [
        ({"*": {"minimum": "x"}}, {}, ["/events/*/minimum", "“x”"]),
        ({"*": {"properties": 3}}, {}, ["/events/*/properties", "“3”"]),
        ({"*": 5}, {}, ["/events/*", "“5”"]),
        ([], {}, ["events"]),
        ({"*": {"type": "nummer"}}, {}, ["/events/*/type", "nummer"]),
        ({"*": {"$ref": "https://example.com/s.json"}}, {}, ["/events/*/$ref", "leaves the file"]),
        ({"*": {"$ref": "file:///etc/passwd"}}, {}, ["leaves the file"]),
        ({"*": {"$ref": "#/$defs/mony"}}, {"$defs": {"money": {}}}, ["Did you mean “money”?"]),
        ({"*": {"$ref": "#"}}, {}, ["names no schema"]),
        ({"*": {"$ref": "#/$defs/a"}}, {"$defs": {"a": {"$ref": "#/$defs/a"}}}, ["circle"]),
        ({"*": {}}, {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}}, ["circle"]),
        ({"*": {"$ref": "#/events/*"}}, {}, ["circle"]),
        ({"*": {"$anchor": "x"}}, {}, ["$anchor"]),
        ({"*": {"properties": {"userId": {"pattern": "(?=a)"}}}}, {}, ["/events/*/properties/userId/pattern", "RE2"]),
        ({"*": {"pattern": "("}}, {}, ["missing )"]),
        ({"*": {"properties": {"userId": {"pattern": r"(a)\1"}}}}, {}, ["/events/*/properties/userId/pattern", "RE2"]),
        ({"*": {"patternProperties": {"(?=a)": {}}}}, {}, ["/events/*/patternProperties", "RE2"]),
        ({"*": {"patternProperties": {r"\Qa\E": {}}}}, {}, ["/events/*/patternProperties", "not for keys"]),
        ({"*": {"patternProperties": {"{": {}}}}, {}, ["not for keys", "backslash before a brace"]),
        ({"*": {"pattern": "((a{100}){100}){100}"}}, {}, ["RE2"]),
        ({"*": {"x-severity": "fatal"}}, {}, ["/events/*/x-severity", "fatal", "“error”", "“warning”"]),
        ({"*": {"x-severity": "Error"}}, {}, ["“Error”", "“error”", "“warning”"]),
        ({"*": {"x-severity": 1}}, {}, ["/events/*/x-severity is no text"]),
        ({"*": {"x-name": "two words"}}, {}, ["two words"]),
        ({"*": {"allOf": [{"required": [], "x-name": "a"}, {"required": [], "x-name": "a", "x-severity": "error"}]}},
         {}, ["one an error and one a warning"]),
        ({"*": {}}, {"event": {}}, ["event"]),
        ({"*": {}}, {"$schema": "http://json-schema.org/draft-07/schema#"}, ["$schema"]),
        ({"*": {}}, {"rules": "2"}, ["“1”"]),
    ],
)  # fmt: skip
def test_what_is_no_file_of_rules_is_said_with_its_place(events: Any, top: dict[str, Any], words: list[str]) -> None:
    message = rejected(events, **top)
    assert message.startswith("plan.json: ")
    assert [word for word in words if word not in message] == []


def test_schemas_that_multiply_are_bounded() -> None:
    definitions = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 10} for n in range(12)} | {"d12": {}}
    began = time.process_time()
    assert "5,000" in rejected({"*": {"$ref": "#/$defs/d0"}}, **{"$defs": definitions})
    assert "inside each other" in rejected(json.loads('{"*":' + '{"not":' * 100 + "{}" + "}" * 101))
    assert time.process_time() - began < 5


def test_a_text_that_is_too_large_or_no_json_is_rejected_at_once() -> None:
    for text, word in [
        ('{"events": {}}' + " " * 10_000_000, "10,000,014 bytes"),
        ("{", "line 1"),
        ("[" * 100_000, "no JSON"),
        ('{"rules": "1", "rules": "1"}', "twice"),
        ('{"rules": NaN}', "NaN"),
        ("[]", "no object"),
        ("", "Rules are written as JSON, such as"),
        ("rules: '1'\nevents:\n  '*': {}\n", "line 1.*Rules are written as JSON"),
        ('{"events": {"*": {"minimum": 1e999}}}', "1e999 is too large"),
        ('{"events": {"*": {"minimum": ' + "9" * 5000 + "}}}", "5,000 digits"),
    ]:
        with pytest.raises(RulesError, match=word):
            TeamRules.from_json(text, "plan.json")


def test_of_a_file_that_never_ends_no_more_is_read_than_may_be(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    large.write_text(" " * 10_000_000)
    for file, words in [(large, "large.json has 10,000,000 bytes"), (Path("/dev/zero"), "1,000,001 bytes"),
                        (tmp_path, "cannot be read")]:  # fmt: skip
        with pytest.raises(RulesError, match=words):
            read_rules_file(file)
    (tmp_path / "bom.json").write_bytes(b'\xef\xbb\xbf{"events": {"*": {}}}')
    assert read_rules_file(tmp_path / "bom.json").event_names == ("*",)


def test_a_pattern_that_makes_other_engines_run_for_ever_is_quick() -> None:
    rules = rules_of({"properties": {"x": {"pattern": "^(a+)+$"}}})
    began = time.process_time()
    assert len(rules.find_issues(event_of(x="a" * 50_000 + "!"))) == 1
    assert time.process_time() - began < 2


def test_what_is_ignored_is_said() -> None:
    rules = rules_of({"properties": {"x": {"minimun": 3, "format": "nope", "x-owner": "Ana"}}}, "Product veiwed")
    assert len(rules.notes) == 3
    assert "Did you mean “Product viewed”?" in rules.notes[0]
    assert "Did you mean “minimum”?" in " ".join(rules.notes)
    assert "nope" in " ".join(rules.notes)


def test_a_key_that_no_event_has_beside_its_data_is_said() -> None:
    events = {
        "*": {"required": ["userId", "data"], "allOf": [{"properties": {"name": {"const": "Product viewed"}}}]},
        "Product ordered": {"required": ["price"], "properties": {"data": {"required": ["name", "price"]}}},
    }
    name, price = TeamRules.from_json(json.dumps({"events": events})).notes
    assert name.startswith("/events/*/allOf/0/properties: “name” is no field of an event")
    assert "write the rules of a name below “events”" in name
    assert price.startswith("/events/Product ordered/required: “price” is no field of an event")
    assert '{"properties": {"data": {"required": … }}}' in price


def test_two_rules_of_one_name_are_counted_together_and_that_is_said() -> None:
    twice = {"x": {"minimum": 5, "x-name": "least"}, "y": {"minimum": 5, "x-name": "least"}}
    rules = rules_of({"properties": twice})
    (note,) = rules.notes
    assert "/properties/x and /events/*/properties/data/properties/y are both called “least”" in note
    report = check_events([event_of(x=1), event_of(y=1), event_of(x=1, y=1), event_of(x=5, y=5)], rules=rules)
    assert report.rule_counts == {"rule:least": 3}
    shared, definitions = {"$ref": "#/$defs/least"}, {"$defs": {"least": {"minimum": 5, "x-name": "least"}}}
    of_one_place = rules_of({"properties": {"x": shared, "y": shared}}, "*", **definitions)
    assert of_one_place.notes == ()


def test_rules_see_the_event_as_it_will_be_sent() -> None:
    """A made id, a time that becomes milliseconds, a constant, and a number that was written for people."""
    rules = TeamRules.from_json(json.dumps({"events": {"*": {
        "required": ["eventId"],
        "properties": {
            "timestamp": {"const": 1714631904000, "x-name": "at"},
            "data": {"properties": {
                "price": {"const": 1299.5, "x-name": "price"}, "shop": {"const": "b", "x-name": "shop"},
            }},
        },
    }}}))  # fmt: skip
    table = table_of(["at", "user", "price"], [["2024-05-02T06:38:24Z", "u", "1.299,50 €"], ["2024-05-02", "u", "x"]])
    columns = {"at": "timestamp", "user": "userId", "price": "data.price"}
    constants = {"name": "Product viewed", "data.shop": "a", "data.productId": "p"}
    mapping = Mapping(columns, types={"data.price": "number:1.234,5"}, constants=constants)
    report = check_table(map_table(table, mapping), rules=rules)
    assert report.rule_counts == {"rule:at": 1, "rule:price": 1, "rule:shop": 2}
    assert report.rows_of("rule:at").tolist() == report.rows_of("rule:price").tolist() == [1]


def test_half_a_character_and_odd_bodies_break_nothing() -> None:
    rules = rules_of({"properties": {"x": {"maxLength": 1, "pattern": "."}}})
    assert rules.find_issues(event_of(x="\ud800")) == []
    for body in (None, 5, "text", [1], {"data": 3}):
        rules.find_issues(GivenEvent("Product viewed", body, Place()))


def test_rules_are_remembered_until_they_are_removed(tmp_path: Any) -> None:
    store, rules = RulesFolder(tmp_path / "data"), rules_of({"required": ["x"]})
    assert store.get() is None
    store.save(rules)
    assert store.get() == rules
    store.remove()
    assert store.get() is None
    (tmp_path / "data" / "team-rules.json").write_text("{")
    with pytest.raises(RulesError, match="damaged"):
        store.get()
