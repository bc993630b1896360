"""What goes into history comes out again: intent, searches, rows, prior sends, a person's events."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.event import listen, remove

from intempt_core.contract.feeds import FeedId, compute_feeds
from intempt_core.contract.fields import IDENTITY_FIELDS, Json
from intempt_core.contract.issue_kinds import Severity
from intempt_core.contract.issues import Place
from intempt_core.contract.outcome import Outcome
from intempt_core.contract.rules import GivenEvent
from intempt_core.errors import NotAllowed, NotFound, ReadError
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchFilter,
    BatchSource,
    BatchState,
    BatchSummary,
    EventIntent,
    ExcludedRow,
    History,
    RequestIntent,
    RequestState,
    TargetSnapshot,
    collect_excluded_rows,
    make_request_blocks,
    migrations,
)
from intempt_core.history.migrations import HEAD
from intempt_core.history.recorder import RECORD_CHUNK_EVENTS, Recorder
from intempt_core.history.records import IDENTITY_COLUMNS
from intempt_core.history.schema import make_indexable, metadata
from intempt_core.planning.plan import Policy, plan_events
from intempt_core.targets.target import derive_target_key, parse_track_url, sandbox_target
from intempt_core.validation.check import check_events
from intempt_core.validation.prior_sends import OrderLine
from tests.core.history.factories import ME, SHOP, Clock, attempt, batch_of, event, intent, request, unkey
from tests.examples import keep_first_quick, scale_examples


def settle(history: History, batch: str, outcome: Outcome = Outcome.ACCEPTED, **given: object) -> None:
    """Send every request of the batch with this outcome."""
    for lane in history.queue.lanes(batch):
        for work in history.queue.take(batch, lane.lane, 1000):
            settled = AttemptEnd(work.id, attempt(outcome, **given))
            assert not history.queue.apply_transitions([AttemptStart(work.id), settled], owner=ME)


# ── the schema ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_database_has_the_tables_to_which_the_migrations_lead() -> None:
    created, migrated = create_engine("sqlite://"), create_engine("sqlite://")
    with created.begin() as one, migrated.begin() as other:
        migrations.create(one, metadata)
        migrations.upgrade(other)
        assert tables_in(one) == tables_in(other)
        for connection in (one, other):
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            assert migrations.version(connection) == HEAD


def tables_in(connection: Connection) -> dict[str, object]:
    """Every table's columns, keys and indexes, in no order; an index also as the statement that made it."""
    asked = inspect(connection)
    found: dict[str, object] = {}
    for table in asked.get_table_names():
        columns = sorted((c["name"], str(c["type"]), c["nullable"], c["default"]) for c in asked.get_columns(table))
        keys = sorted((tuple(k["constrained_columns"]), k["referred_table"]) for k in asked.get_foreign_keys(table))
        found[table] = (columns, asked.get_pk_constraint(table)["constrained_columns"], keys)
    indexes = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    return found | {name: " ".join(sql.split()) for name, sql in indexes}


def test_the_newest_version_is_the_head_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


@pytest.mark.sqlite_only("a file has any name")
def test_opening_again_finds_what_was_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a folder' / 'history #1.sqlite3'}"
    first = History.open(url)
    batch = batch_of(first, [1])
    first.close()
    again = History.open(url)
    assert again.queries.batch(batch).total == 1
    again.close()


# ── intent ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_recorded_batch_has_everything_that_was_decided(history: History, clock: Clock) -> None:
    left = [ExcludedRow(3, 4, ("event_id_missing", "event_name"), None, "view")]
    batch = batch_of(
        history,
        [2],
        excluded=left,
        source=BatchSource.COMMAND,
        digest="d" * 64,
        mapping='{"columns":{}}',
        notes={"as it is": True},
        policy=Policy.GO_ON,
        resend_of="b_0",
        persons=1,
        lanes=1,
    )
    found = history.queries.batch(batch)
    assert (found.source, found.label, found.target, found.policy) == (
        BatchSource.COMMAND,
        "data.csv",
        SHOP,
        Policy.GO_ON,
    )
    assert (found.digest, found.mapping, found.notes) == ("d" * 64, '{"columns":{}}', {"as it is": True})
    assert (found.rows, found.excluded_rows, found.persons, found.lanes, found.resend_of) == (3, 1, 1, 1, "b_0")
    assert (found.state, found.owner, found.created_at, found.changed_at) == (
        BatchState.SENDING,
        ME,
        clock.now,
        clock.now,
    )
    assert found.events == {RequestState.PENDING: 2}
    assert found.requests == {RequestState.PENDING: 1}
    assert not found.is_final


