"""Webhooks: what is told of a batch, once for each change, signed, tried until it is taken, whatever ends meanwhile."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from intempt_core.contract.outcome import Outcome
from intempt_core.history import AttemptEnd, AttemptStart, BatchState, History, WebhookDelivery
from intempt_core.history.schema import webhook_deliveries
from intempt_core.targets import Target, TargetRegistry
from intempt_core.webhooks import Webhook, WebhookDeliverer, find_webhook
from intempt_core.webhooks.deliverer import GIVE_UP_SECONDS, HOLD_SECONDS, UNKNOWN_WEBHOOK
from intempt_core.webhooks.message import clean_reason
from tests.core.history.factories import ME, SHOP, Clock, attempt, batch_of
from tests.core.transport.fault_server import (
    Connection,
    HostileServer,
    answers,
    closed_port,
    hostile,
    http,
    in_turn,
    says,
)

SECRET = "0123456789abcdef0123"
TOLD = replace(SHOP, announces=True)
OK = http(204)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def url(request: pytest.FixtureRequest, file: Path) -> str:
    """The address of a history on either database."""
    return f"sqlite:///{file}" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def history(url: str, clock: Clock) -> Iterator[History]:
    opened = History.open(url, clock=clock)
    yield opened
    opened.close()


def deliverer(history: History, url: str, secret: str = SECRET, origin: str = "") -> WebhookDeliverer:
    return WebhookDeliverer(history, lambda _: Webhook(url, "SHOP_HOOK", secret), origin=origin, jitter=lambda: 0.0)


def told(history: History, batch: str) -> list[tuple[str, str, int]]:
    """What was to be told of a batch: state, status and tries."""
    return [(one.state.value, one.status, one.tries) for one in history.webhooks.list_for_batch(batch)]


def count_rows(history: History) -> int:
    with history.database.reading() as connection:
        return len(connection.execute(select(webhook_deliveries.c.id)).all())


def verify(server: HostileServer, number: int = 0) -> None:
    """Verify a message as its receiver would, without any code of ours."""
    received = server.received[number]
    signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert received.headers["webhook-signature"] == f"v1,{expected}"


def finish(history: History, batch: str, *outcomes: Outcome) -> None:
    for item, outcome in zip(history.queue.take(batch, 1, 99), outcomes, strict=True):
        history.queue.apply_transitions([AttemptStart(item.id)], owner=ME)
        history.queue.apply_transitions([AttemptEnd(item.id, attempt(outcome))], owner=ME)
    history.control.set_state(batch, BatchState.DONE)


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_end_of_a_batch_is_told_with_its_counts_signed_and_once(history: History, clock: Clock) -> None:
    batch = batch_of(history, [3, 2], target=TOLD)
    finish(history, batch, Outcome.ACCEPTED, Outcome.REJECTED)
    clock.now += 5_000
    with hostile(says(OK)) as server, deliverer(history, server.url, origin="https://console.example") as webhooks:
        assert webhooks.deliver_due() == 1
        assert webhooks.deliver_due() == 0
    (received,) = server.received
    assert (received.method, received.headers["content-type"]) == ("POST", "application/json")
    assert json.loads(received.body) == {
        "type": "batch.done",
        "timestamp": "2026-11-22T12:03:00.000Z",
        "data": {
            "batch": batch,
            "name": "",
            "label": "data.csv",
            "target": "shop",
            "production": True,
            "state": "done",
            "reason": "",
            "confirmed_at": "2026-11-22T12:03:00.000Z",
            "events": {"accepted": 3, "rejected": 2},
            "planned_events": 5,
            "excluded_rows": 0,
            "link": f"https://console.example/history?batch={batch}",
        },
    }
    assert received.headers["webhook-timestamp"] == str(clock.now // 1000)  # receivers reject old ones
    verify(server)
    assert told(history, batch) == [("done", "delivered", 1)]


def test_no_event_no_response_and_no_key_is_in_a_message(history: History) -> None:
    batch = batch_of(history, [1], target=TOLD)
    quoted = "16 requests in a row were rejected. The last response: shop answered 400. It says: “e1 of u1, key a.b”"
    history.control.set_state(batch, BatchState.PAUSED, quoted)
    with hostile(says(OK)) as server, deliverer(history, server.url) as webhooks:
        webhooks.deliver_due()
    message = server.received[0].body.decode()
    assert json.loads(message)["data"]["reason"] == "16 requests in a row were rejected."
    for inside in ("e1", "u1", "p1", "a.b", SHOP.credential_reference, SHOP.track_url, SECRET):
        assert inside not in message.replace(batch, "")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("A person paused it.", "A person paused it."),
        ("Said “one” and “two”.", "Said “…” and “…”."),
        ("It ended in “an open quote", "It ended in “…”"),
        ("Stopped. The last response: “x”", "Stopped."),
    ],
)
def test_a_reason_never_has_the_words_of_a_target(reason: str, expected: str) -> None:
    assert clean_reason(reason) == expected


def test_each_change_is_told_in_its_order_and_sending_is_none(history: History) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED, "A person paused it.")
    history.control.resume(batch)
    history.control.set_state(batch, BatchState.STOPPED, "One lane stopped.")
    history.control.set_state(batch, BatchState.CANCELLED, "A person cancelled it.")
    with hostile(says(OK)) as server, deliverer(history, server.url) as webhooks:
        while webhooks.deliver_due():
            pass
    assert [json.loads(one.body)["type"] for one in server.received] == [
        "batch.paused", "batch.stopped", "batch.cancelled",
    ]  # fmt: skip
    assert len({one.headers["webhook-id"] for one in server.received}) == 3


def test_a_recording_that_ends_half_way_and_a_take_over_that_pauses_are_told(history: History) -> None:
    half = batch_of(history, [1], target=TOLD)
    with history.database.writing() as connection:
        connection.exec_driver_sql("UPDATE batches SET recorder = 'gone', unrecorded = 4")
    assert history.control.stop_recording(half, "gone")
    taken = batch_of(history, [1], target=TOLD, owner="dead", digest="other")
    assert history.queue.claim(taken, ME, "dead", pause="Its process ended.")
    assert told(history, half) == [("stopped", "waiting", 0)]
    assert told(history, taken) == [("paused", "waiting", 0)]
    assert not history.control.stop_recording(half, "gone")
    assert count_rows(history) == 2


def test_nothing_is_kept_for_a_target_without_a_webhook_nor_for_a_change_that_was_not_allowed(
    history: History,
) -> None:
    silent, batch = batch_of(history, [1]), batch_of(history, [1], target=TOLD, digest="other")
    history.control.set_state(silent, BatchState.PAUSED)
    with pytest.raises(Exception, match="is not done"):
        history.control.set_state(batch, BatchState.DONE)
    assert count_rows(history) == 0


# ── until it is taken ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_receiver_that_fails_gets_the_same_message_again_after_longer_and_longer_pauses(
    history: History, clock: Clock
) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    with (
        hostile(in_turn(http(500), http(503), http(302, b"", "Location: http://127.0.0.1/"), OK)) as server,
        deliverer(history, server.url) as webhooks,
    ):
        pauses = []
        for _ in range(3):
            webhooks.deliver_due()
            (waiting,) = history.webhooks.list_for_batch(batch)
            pauses.append(waiting.next_at - clock.now)
            assert webhooks.deliver_due() == 0  # not before its time
            clock.now = waiting.next_at
            history.control.rename(batch, f"name {len(pauses)}")  # what it says stays as it was
        webhooks.deliver_due()
        assert webhooks.deliver_due() == 0
    assert pauses == [5_000, 10_000, 20_000]
    assert told(history, batch) == [("paused", "delivered", 4)]
    assert len({one.headers["webhook-id"] for one in server.received}) == 1
    assert len({one.body for one in server.received}) == 1
    assert len({one.headers["webhook-timestamp"] for one in server.received}) == 4
    for number in range(4):
        verify(server, number)


def test_a_redirect_is_not_followed(history: History) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    with hostile(says(OK)) as inner, hostile(answers(307, b"", f"Location: {inner.url}/")) as server:
        with deliverer(history, server.url) as webhooks:
            webhooks.deliver_due()
        assert inner.connections == 0
    assert "A redirect is not followed" in history.webhooks.list_for_batch(batch)[0].trouble


def test_a_receiver_may_ask_for_more_time_but_not_for_ever(history: History, clock: Clock) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    retry = in_turn(
        http(429, b"", "Retry-After: 120"), http(503, b"", "Retry-After: 99999999"), http(503, b"", "Retry-After: soon")
    )
    with hostile(retry) as server, deliverer(history, server.url) as webhooks:
        for expected in (120_000, 3_600_000, 20_000):
            webhooks.deliver_due()
            (waiting,) = history.webhooks.list_for_batch(batch)
            assert waiting.next_at - clock.now == expected
            clock.now = waiting.next_at


def test_what_a_process_that_was_killed_had_claimed_is_delivered_by_another_one(
    history: History, url: str, clock: Clock
) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    (due,) = history.webhooks.list_due(9)
    assert history.webhooks.claim(due, b"{}", int(HOLD_SECONDS * 1000)) is not None
    assert history.webhooks.claim(due, b"{}", 1) is None  # another one was quicker
    with closing(History.open(url, clock=clock)) as other, hostile(says(OK)) as server:
        with deliverer(other, server.url) as webhooks:
            assert webhooks.deliver_due() == 0
            clock.now += int(HOLD_SECONDS * 1000)
            assert webhooks.deliver_due() == 1
        assert told(other, batch) == [("paused", "delivered", 2)]
        assert server.received[0].body == b"{}"  # the very bytes that the first one may have sent


def test_of_two_processes_at_once_one_delivers(history: History, url: str, clock: Clock) -> None:
    for number in range(6):
        history.control.set_state(batch_of(history, [1], target=TOLD, digest=str(number)), BatchState.PAUSED)
    with closing(History.open(url, clock=clock)) as other, hostile(says(OK)) as server:
        with deliverer(history, server.url) as one, deliverer(other, server.url) as two:
            one.start()
            two.start()
            until(lambda: not history.webhooks.list_due(9))
            until(lambda: len(server.received) >= 6)
        assert len(server.received) == 6
        assert len({received.headers["webhook-id"] for received in server.received}) == 6


def until(holds: Callable[[], bool]) -> None:
    import time

    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_day_later_it_is_given_up_and_says_so(history: History, clock: Clock) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    with deliverer(history, f"http://127.0.0.1:{closed_port()}") as webhooks:
        webhooks.deliver_due()
        clock.now += int(GIVE_UP_SECONDS * 1000) + 1
        webhooks.deliver_due()
    (given_up,) = history.webhooks.list_for_batch(batch)
    assert (given_up.status, given_up.tries) == ("given up", 2)
    assert "cannot be reached" in given_up.trouble


def test_a_receiver_that_is_gone_for_good_is_not_asked_again(history: History) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    with hostile(answers(410)) as server, deliverer(history, server.url) as webhooks:
        webhooks.deliver_due()
    assert told(history, batch) == [("paused", "given up", 1)]


def test_a_process_that_does_not_know_the_webhook_leaves_it_to_others(history: History, clock: Clock) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    stranger = WebhookDeliverer(history, lambda _: None)
    assert stranger.deliver_due() == 0
    assert told(history, batch) == [("paused", "waiting", 0)]
    clock.now += int(GIVE_UP_SECONDS * 1000) + 1
    stranger.deliver_due()
    (given_up,) = history.webhooks.list_for_batch(batch)
    assert (given_up.status, given_up.trouble) == ("given up", UNKNOWN_WEBHOOK)


@pytest.mark.parametrize(
    ("secret", "trouble"),
    [("", "$SHOP_HOOK, which signs it, is not set where it runs."), ("tiny", "$SHOP_HOOK takes a secret of at least")],
)
def test_without_its_secret_nothing_is_sent_unsigned(history: History, secret: str, trouble: str) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    with hostile(says(OK)) as server:
        with deliverer(history, server.url, secret) as webhooks:
            webhooks.deliver_due()
        assert server.connections == 0
    assert history.webhooks.list_for_batch(batch)[0].trouble.startswith(trouble)


def test_neither_the_url_nor_the_secret_is_shown(
    history: History, capfd: pytest.CaptureFixture[str], file: Path
) -> None:
    batch = batch_of(history, [1], target=TOLD)
    history.control.set_state(batch, BatchState.PAUSED)
    hook = f"http://127.0.0.1:{closed_port()}/services/T0KEN?x=T0KEN"
    with deliverer(history, hook) as webhooks:
        webhooks.deliver_due()
    (failed,) = history.webhooks.list_for_batch(batch)
    history.close()
    shown = f"{failed!r} {Webhook(hook, 'V', SECRET)!r} {capfd.readouterr()}"
    for secret in ("T0KEN", SECRET):
        assert secret not in shown
        assert not file.exists() or secret.encode() not in file.read_bytes()


# ── whose webhook it is ──────────────────────────────────────────────────────────────────────────────────────────────

ENVIRONMENT = {
    "CONSOLE_TARGET_SHOP_HOST": "api.intempt.com",
    "CONSOLE_TARGET_SHOP_ORG": "acme",
    "CONSOLE_TARGET_SHOP_PROJECT": "shop",
    "CONSOLE_TARGET_SHOP_SOURCE": "1481727395731910656",
    "CONSOLE_TARGET_SHOP_KEY": "prefix.s3cretS3cret",
    "CONSOLE_TARGET_SHOP_WEBHOOK": "https://hooks.example/console?x=1",
    "CONSOLE_TARGET_SHOP_WEBHOOK_SECRET": "SHOP_HOOK",
    "SHOP_HOOK": SECRET,
}


def due(history: History) -> WebhookDelivery:
    history.control.set_state(batch_of(history, [1], target=TOLD), BatchState.PAUSED)
    return history.webhooks.list_due(1)[0]


def shop(**changed: str) -> list[Target]:
    found = TargetRegistry.from_sources({}, ENVIRONMENT | changed, "http://127.0.0.1:8501/sandbox")
    assert found.problems == ()
    return list(found.all)


def test_a_target_of_the_environment_has_a_webhook_and_names_the_variable_of_its_secret(history: History) -> None:
    found = find_webhook(shop(), due(history), ENVIRONMENT)
    assert found == Webhook("https://hooks.example/console?x=1", "SHOP_HOOK", SECRET)
    assert shop()[1].webhook_host == "hooks.example"
    assert "hooks.example/console" not in repr(shop()[1])


def test_a_target_of_that_name_that_leads_elsewhere_by_now_is_not_told(history: History) -> None:
    delivery = due(history)
    assert find_webhook(shop(CONSOLE_TARGET_SHOP_ORG="other"), delivery, ENVIRONMENT) is None
    assert find_webhook(shop(CONSOLE_TARGET_SHOP_WEBHOOK=""), delivery, ENVIRONMENT) is None


def test_a_receiver_that_responds_a_byte_at_a_time_does_not_hold_up_the_others(history: History) -> None:
    slow, quick = (batch_of(history, [1], target=TOLD, digest=name) for name in ("slow", "quick"))

    async def drip(connection: Connection) -> None:
        await connection.request()
        for byte in b"HTTP/1.1 204 " + b"x" * 1000:
            await connection.send(bytes([byte]))
            await asyncio.sleep(0.05)

    with hostile(drip) as dripping, hostile(says(OK)) as server:
        where = {slow: dripping.url, quick: server.url}
        with WebhookDeliverer(
            history, lambda one: Webhook(where[one.batch], "SHOP_HOOK", SECRET), attempt_seconds=0.5
        ) as webhooks:
            history.control.set_state(slow, BatchState.PAUSED)
            webhooks.deliver_due()
            history.control.set_state(quick, BatchState.PAUSED)
            webhooks.deliver_due()
    assert told(history, slow) == [("paused", "waiting", 1)]
    assert told(history, quick) == [("paused", "delivered", 1)]
