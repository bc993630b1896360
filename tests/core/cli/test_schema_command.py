"""``schema``: the contract as JSON Schema on standard output."""

import json

import jsonschema_rs
import pytest

from intempt_core.cli import main
from intempt_core.contract import SchemaSubject, build_contract_schema


@pytest.mark.parametrize("subject", SchemaSubject)
def test_it_prints_a_schema_that_validators_take(subject: SchemaSubject, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--of", subject], {}) == 0
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == build_contract_schema(subject)
    event = {"eventId": "e1", "accountId": "a1", "data": {"productId": "p1"}}
    given = event if subject is SchemaSubject.EVENT else {"track": [{"name": "Product ordered", "payload": [event]}]}
    validator = jsonschema_rs.validator_for(json.loads(printed))
    assert validator.is_valid(given)
    assert not validator.is_valid({})


def test_it_is_of_a_request_where_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"], {}) == 0
    assert json.loads(capsys.readouterr().out)["$id"].startswith("urn:event-console:track-request:")
