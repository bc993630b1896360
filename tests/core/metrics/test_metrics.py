"""Metrics: what was sent, how long it took and what waits, read back as Prometheus reads it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from intempt_core.contract.outcome import Outcome
from intempt_core.dispatch import Dispatcher, SendingEnvironment
from intempt_core.errors import SettingsError
from intempt_core.history import AttemptEnd, AttemptStart, BatchState, History
from intempt_core.metrics import MetricsPage, serve_metrics
from intempt_core.metrics.state_collector import KEEP_SECONDS, StateCollector
from intempt_core.settings import Settings
from intempt_core.targets import Target
from intempt_core.web import MetricsToken
from tests.core.history.factories import ME, SHOP, Clock, attempt, batch_of

Samples = dict[tuple[str, ...], float]


def never(_: object) -> Target:
    raise AssertionError


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def history(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[History]:
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'history.sqlite3'}" if is_file else request.getfixturevalue("postgres_url")
    opened = History.open(url, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def dispatcher(history: History, tmp_path: Path) -> Dispatcher:
    return Dispatcher(history, SendingEnvironment(Settings(data=tmp_path), never), owner=ME)


@pytest.fixture
def page(history: History, dispatcher: Dispatcher) -> MetricsPage:
    return MetricsPage(history, dispatcher, "1.2")


def read(page: MetricsPage, *, everything: bool = True) -> Samples:
    """Every sample of the page, by its name and the values of its labels, ``le`` the last."""
    text, media_type = page.render("text/plain", everything=everything)
    assert media_type.startswith("text/plain")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items(), reverse=True))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def send(history: History, batch: str, *outcomes: Outcome, again: int | None = None) -> None:
    """Try the batch's next requests, one after another, each with an outcome; each takes 41 ms."""
    (lane,) = (lane.lane for lane in history.queue.lanes(batch))
    for item, outcome in zip(history.queue.take(batch, lane, len(outcomes)), outcomes, strict=True):
        assert not history.queue.apply_transitions([AttemptStart(item.id)], owner=ME)
        assert not history.queue.apply_transitions([AttemptEnd(item.id, attempt(outcome), again)], owner=ME)


def test_outcomes_are_counted_in_events_and_timed_in_attempts(history: History, page: MetricsPage) -> None:
    batch = batch_of(history, [3, 2, 1])
    send(history, batch, Outcome.ACCEPTED, Outcome.REJECTED)
    found = read(page)
    assert {outcome: found["event_console_events_total", outcome.value] for outcome in Outcome} == {
        Outcome.ACCEPTED: 3, Outcome.REJECTED: 2, Outcome.UNKNOWN: 0, Outcome.NOT_SENT: 0,
    }  # fmt: skip
    assert found["event_console_attempt_seconds_count", "accepted"] == 1
    assert found["event_console_attempt_seconds_sum", "rejected"] == pytest.approx(0.041)
    assert found["event_console_attempt_seconds_bucket", "accepted", "0.02"] == 0  # 41 ms are more
    assert found["event_console_attempt_seconds_bucket", "accepted", "0.05"] == 1


def test_an_attempt_that_is_tried_again_is_timed_and_its_events_are_not_counted_yet(
    history: History, page: MetricsPage, clock: Clock
) -> None:
    batch = batch_of(history, [5])
    send(history, batch, Outcome.NOT_SENT, again=clock.now)
    assert read(page)["event_console_attempt_seconds_count", "not sent"] == 1
    assert read(page)["event_console_events_total", "not sent"] == 0
    send(history, batch, Outcome.ACCEPTED)
    assert read(page)["event_console_events_total", "accepted"] == 5


def test_what_a_process_left_in_flight_counts_as_unknown_and_has_no_time(history: History, page: MetricsPage) -> None:
    batch = batch_of(history, [4])
    (item,) = history.queue.take(batch, 1, 1)
    history.queue.apply_transitions([AttemptStart(item.id)], owner=ME)
    assert history.queue.in_flight_to_unknown(batch, owner=ME) == 1
    assert read(page)["event_console_events_total", "unknown"] == 4
    assert read(page)["event_console_attempt_seconds_count", "unknown"] == 0


def test_an_outcome_of_a_request_that_was_lost_meanwhile_counts_as_overtaken(
    history: History, page: MetricsPage
) -> None:
    batch = batch_of(history, [4])
    (item,) = history.queue.take(batch, 1, 1)
    history.queue.apply_transitions([AttemptStart(item.id)], owner=ME)
    assert history.queue.claim(batch, "other", ME)
    history.queue.in_flight_to_unknown(batch, owner="other")
    assert history.queue.apply_transitions([AttemptEnd(item.id, attempt(Outcome.ACCEPTED))], owner=ME) == {item.id}
    assert read(page)["event_console_overtaken_attempts_total",] == 1
    assert read(page)["event_console_events_total", "accepted"] == 0