def test_bodies_are_stored_byte_for_byte(history: History) -> None:
    body = bytes(range(256)) * 50
    batch = history.recorder.record(intent(), [request(1, 1, [event(1)], body)])
    (summary,) = history.queries.requests(batch).items
    assert history.queries.request(summary.id).body == body
    assert history.queries.request(str(summary.id)).body == body


def test_a_large_batch_is_recorded_in_several_transactions_and_is_whole(history: History) -> None:
    size = RECORD_CHUNK_EVENTS // 20
    many = (request(1, n, [event(n * size + i) for i in range(size)], b"{}") for n in range(45))
    told: list[tuple[str, int]] = []
    left = (ExcludedRow(-row, None, ("event_name",)) for row in range(RECORD_CHUNK_EVENTS + 1))
    batch = history.recorder.record(intent(), many, left, on_progress=lambda *how_far: told.append(how_far))
    found = history.queries.batch(batch)
    assert (found.total, found.excluded_rows, found.state) == (45 * size, RECORD_CHUNK_EVENTS + 1, BatchState.SENDING)
    assert (found.unrecorded, found.recorder) == (0, "")
    assert {name for name, _ in told} == {batch}
    assert [events for _, events in told] == [1_000, 2_000, 22_000, 42_000, 45_000, 45_000, 45_000]


def test_what_is_recorded_may_be_sent_while_more_is_and_the_batch_is_not_done_before_it_is_whole(
    history: History,
) -> None:
    seen: list[BatchSummary] = []

    def slow() -> Iterator[RequestIntent]:
        yield request(1, 1, [event(1), event(2)])
        yield request(2, 1, [event(3)])
        yield request(2, 2, [event(4)])
        yield request(2, 3, [event(5), event(6)])
        (going,) = history.queue.unfinished()
        first = history.queue.take(going.id, 1, 1)[0].id
        history.queue.apply_transitions([AttemptStart(first), AttemptEnd(first, attempt())], owner=ME)
        with pytest.raises(NotAllowed, match="is not done: 3 of its events are not recorded"):
            history.control.set_state(going.id, BatchState.DONE)
        seen.append(history.queries.batch(going.id))
        assert history.queue.unrecorded(going.id) == (3, ME)
        yield request(2, 4, [event(7)])

    batch = Recorder(history.database, 2).record(intent(owner=ME, events=7), slow())
    assert (seen[0].state, seen[0].unrecorded, seen[0].recorder) == (BatchState.SENDING, 3, ME)
    assert seen[0].events == {RequestState.ACCEPTED: 2, RequestState.PENDING: 2}
    assert history.queries.batch(batch).events == {RequestState.ACCEPTED: 2, RequestState.PENDING: 5}
    assert history.queue.unrecorded(batch) == (0, "")


def test_while_the_excluded_rows_are_recorded_every_event_is_there_and_the_batch_is_not_done(history: History) -> None:
    seen: list[BatchSummary] = []

    def slow() -> Iterator[ExcludedRow]:
        yield from (ExcludedRow(row, None, ("event_name",)) for row in range(10, 2 * RECORD_CHUNK_EVENTS + 10))
        (going,) = history.queue.unfinished()
        seen.append(history.queries.batch(going.id))
        with pytest.raises(NotAllowed, match="is not done: its excluded rows are still being recorded"):
            history.control.set_state(going.id, BatchState.DONE)
        yield ExcludedRow(1, None, ("event_name",))

    batch = history.recorder.record(intent(owner=ME, events=2), [request(1, 1, [event(1), event(2)])], slow())
    assert (seen[0].total, seen[0].unrecorded, seen[0].planned, seen[0].recorder) == (2, 0, 2, ME)
    assert (history.queries.batch(batch).recorder, history.queries.batch(batch).planned) == ("", 2)


def test_cancelled_by_a_person_nothing_more_is_recorded(history: History) -> None:
    def slow() -> Iterator[RequestIntent]:
        yield from (request(1, n, [event(n)]) for n in (1, 2))
        (going,) = history.queue.unfinished()
        history.control.set_state(going.id, BatchState.CANCELLED, "A person cancelled it.")
        yield request(1, 3, [event(3)])

    with pytest.raises(NotAllowed, match="was being recorded\\. 1 of 3 events are recorded"):
        Recorder(history.database, 1).record(intent(owner=ME, events=3), slow())
    (found,) = history.queries.batches().items
    assert (found.state, found.reason) == (BatchState.CANCELLED, "A person cancelled it.")
    assert found.events == {RequestState.CANCELLED: 1}


