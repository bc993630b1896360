"""The conversion over whole columns is what counting person by person gives."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.analysis.funnel import Funnel, NoteCount, compute_funnel
from intempt_core.analysis.journey_notes import NoteKind, find_notes
from intempt_core.contract.fields import IDENTITY_FIELDS, EventName
from intempt_core.contract.outcome import Outcome
from intempt_core.contract.person_history import PersonEvent, PersonHistory
from intempt_core.errors import NotFound
from intempt_core.history import AttemptEnd, AttemptStart, History
from tests.core.history.factories import ME, attempt, event, intent, request

VIEW, ADD, REMOVE, ORDER = EventName.VIEWED, EventName.ADDED, EventName.REMOVED, EventName.ORDERED
Row = tuple[str | None, str | None, str | None, int | None]
"""Name, product, user and time of one event."""


def table(rows: list[dict[str, object]]) -> pa.Table:
    texts = pa.large_string()
    fields = [(field, texts) for field in ("name", "eventId", "productId", *IDENTITY_FIELDS)] + [
        ("timestamp", pa.int64())
    ]
    return pa.Table.from_pylist([{"eventId": "e"} | row for row in rows], schema=pa.schema(fields))


def converted(*rows: Row) -> Funnel:
    names = ("name", "productId", "userId", "timestamp")
    return compute_funnel(table([dict(zip(names, row, strict=True)) for row in rows]))


def stages(found: Funnel) -> list[tuple[int, int]]:
    return [(stage.persons, stage.skipped) for stage in found.stages]


def test_nothing_is_a_conversion_of_nobody() -> None:
    found = converted()
    assert (found.events, found.persons, stages(found), found.notes) == (0, 0, [(0, 0)] * 3, {})


def test_persons_fall_out_where_they_go_no_further_and_some_skip_a_stage() -> None:
    found = converted(
        (VIEW, "A", "all", None), (ADD, "A", "all", None), (ORDER, "A", "all", None),
        (VIEW, "A", "looks", None), (VIEW, "A", "carts", None), (ADD, "B", "carts", None),
        (ORDER, "A", "buys", None), (ADD, "A", "adds", None),
    )  # fmt: skip
    assert stages(found) == [(3, 0), (2, 1), (1, 1)]
    assert found.lost == (1, 1)
    assert (found.events, found.persons) == (8, 5)
    assert [stage.total for stage in found.stages] == [3, 3, 2]


def test_what_is_not_processed_converts_nobody() -> None:
    found = converted(("view", "A", "u", None), (VIEW, None, "u", None), (VIEW, "A", None, None))
    assert (found.events, found.persons) == (0, 0)
    assert compute_funnel(table([{"name": VIEW, "productId": "A", "userId": "u", "eventId": None}])).events == 0


def test_persons_hang_together_through_any_id_but_an_account_beside_others_or_a_placeholder() -> None:
    rows: list[dict[str, object]] = [
        {"name": VIEW, "productId": "A", "userId": "u", "profileId": "p", "accountId": "x"},
        {"name": ADD, "productId": "A", "profileId": "p"},
        {"name": ORDER, "productId": "A", "accountId": "x"},
        {"name": ORDER, "productId": "A", "userId": "null", "profileId": "q"},
        {"name": ORDER, "productId": "A", "userId": "null", "profileId": "r"},
    ]
    found = compute_funnel(table(rows))
    assert found.persons == 4
    assert stages(found) == [(1, 0), (1, 0), (0, 3)]


rows = st.lists(
    st.tuples(
        st.sampled_from([*EventName, "view"]),
        st.sampled_from(["A", "B", None]),
        st.sampled_from(["u1", "u2", "u3"]),
        st.none() | st.integers(0, 5),
    ),
    max_size=20,
)


@given(rows)
def test_the_counts_are_those_of_one_person_after_another(rows: list[Row]) -> None:
    found = converted(*rows)
    did = {user: {row[0] for row in rows if row[2] == user and row[1]} for user in ("u1", "u2", "u3")}
    assert [stage.total for stage in found.stages] == [
        sum(name in names for names in did.values()) for name in (VIEW, ADD, ORDER)
    ]
    assert found.stages[1].persons == sum({VIEW, ADD} <= names for names in did.values())
    assert found.stages[2].persons == sum({VIEW, ADD, ORDER} <= names for names in did.values())
    late = 0
    for user in did:
        latest = None
        for name, product, who, time in rows:
            if who == user and name in tuple(EventName) and product and time is not None:
                late += latest is not None and time < latest
                latest = time if latest is None else max(latest, time)
    assert found.notes.get(NoteKind.TIME_ORDER, NoteCount(0, 0)).cases == late
    for demanded, before, kind in ((REMOVE, ADD, NoteKind.NEVER_ADDED), (ORDER, VIEW, NoteKind.NEVER_VIEWED)):
        pairs = {(who, product) for name, product, who, _ in rows if name == demanded and product}
        pairs -= {(who, product) for name, product, who, _ in rows if name == before}
        assert found.notes.get(kind, NoteCount(0, 0)) == NoteCount(len(pairs), len({who for who, _ in pairs}))


def test_two_ids_of_one_field_are_counted_as_a_person_is_told() -> None:
    rows: list[dict[str, object]] = [
        {"name": VIEW, "productId": "A", "userId": "u1", "profileId": "p"},
        {"name": VIEW, "productId": "A", "userId": "u2", "profileId": "p"},
        {"name": VIEW, "productId": "A", "userId": "u3"},
    ]
    assert compute_funnel(table(rows)).notes == {NoteKind.TWO_IDS: NoteCount(1, 1)}
    told = find_notes(
        PersonHistory((PersonEvent(VIEW, "A"),), (("userId", "u1"), ("userId", "u2"), ("profileId", "p")))
    )
    assert [note.kind for note in told] == [NoteKind.TWO_IDS]


def test_a_batch_gives_its_accepted_events_in_their_order_of_arrival(tmp_path: Path) -> None:
    history = History.open(f"sqlite:///{tmp_path / 'h.sqlite3'}")
    made = [request(lane, 1, [event(lane * 2), event(lane * 2 + 1, timestamp=7)]) for lane in (1, 2, 3)]
    batch = history.recorder.record(intent(owner=ME, rows=6), made)
    first, second, third = (one.id for one in history.queries.requests(batch).items)
    for id_, outcome in ((third, Outcome.ACCEPTED), (second, Outcome.REJECTED), (first, Outcome.ACCEPTED)):
        history.queue.apply_transitions([AttemptStart(id_), AttemptEnd(id_, attempt(outcome))], owner=ME)
    found = history.outcomes.accepted_events(batch)
    assert found["productId"].to_pylist() == ["p6", "p7", "p2", "p3"]
    assert found["timestamp"].to_pylist() == [None, 7, None, 7]
    assert found["eventId"].to_pylist() == [True] * 4
    assert found["userId"].to_pylist() == ["u1"] * 4
    with pytest.raises(NotFound):
        history.outcomes.accepted_events("b_nobody")
    assert history.outcomes.accepted_events(history.recorder.record(intent(owner=ME), [])).num_rows == 0
    history.close()