def test_the_queue_says_how_much_waits_and_for_how_long(history: History, dispatcher: Dispatcher, clock: Clock) -> None:
    now = 0.0
    page = StateCollector(history, dispatcher, lambda: now)

    def queue() -> Samples:
        nonlocal now
        now += KEEP_SECONDS
        return {
            (sample.name.removeprefix("event_console_"), *sample.labels.values()): sample.value
            for family in page.collect()
            if "queue" in family.name
            for sample in family.samples
        }

    assert set(queue().values()) == {0}
    first = batch_of(history, [1, 1], [1])
    clock.now += 90_000
    batch_of(history, [1])
    assert queue() == {
        ("queue_batches",): 2, ("queue_requests", "pending"): 4, ("queue_requests", "in flight"): 0,
        ("queue_oldest_pending_seconds",): 90,
    }  # fmt: skip
    (one, *_) = history.queue.take(first, 1, 1)
    history.queue.apply_transitions([AttemptStart(one.id)], owner=ME)
    assert (queue()["queue_requests", "in flight"], queue()["queue_requests", "pending"]) == (1, 3)
    history.control.set_state(first, BatchState.PAUSED)  # a person wants it to wait
    assert (queue()["queue_batches",], queue()["queue_oldest_pending_seconds",]) == (1, 0)


def test_however_often_it_is_read_the_database_is_asked_once_in_some_seconds(
    history: History, dispatcher: Dispatcher
) -> None:
    page = StateCollector(history, dispatcher, lambda: 1.0)
    list(page.collect())
    batch_of(history, [1])
    assert next(one for one in page.collect() if one.name.endswith("queue_batches")).samples[0].value == 0


def test_recordings_and_transactions_are_timed(history: History, page: MetricsPage) -> None:
    before = read(page)["event_console_database_seconds_count", "write"]
    batch_of(history, [3, 4])
    found = read(page)
    assert found["event_console_recorded_events_total",] == 7
    assert found["event_console_recording_seconds_count",] == 1
    assert found["event_console_database_seconds_count", "write"] > before
    assert found["event_console_database_failures_total", "write"] == 0


def test_while_the_database_is_away_the_rest_is_still_said(history: History, page: MetricsPage, tmp_path: Path) -> None:
    if history.database.file is None:
        pytest.skip("a server that is away: tests/core/history/test_postgres.py")
    (tmp_path / "history.sqlite3").rename(tmp_path / "away")
    found = read(page)
    assert found["event_console_database_up",] == 0
    assert found["event_console_healthy",] == 0
    assert found["event_console_database_failures_total", "read"] >= 1
    assert ("event_console_queue_batches",) not in found  # unknown is not 0
    assert ("event_console_sending_batches",) in found


def test_who_has_not_signed_in_learns_only_whether_all_is_well(page: MetricsPage) -> None:
    assert read(page, everything=False) == {("event_console_healthy",): 0}  # nothing is started


def test_the_number_of_series_is_known_and_no_label_comes_from_outside(history: History, page: MetricsPage) -> None:
    series = set(read(page))
    for number in range(20):
        batch = batch_of(history, [1], label=f"label-{number}.csv", target=SHOP)
        send(history, batch, Outcome.ACCEPTED)
    assert set(read(page)) == series
    text = page.render("", everything=True)[0].decode()
    for inside in (batch, "label-", SHOP.name, SHOP.host, ME, "e1"):
        assert f'"{inside}' not in text


def test_open_metrics_is_written_where_it_is_asked_for(page: MetricsPage) -> None:
    text, media_type = page.render("application/openmetrics-text; version=1.0.0", everything=True)
    assert media_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


def test_each_metric_says_what_it_is(page: MetricsPage) -> None:
    text = page.render("", everything=True)[0].decode()

    def list_names(kind: str) -> set[str]:
        lines = [line.split() for line in text.splitlines() if line.startswith(f"# {kind} event_console")]
        return {words[2] for words in lines if len(words) > 3}

    ours = list_names("TYPE")
    assert ours == list_names("HELP")
    assert len(ours) >= 12


# ── a process that serves nothing else ───────────────────────────────────────────────────────────────────────────────

TOKEN = "0123456789abcdef"


def ask(port: int, path: str = "/metrics", **headers: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers)


def test_a_worker_serves_its_metrics_to_its_own_machine_and_to_who_has_the_token(page: MetricsPage) -> None:
    with serve_metrics(page, MetricsToken(TOKEN), "127.0.0.1", 0) as port:
        assert "event_console_queue_batches 0.0" in ask(port).text
        assert "event_console_queue_batches 0.0" in ask(port, Host=f"localhost:{port}").text
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example"):
            assert "queue" not in ask(port, Host=host).text
            assert "event_console_healthy 0.0" in ask(port, Host=host).text
        assert "queue" in ask(port, Host="worker-1", Authorization=f"Bearer {TOKEN}").text
        assert (ask(port, "/healthz").status_code, ask(port, "/healthz").text) == (503, '{"status":"unavailable"}')
        assert ask(port, "/x").status_code == 404


def test_at_an_address_of_others_a_worker_says_no_more_than_whether_all_is_well_without_the_token(
    page: MetricsPage,
) -> None:
    with serve_metrics(page, MetricsToken(""), "0.0.0.0", 0) as port:  # noqa: S104
        assert "queue" not in ask(port).text
        assert "queue" not in ask(port, Authorization="Bearer").text


def test_a_port_that_is_taken_is_a_sentence(page: MetricsPage) -> None:
    with (
        serve_metrics(page, MetricsToken(""), "127.0.0.1", 0) as port,
        pytest.raises(
            SettingsError, match=f"Metrics cannot be served at 127.0.0.1, port {port}: Address already in use"
        ),
        serve_metrics(page, MetricsToken(""), "127.0.0.1", port),
    ):
        pass