def test_paused_by_a_person_the_rest_is_recorded_and_waits(history: History) -> None:
    def slow() -> Iterator[RequestIntent]:
        yield from (request(1, n, [event(n)]) for n in (1, 2))
        (going,) = history.queue.unfinished()
        history.control.set_state(going.id, BatchState.PAUSED, "A person paused it.")
        yield request(1, 3, [event(3)])

    found = history.queries.batch(Recorder(history.database, 1).record(intent(owner=ME, events=3), slow()))
    assert (found.state, found.unrecorded, found.events) == (BatchState.PAUSED, 0, {RequestState.PENDING: 3})


def test_a_batch_whose_recorder_has_ended_is_stopped_and_says_how_far_it_is(history: History) -> None:
    class Killed(BaseException):
        pass

    def slow() -> Iterator[RequestIntent]:
        yield from (request(1, n, [event(n)]) for n in (1, 2, 3))
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intempt_core.history.recorder.write_recording_stop", lambda *_: None)
        with pytest.raises(Killed):
            Recorder(history.database, 1).record(intent(owner=ME, events=9), slow())
    (going,) = history.queue.unfinished()
    assert not history.control.stop_recording(going.id, "another")
    assert history.control.stop_recording(going.id, ME)
    found = history.queries.batch(going.id)
    assert found.reason == "2 of 9 events are recorded; what was recorded may have been sent."
    assert (found.state, found.unrecorded, found.recorder) == (BatchState.STOPPED, 7, "")
    assert history.control.resume(going.id) == 0
    assert not history.control.stop_recording(going.id, "")


