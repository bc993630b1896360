"""A case file that names nobody names nobody: 1,000 requests with planted persons, and not one is left in the files."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intempt_core.contract import Json, read_identities
from intempt_core.contract.outcome import Outcome
from intempt_core.exports.case_file import build_case, dump_case, render_case_page
from intempt_core.exports.salt import check_salt
from intempt_core.history import AttemptEnd, AttemptStart, EventIntent, History
from intempt_core.readers.payload import read_payload
from intempt_core.validation.check import check_events
from tests.core.exports.planted_persons import FORMS, Planted, Planter, find_needles
from tests.core.history.factories import ME, SHOP, attempt, event, intent, request

SALT = check_salt(b"s" * 32)
PAYLOADS, PARTS = 1_000, 25


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History.open(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    yield opened
    opened.close()


def record(history: History, planted: Planted) -> int:
    """Record a request as sent, with its response."""
    events = [EventIntent.from_event(one, 1) for one in read_payload(planted.body).events] or [event(1)]
    batch = history.recorder.record(
        intent(owner=ME, label=planted.label, target=replace(SHOP, name=planted.target)),
        [request(1, 1, events, planted.body.encode("utf-8", "surrogatepass"))],
    )
    (work,) = history.queue.take(batch, 1, 1)
    tried = attempt(Outcome.REJECTED, response_body=planted.response, response_length=len(planted.response),
                    headers=planted.headers, reason=planted.reason)  # fmt: skip
    history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, tried)], owner=ME)
    return work.id


def write_files(case: dict[str, Json]) -> str:
    return dump_case(case) + "".join(render_case_page(case))


def codes_of(body: str) -> Counter[str]:
    payload = read_payload(body)
    return Counter(issue.code for issue in check_events(payload.events, None, payload.issues).issues(limit=1000))


def shape_of(value: Json) -> object:
    """What a value is, without what it says."""
    if isinstance(value, dict):
        return [shape_of(member) for member in value.values()]
    return [shape_of(member) for member in value] if isinstance(value, list) else type(value)


def data_of(body: str) -> list[Any]:
    """The data of every event that is one."""
    return [event.body["data"] for event in read_payload(body).events if isinstance(event.body, dict)]


def keeps_products(planted: Planted, body: str) -> bool:
    """Whether every product without a person in it is the one that was sent, with its price."""
    before, after = data_of(planted.body), data_of(body)
    return all(
        is_[key] == was[key]
        for was, is_ in zip(before, after, strict=True)
        for key in (("productId", "price", "quantity") if was["productId"] in planted.kept else ("price", "quantity"))
    )


def ids_of(body: str) -> list[int]:
    """For each identity, in order, the first one that equals it: the same for pseudonyms of the same persons."""
    ids = [id_ for event in read_payload(body).events for id_ in read_identities(event.body).values()]
    return [ids.index(id_) for id_ in ids]


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, PARTS))])
def test_no_planted_person_is_left_and_the_problems_stay(history: History, part: int) -> None:
    left: list[tuple[int, dict[str, str]]] = []
    planted_forms: Counter[str] = Counter()
    count = 0
    other_codes: list[tuple[int, Counter[str], Counter[str]]] = []
    for seed in range(part, PAYLOADS, PARTS):
        planted = Planter(seed).make()
        id_ = record(history, planted)
        shown = build_case(history, id_, "1.0", salt=SALT)
        if found := find_needles(write_files(shown), planted.needles):
            left.append((seed, found))
        as_sent = find_needles(dump_case(build_case(history, id_, "1.0", salt=None)), planted.needles)
        planted_forms.update(what.partition(", ")[2] for what in as_sent.values())
        count += len(planted.needles)
        body = shown["request"]["body"]
        assert shape_of(json.loads(body)) == shape_of(json.loads(planted.body)), seed
        assert keeps_products(planted, body), seed
        assert ids_of(body) == ids_of(planted.body), seed
        if (before := codes_of(planted.body)) != (after := codes_of(body)):
            other_codes.append((seed, before - after, after - before))
    assert left == []
    assert planted_forms.total() > 0.85 * count  # the file that names everybody has them; some were overwritten
    assert planted_forms.keys() >= FORMS.keys()
    assert other_codes == []
