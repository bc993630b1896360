"""The team's own rules on the screens that check: chosen once, asked on each, counted and coloured as the team's."""

import json

from pages.parts.compose.state import find_issue_field
from tests.pages.conftest import Screen
from tests.pages.upload_steps import Upload, csv_of

RULES = json.dumps({
    "rules": "1",
    "events": {"*": {"properties": {"data": {
        "required": ["currency"],
        "properties": {"productId": {"pattern": "^SKU_", "x-name": "sku_form", "x-severity": "error"}},
    }}}},
}).encode()  # fmt: skip
NUMERIC = json.dumps(
    {"rules": "1", "events": {"*": {"properties": {"data": {"properties": {"price": {"minimum": 0}}}}}}}
)
ROWS = csv_of(
    "Product viewed,e1,u1,SKU_1,1714631904000,1.50",
    "Product viewed,e2,u1,x,1714631904000,1.50",
    "Product viewed,,u1,SKU_3,1714631904000,1.50",
)


def choose(screen: Screen | Upload, name: str, rules: bytes = RULES, number: int = 0) -> None:
    screen.app.file_uploader(key=f"{name}-rules-file-{number}").upload("plan.json", rules)
    screen.run()


def test_upload_counts_what_the_rules_find_beside_what_the_contract_does(upload: Upload) -> None:
    upload.drop(ROWS).press("upload-settle")
    assert "team's rules]" not in upload.markdown
    choose(upload, "upload")
    assert ":red-badge[■ 1 row with errors]" in upload.markdown
    assert ":violet-badge[▲ 3 rows break the team's rules, 1 with errors]" in upload.markdown
    assert "1 event · 1 user" in upload.texts
    assert upload.app.radio(key="upload-everything").options[0] == "Skip 2 rows"
    upload.press("upload-rules-remove")
    assert "break the team's rules" not in upload.markdown
    assert "2 events · 1 user" in upload.texts


def test_upload_says_which_line_of_types_a_rule_about_numbers_needs(upload: Upload) -> None:
    upload.drop(ROWS).press("upload-settle")
    choose(upload, "upload", NUMERIC.encode())
    assert '"types": {"data.price": "number"}' in upload.texts
    choose(upload, "upload", b'{"events": []}', 1)
    assert "“events” is no object" in upload.texts


def test_compose_and_inspect_ask_the_same_rules(compose: Screen) -> None:
    choose(compose, "compose")
    compose.fill("compose-data-productId", "x").fill("compose-userId", "u1").press("compose-check")
    assert "2 findings of the team's rules" in compose.markdown
    assert ":violet-badge[▲ team's error]" in compose.markdown
    assert compose.has("compose-send-as-it-is")
    compose.go("explain.py")
    compose.paste(json.dumps({"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": "x"}}))
    assert "2 findings of the team's rules" in compose.markdown
    assert "■ 1 problem" not in compose.markdown
    assert not compose.has("inspect-send")
    assert compose.has("inspect-send-as-it-is")


def test_rules_are_replaced_and_removed_and_a_file_that_is_none_changes_nothing(upload: Upload) -> None:
    upload.drop(ROWS).press("upload-settle")
    choose(upload, "upload")
    assert "plan.json: 2 rules. Upload, Compose and Inspect check by them." in upload.texts
    assert "no event of events.csv has data.currency" in upload.texts
    choose(upload, "upload", b"{}", 1)
    assert ":red-badge[■ cannot be used]" in upload.markdown
    assert "3 rows break the team's rules" in upload.markdown  # the former are asked
    other = {"*": {"properties": {"userId": {"const": "u2"}}}}
    choose(upload, "upload", json.dumps({"events": other}).encode(), 2)
    assert "cannot be used" not in upload.markdown
    assert ":violet-badge[▲ 3 rows break the team's rules]" in upload.markdown  # warnings: nothing more is skipped
    assert "2 events · 1 user" in upload.texts
    upload.press("upload-rules-remove")
    assert "break the team's rules" not in upload.markdown
    assert not upload.has("upload-rules-remove")


def test_findings_of_the_rules_are_marked_as_the_teams_where_they_are(compose: Screen) -> None:
    choose(compose, "compose")
    compose.fill("compose-data-productId", "x").fill("compose-userId", "u1").press("compose-check")
    found = compose.compose_state
    fields = [find_issue_field(found.forms[0], issue) for issue in found.issues]
    assert fields == ["data.productId", "more"]  # a key that is missing is added there
    compose.go("explain.py")
    compose.paste(json.dumps({"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": "x"}}))
    drawn = [e.proto for e in compose.app.get("bidi_component") if e.proto.component_name == "console.annotated_text"]
    ((_, kind, sign, pieces, _title),) = json.loads(drawn[0].json)["lines"]
    assert (kind, sign) == ("team", "▲")
    assert [(text, of) for text, of in pieces if of] == [("{", "team"), ('"x"', "team")]