@pytest.mark.parametrize("piece", [1, 2, 9])
def test_interrupted_when_a_piece_is_just_committed_it_counts_as_recorded(
    history: History, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    writing, committed = history.database.writing, count(1)

    @contextmanager
    def interrupted_writing() -> Iterator[Connection]:
        with writing() as connection:
            yield connection
        if next(committed) == piece:
            raise KeyboardInterrupt

    monkeypatch.setattr(history.database, "writing", interrupted_writing)
    with pytest.raises(KeyboardInterrupt):
        Recorder(history.database, 1).record(
            intent(owner=ME, events=9), (request(1, n, [event(n)]) for n in range(1, 10))
        )
    (found,) = history.queries.batches().items
    reason = f"{piece} of 9 events are recorded; what was recorded may have been sent."
    assert (found.state, found.reason, found.unrecorded, found.recorder) == (
        (BatchState.SENDING, "", 0, "") if piece == 9 else (BatchState.STOPPED, reason, 9 - piece, "")
    )


def test_a_batch_of_nothing_but_excluded_rows_is_recorded(history: History) -> None:
    found = history.queries.batch(history.recorder.record(intent(), [], [ExcludedRow(1, 2, ("event_name",))]))
    assert (found.total, found.excluded_rows, found.state) == (0, 1, BatchState.SENDING)


def test_an_input_that_fails_midway_makes_a_stopped_batch_that_says_how_far_it_is(history: History) -> None:
    def broken() -> Iterator[RequestIntent]:
        yield from (request(1, n, [event(n)] * 10_000, b"{}") for n in range(5))
        raise ReadError("The file ends in the middle.")

    with pytest.raises(ReadError, match="in the middle"):
        history.recorder.record(intent(), broken())
    (found,) = history.queries.batches().items
    assert (found.state, found.recorder) == (BatchState.STOPPED, "")
    assert found.reason == (
        "20,000 events are recorded; what was recorded may have been sent. The file ends in the middle."
    )
    assert found.events == {RequestState.PENDING: 20_000}


def test_an_input_that_fails_at_once_makes_no_batch(history: History) -> None:
    with pytest.raises(ReadError):
        history.recorder.record(intent(), (_ for _ in iter(_raise, None)))
    assert history.queries.batches().total == 0


def _raise() -> RequestIntent:
    raise ReadError("Nothing there.")


def test_a_plan_is_recorded_request_by_request_with_the_rows_it_came_from(history: History) -> None:
    given = [
        GivenEvent(
            "Product viewed", {"eventId": f"e{n}", "userId": f"u{n % 3}", "data": {"productId": n}}, Place(row=n + 1)
        )
        for n in range(120)
    ]
    plan = plan_events(given)
    batch = history.recorder.record(intent(rows=120), make_request_blocks(plan))
    listed = history.queries.requests(batch, size=100).items
    assert [(one.lane, one.position, one.events) for one in listed] == [
        (one.lane, one.position, len(one.rows)) for one in plan.requests
    ]
    assert [history.queries.request(one.id).body for one in listed] == [plan.body(one) for one in plan.requests]
    assert [row.event_id for row in history.outcomes.rows(batch)] == [f"e{n}" for n in range(120)]


def test_an_event_is_stored_with_its_ids_as_text_whatever_type_they_had() -> None:
    body = {"eventId": 19, "userId": " ", "accountId": [], "data": {"productId": "p"}, "timestamp": 2**70}
    assert EventIntent.from_event(GivenEvent(7, body, Place(line=4)), 3) == EventIntent(3, 4, "7", "19", product_id="p")
    assert EventIntent.from_event(GivenEvent(None, "no object", Place()), 1) == EventIntent(1)
    timed = {"timestamp": 1_666_666_666_666, "data": 4}
    assert EventIntent.from_event(GivenEvent("x", timed, Place(row=9)), 1) == EventIntent(
        9, None, "x", timestamp=1_666_666_666_666
    )


def test_rows_with_errors_are_excluded_each_with_its_codes() -> None:
    bodies: list[Json] = [
        {"eventId": 19, "userId": "u", "data": {}},
        {"eventId": "e", "userId": "u", "data": {"productId": "p"}},
        {"eventId": ["odd"], "data": {"productId": "p"}},
        {"eventId": "e", "userId": "u", "data": {"productId": "p"}},
        "no object",
    ]
    names: list[Json] = ["view", "Product viewed", "Product viewed", "Product viewed", 7]
    given = [
        GivenEvent(name, body, Place(row=n, line=n + 10))
        for n, (name, body) in enumerate(zip(names, bodies, strict=True), 1)
    ]
    report = check_events(given)
    left = list(collect_excluded_rows(report, lambda rows: (given[row] for row in rows)))
    assert [(one.row, one.line, one.event_id, one.name) for one in left] == [
        (1, 11, "19", "view"),
        (3, 13, None, "Product viewed"),
        (4, 14, "e", "Product viewed"),
        (5, 15, None, "7"),
    ]
    for one in left:
        errors = {issue.code for issue in report.issues_of(one.row - 1) if issue.severity is Severity.ERROR}
        assert set(one.codes) == errors
    assert left[2].codes == ["event_id_repeated"]


@given(st.text() | st.text(st.characters(), min_size=500, max_size=600) | st.text("\ud800\x00é"))
@how(max_examples=scale_examples(50))
def test_any_id_at_all_is_stored_and_found(text: str) -> None:
    assert make_indexable(text) == make_indexable(text)
    make_indexable(text).encode()
    assert len(make_indexable(text)) <= 512
    assert "\0" not in make_indexable(text)


@pytest.mark.parametrize("odd", ["\ud800", "a\0b", "é" * 600, "x" * 5000, "'; DROP TABLE events; --", "%s", "?"])
def test_odd_ids_are_recorded_and_found(history: History, odd: str) -> None:
    batch = history.recorder.record(intent(label=odd), [request(1, 1, [event(1, event_id=odd, name=odd)], b"{}")])
    assert [found.id for found in history.queries.batches(BatchFilter(text=odd)).items] == [batch]
    assert odd in history.events.prior_sends(SHOP.key, [odd, "other"])


def test_two_names_of_one_track_url_are_one_place_and_the_sandbox_is_one_on_any_port() -> None:
    url = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
    shop = parse_track_url(url, {"INTEMPT_API_KEY": "prefix.verysecretsecret"})
    assert derive_target_key(shop) == url
    assert derive_target_key(sandbox_target("http://127.0.0.1:1/sandbox")) == derive_target_key(
        sandbox_target("http://127.0.0.1:2")
    )
    snapshot = TargetSnapshot.from_target(shop)
    assert (snapshot.key, snapshot.host, snapshot.source_id) == (url, "api.intempt.com", "1001")
    assert "verysecret" not in repr(snapshot)


# ── lists and searches ───────────────────────────────────────────────────────────────────────────────────────────────


def test_batches_are_listed_newest_first_a_page_at_a_time(history: History, clock: Clock) -> None:
    made = []
    for _ in range(5):
        clock.now += 1000
        made.append(batch_of(history, [1]))
    first, last = history.queries.batches(size=2), history.queries.batches(page=3, size=2)
    assert [one.id for one in first.items] == [made[4], made[3]]
    assert [one.id for one in last.items] == [made[0]]
    assert (first.total, first.pages, last.number) == (5, 3, 3)
    assert sorted(made) == made
    assert history.queries.batches(page=9).items == ()
    assert history.queries.batches(BatchFilter(text="unknown")).pages == 1


def test_filters_list_only_what_matches(history: History, clock: Clock) -> None:
    file = batch_of(history, [1])
    clock.now += 10_000
    other = TargetSnapshot(**{f: getattr(SHOP, f) for f in SHOP.__slots__} | {"name": "other"})
    form = batch_of(history, [1], source=BatchSource.FORM, target=other)
    settle(history, form, Outcome.REJECTED)

    def found(**where: object) -> list[str]:
        return [one.id for one in history.queries.batches(BatchFilter(**where)).items]  # type: ignore[arg-type]  # a test's shorthand

    assert found() == [form, file]
    assert found(since=clock.now) == [form]
    assert found(until=clock.now) == [file]
    assert found(target="other") == [form]
    assert found(source=BatchSource.FILE) == [file]
    assert found(state=RequestState.REJECTED) == [form]
    assert found(state=RequestState.PENDING, target="other") == []
    assert found(text=file) == [file]
    assert history.queries.target_names() == ["other", "shop"]


@pytest.mark.parametrize("unkeyed", keep_first_quick([set(), {1, 2, 3}, {1}, {2}], 2), ids=str)
@pytest.mark.parametrize(
    "field",
    keep_first_quick(["event_id", "user_id", "profile_id", "another_user_id", "account_id", "product_id"], 2),
)
def test_a_search_finds_each_batch_with_an_id_that_begins_so(history: History, field: str, unkeyed: set[int]) -> None:
    def one(value: str) -> str:
        return history.recorder.record(
            intent(), [request(1, 1, [event(1, **{field: value}), event(2, **{field: value})])]
        )

    first, second, third, _ = one("X-42"), one("X-42"), one("X-421"), one("Y-42")
    unkey(history, unkeyed)
    assert [found.id for found in history.queries.batches(BatchFilter(text="X-42")).items] == [third, second, first]
    assert [found.id for found in history.queries.batches(BatchFilter(text="X-421")).items] == [third]
    assert history.queries.batches(BatchFilter(text="-42")).total == 0
    assert history.queries.batches(BatchFilter(text="x-42")).total == 0
    assert history.queries.batches(BatchFilter(text="X-4%")).total == 0


def plans(history: History, question: Callable[[], object]) -> list[str]:
    """The query plan of SQLite for each statement that a method really runs."""
    statements: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            statements.append((statement, parameters))

    listen(history.database.engine, "before_cursor_execute", note)
    try:
        question()
    finally:
        remove(history.database.engine, "before_cursor_execute", note)
    with history.database.reading() as connection:
        explained = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all() for sql, given in statements]
    return ["\n".join(row.detail for row in rows) for rows in explained]


@pytest.mark.sqlite_only("it reads SQLite's plans")
def test_a_search_reads_no_more_of_a_popular_product_than_its_batches(history: History) -> None:
    batch_of(history, [1])
    searches = [
        plan for plan in plans(history, lambda: history.queries.batches(BatchFilter(text="p1"))) if "events" in plan
    ]
    assert searches
    assert "event_keys USING PRIMARY KEY (kind=? AND value=? AND batch>?)" in searches[0]
    assert "COVERING INDEX events_by_event_id (event_id=? AND batch>?)" in searches[0]
    assert "SEARCH events USING PRIMARY KEY (request=?)" in searches[0]  # those that have no keys
    for plan in searches:
        assert "event_keys USING PRIMARY KEY (kind=? AND value>? AND value<?)" in plan  # what begins so
        assert "COVERING INDEX events_by_event_id (event_id>? AND event_id<?)" in plan
        assert not re.search(r"SCAN (events|event_keys|unkeyed_requests)", plan)


@pytest.mark.sqlite_only("it reads SQLite's plans")
def test_counts_come_from_an_index_alone(history: History) -> None:
    batch = batch_of(history, [1])
    for question in (lambda: history.queries.batch(batch), history.queries.batches):
        counts = [plan for plan in plans(history, question) if plan.startswith("SEARCH requests")]
        assert counts
        assert all("COVERING INDEX requests_work" in plan for plan in counts)


@pytest.mark.sqlite_only("it reads SQLite's plans")
@pytest.mark.parametrize("unkeyed", [set(), {1}], ids=str)
@pytest.mark.parametrize("field", IDENTITY_FIELDS)
def test_a_persons_events_are_found_by_indexes(history: History, field: str, unkeyed: set[int]) -> None:
    send(history, event(1, **{IDENTITY_COLUMNS[field]: "u1"}), target=replace(SHOP, deduplicates=True))
    unkey(history, unkeyed)
    asked = plans(history, lambda: history.persons.interactions(SHOP.key, field, "u1"))
    assert any("event_keys USING PRIMARY KEY (kind=? AND value=?)" in plan for plan in asked)
    assert any("events_by_event_id" in plan for plan in asked)
    assert not any("SCAN events" in plan or "SCAN requests" in plan for plan in asked)
    reading = [plan for plan in asked if "unkeyed_requests" in plan]  # only of these the events
    assert reading
    assert all(plan.startswith("SEARCH events USING PRIMARY KEY (request=?)") for plan in reading)
    assert not any("events_of_row" in plan for plan in asked)


@pytest.mark.parametrize("wrong", ["b_nothing", "", "'"])
def test_a_batch_that_does_not_exist_is_not_found(history: History, wrong: str) -> None:
    with pytest.raises(NotFound):
        history.queries.batch(wrong)
    with pytest.raises(NotFound):
        history.queries.requests(wrong)
    with pytest.raises(NotFound):
        list(history.outcomes.rows(wrong))
    with pytest.raises(NotFound):
        list(history.outcomes.request_intents(wrong, RequestState))


@pytest.mark.parametrize("wrong", ["99", "-1", "x", "", "９", str(2**63), "9" * 400, "1 OR 1=1"])
def test_a_request_that_does_not_exist_is_not_found(history: History, wrong: str) -> None:
    with pytest.raises(NotFound):
        history.queries.request(wrong)


def test_requests_are_paged_and_filtered_by_state(history: History) -> None:
    batch = batch_of(history, [1] * 7, [1] * 3)
    settle_one = history.queue.take(batch, 2, 1)[0]
    history.queue.apply_transitions(
        [AttemptStart(settle_one.id), AttemptEnd(settle_one.id, attempt(Outcome.REJECTED))], owner=ME
    )
    page = history.queries.requests(batch, page=2, size=4)
    assert [one.position for one in page.items] == [5, 6, 7, 1]
    assert (page.total, page.pages) == (10, 3)
    (rejected,) = history.queries.requests(batch, RequestState.REJECTED).items
    assert (rejected.id, rejected.status, rejected.reason, rejected.tries) == (
        settle_one.id,
        400,
        "It was rejected.",
        1,
    )


def test_a_request_has_its_body_its_events_and_its_response(history: History) -> None:
    batch = batch_of(history, [2])
    (work,) = history.queue.take(batch, 1, 10)
    tried = attempt(
        headers=(("content-type", "text/html"),),
        sent_headers=(("content-type", "application/json"),),
        response_body=b"<html>",
        response_length=70_000,
        response_truncated=True,
    )
    history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, tried)], owner=ME)
    found = history.queries.request(work.id)
    assert found.body == work.body
    assert [recorded.event.event_id for recorded in found.events] == ["e1", "e2"]
    assert {recorded.state for recorded in found.events} == {RequestState.ACCEPTED}
    (kept_attempt,) = found.attempts
    assert (kept_attempt.number, kept_attempt.status, kept_attempt.elapsed_ms) == (1, 201, 41.0)
    assert kept_attempt.headers == (("content-type", "text/html"),)
    assert kept_attempt.sent_headers == (("content-type", "application/json"),)
    assert (kept_attempt.response_body, kept_attempt.response_length, kept_attempt.response_truncated) == (
        b"<html>",
        70_000,
        True,
    )
    assert found.summary.batch == batch
    assert found.halves == ()


# ── rows, resends ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_row_of_the_input_has_one_outcome_in_row_order(history: History) -> None:
    spread = [request(lane, 1, [event(row) for row in range(1, 12_001) if row % 3 == lane]) for lane in (0, 1)]
    left = [
        ExcludedRow(row, row + 1, ("event_name",), f"e{row}", "view") for row in range(12_000, 0, -1) if row % 3 == 2
    ]
    batch = history.recorder.record(intent(owner=ME, rows=12_000), spread, left)
    (first,) = history.queue.take(batch, 0, 1)
    history.queue.apply_transitions([AttemptStart(first.id), AttemptEnd(first.id, attempt())], owner=ME)
    rows = list(history.outcomes.rows(batch))
    assert [row.row for row in rows] == list(range(1, 12_001))
    assert {row.state for row in rows if row.row % 3 == 0} == {RequestState.ACCEPTED}
    assert {row.state for row in rows if row.row % 3 == 1} == {RequestState.PENDING}
    assert {(row.state, row.codes) for row in rows if row.row % 3 == 2} == {(None, ("event_name",))}
    assert (rows[2].status, rows[2].tries, rows[2].request, rows[2].line) == (201, 1, first.id, 4)
    assert (rows[1].event_id, rows[1].name, rows[1].when, rows[1].request) == ("e2", "view", None, None)


def test_rows_far_apart_are_all_found(history: History) -> None:
    far = [request(1, 1, [event(row) for row in (5, 10**6, 2**40)])]
    assert [row.row for row in history.outcomes.rows(history.recorder.record(intent(), far))] == [5, 10**6, 2**40]


def test_chosen_requests_are_read_byte_identical_to_be_sent_again(history: History) -> None:
    batch = batch_of(history, [1] * 120, [2])
    for lane in (1, 2):
        for work in history.queue.take(batch, lane, 200):
            outcome = Outcome.NOT_SENT if work.position % 2 else Outcome.ACCEPTED
            history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, attempt(outcome))], owner=ME)
    again = list(history.outcomes.request_intents(batch, [RequestState.NOT_SENT]))
    assert [(one.lane, one.position) for one in again] == [(1, 1), (2, 1), *((1, n) for n in range(2, 61))]
    old = history.queries.requests(batch, RequestState.NOT_SENT, size=100).items
    assert {one.resend_of: one.body for one in again} == {one.id: history.queries.request(one.id).body for one in old}
    second = history.recorder.record(intent(resend_of=batch, owner=ME), again)
    assert history.queries.batch(second).total == 62
    assert [row.row for row in history.outcomes.rows(second)] == [*range(1, 121, 2), 121, 122]


# ── what was sent before ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.ACCEPTED, "accepted on 2026-11-22 12:03 UTC"),
        (Outcome.REJECTED, "rejected on 2026-11-22 12:03 UTC"),
        (Outcome.UNKNOWN, "sent, and may have arrived, on 2026-11-22 12:03 UTC"),
        (Outcome.NOT_SENT, None),
    ],
)
def test_prior_sends_of_an_id_by_outcome(history: History, outcome: Outcome, words: str | None) -> None:
    batch = batch_of(history, [2])
    settle(history, batch, outcome)
    history.control.set_state(batch, BatchState.DONE)
    sent = history.events.prior_sends(SHOP.key, ["e1", "e2", "e3"])
    assert {id_: one.message for id_, one in sent.items()} == ({} if words is None else {"e1": words, "e2": words})
    assert history.events.prior_sends("elsewhere", ["e1"]) == {}


def test_a_line_of_an_order_was_sent_before_where_one_of_its_product_was(history: History) -> None:
    """CONTRACT 2.9: the lines of an order share their id. What may have been any line counts as each."""
    order: dict[str, str | None] = {"name": "Product ordered", "event_id": "o"}
    long = "p" * 600  # is not stored whole
    sent = [
        event(1, **order, product_id="p1"),
        event(2, **order, product_id=long),
        event(3, **order | {"event_id": "unknown"}, product_id=None),
        event(4, event_id="viewed", product_id="p1"),
    ]
    settle(history, history.recorder.record(intent(owner=ME), [request(1, 1, sent)]))
    ids = ("o", "unknown", "viewed", "none")
    asked = [OrderLine(id_, product) for id_ in ids for product in ("p1", "p2", long)]
    found = history.events.prior_sends(SHOP.key, ["o", *asked, "none"])
    certain = ["o", OrderLine("o", "p1"), OrderLine("o", long)]
    assert [key for key, one in found.items() if not one.by_id_alone] == certain
    assert [key for key, one in found.items() if one.by_id_alone] == [
        line for line in asked if line.event_id in ids[1:3]
    ]


def test_a_line_that_was_rejected_is_not_accepted_with_another_line_of_its_order(history: History) -> None:
    line, other = (event(1, name="Product ordered", event_id="o", product_id=product) for product in ("p1", "p2"))
    settle(history, history.recorder.record(intent(owner=ME), [request(1, 1, [line])]), Outcome.REJECTED)
    settle(history, history.recorder.record(intent(owner=ME), [request(1, 1, [other])]))
    found = history.events.prior_sends(SHOP.key, [OrderLine("o", "p1"), OrderLine("o", "p2"), "o"])
    assert [one.state for one in found.values()] == ["accepted", "rejected", "accepted"]
    assert found[OrderLine("o", "p1")].state == "rejected"


def test_what_is_not_sent_is_pending_while_its_batch_may_be_resumed(history: History) -> None:
    batch = batch_of(history, [1])
    settle(history, batch, Outcome.NOT_SENT)
    history.control.set_state(batch, BatchState.PAUSED)
    assert history.events.prior_sends(SHOP.key, ["e1"])["e1"].state == "pending"
    history.control.set_state(batch, BatchState.CANCELLED)
    assert history.events.prior_sends(SHOP.key, ["e1"]) == {}


def test_the_most_certain_prior_send_of_an_id_counts_and_of_equals_the_latest(history: History, clock: Clock) -> None:
    def message() -> str:
        clock.now += 60_000
        return history.events.prior_sends(SHOP.key, iter(["e1"]))["e1"].message

    settle(history, batch_of(history, [1]), Outcome.REJECTED)
    assert message() == "rejected on 2026-11-22 12:03 UTC"
    settle(history, batch_of(history, [1]), Outcome.REJECTED)
    assert message() == "rejected on 2026-11-22 12:04 UTC"
    waiting = batch_of(history, [1])
    settle(history, batch_of(history, [1]), Outcome.REJECTED)
    assert message() == "recorded, to be sent soon, on 2026-11-22 12:05 UTC"
    history.control.set_state(waiting, BatchState.CANCELLED)
    assert message() == "rejected on 2026-11-22 12:05 UTC"
    settle(history, batch_of(history, [1]), Outcome.UNKNOWN)
    assert message() == "sent, and may have arrived, on 2026-11-22 12:07 UTC"
    settle(history, batch_of(history, [1]))
    settle(history, batch_of(history, [1]), Outcome.UNKNOWN)
    settle(history, batch_of(history, [1]), Outcome.REJECTED)
    assert message() == "accepted on 2026-11-22 12:08 UTC"
    settle(history, batch_of(history, [1]))
    assert message() == "accepted on 2026-11-22 12:09 UTC"


def test_thousands_of_ids_are_looked_up_at_once(history: History) -> None:
    settle(history, batch_of(history, [1200]))
    assert len(history.events.prior_sends(SHOP.key, (f"e{n}" for n in range(5000)))) == 1200


def test_batches_of_the_same_file_to_the_same_target_are_found(history: History) -> None:
    first = batch_of(history, [1], digest="abc")
    second = batch_of(history, [1], digest="abc")
    batch_of(history, [1], digest="abd")
    assert [one.id for one in history.queries.batches_of_file("abc", SHOP.key)] == [second, first]
    assert history.queries.batches_of_file("abc", "elsewhere") == []


# ── a person's events ────────────────────────────────────────────────────────────────────────────────────────────────


def send(history: History, *events: EventIntent, outcome: Outcome = Outcome.ACCEPTED, **given: object) -> None:
    batch = history.recorder.record(intent(owner=ME, **given), [request(1, n, [one]) for n, one in enumerate(events)])
    settle(history, batch, outcome)


def test_a_persons_accepted_events_are_in_order_of_arrival(history: History) -> None:
    late = history.recorder.record(
        intent(owner=ME), [request(1, 1, [event(1, product_id="A"), event(2, product_id="B")])]
    )
    send(history, event(3, product_id="C"), event(4, product_id="D", user_id="another"))
    send(history, event(5, product_id="E"), outcome=Outcome.UNKNOWN)
    settle(history, late)
    arrived = history.persons.interactions(SHOP.key, "userId", "u1")
    assert [one.product for one in arrived] == ["C", "A", "B"]
    assert compute_feeds(arrived)[FeedId.VIEWED] == ["B", "A", "C"]
    assert [one.product for one in history.persons.interactions(SHOP.key, "userId", "u1", limit=2)] == ["A", "B"]
    assert history.persons.interactions(SHOP.key, "profileId", "u1") == []
    assert history.persons.interactions("elsewhere", "userId", "u1") == []


def test_a_person_history_has_events_of_every_outcome_and_those_never_sent_last(history: History) -> None:
    waiting = history.recorder.record(intent(owner=ME), [request(1, 1, [event(1, product_id="waits")])])
    send(history, event(2, product_id="A"))
    for product, outcome in (
        ("unknown", Outcome.UNKNOWN),
        ("rejected", Outcome.REJECTED),
        ("not sent", Outcome.NOT_SENT),
    ):
        send(history, event(3, product_id=product), outcome=outcome)
    steps = history.persons.person_history(SHOP.key, "userId", "u1").events
    assert [(step.product, step.state) for step in steps] == [
        ("A", "accepted"),
        ("unknown", "unknown"),
        ("rejected", "rejected"),
        ("not sent", "not sent"),
        ("waits", "pending"),
    ]
    assert [step.product for step in steps if step.may_count] == ["unknown"]
    assert steps[-1].batch == waiting
    assert history.persons.person_history(SHOP.key, "userId", "u1").expected[FeedId.VIEWED] == ["A"]


def test_events_that_are_not_processed_are_no_interactions(history: History) -> None:
    send(history, event(1, event_id=None), event(2, product_id=None), event(3, name="view"), event(4, name=None))
    assert history.persons.interactions(SHOP.key, "userId", "u1") == []


@pytest.mark.parametrize(("deduplicates", "count"), [(True, 2), (False, 5)])
def test_a_repeated_event_counts_once_where_the_target_deduplicates(
    history: History, deduplicates: bool, count: int
) -> None:
    target = TargetSnapshot(**{f: getattr(SHOP, f) for f in SHOP.__slots__} | {"deduplicates": deduplicates})
    order = {"event_id": "o1", "name": "Product ordered"}
    lines = [event(2, **order, product_id="A"), event(3, **order, product_id="B"), event(4, **order, product_id="A")]
    send(history, event(1), *lines, event(1), target=target)  # a request each: only one payload makes an order (2.9)
    assert len(history.persons.interactions(SHOP.key, "userId", "u1")) == count
