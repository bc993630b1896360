"""Log lines: one JSON object each, with facts, and never with what was sent."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from intempt_core.dispatch import send_plan
from intempt_core.logs import configure_logging, write_log
from tests.core.dispatch.factories import decides, make_setup, plan_of
from tests.core.transport.fault_server import hostile, http


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is written as log lines."""
    written, logs = io.StringIO(), [logging.getLogger(name) for name in ("intempt_core", "dbos")]
    before = [(log.level, log.propagate, log.handlers[:]) for log in logs]
    configure_logging(written)
    yield written
    for log, (level, propagate, handlers) in zip(logs, before, strict=True):
        log.level, log.propagate, log.handlers = level, propagate, handlers


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_time_level_event_and_facts(stream: io.StringIO) -> None:
    write_log(logging.getLogger("intempt_core.test"), "something happened", batch="b_1", requests=3)
    (line,) = lines(stream)
    assert str(line.pop("time")).endswith("+00:00")
    assert line == {"level": "info", "event": "something happened", "batch": "b_1", "requests": 3}


def test_an_error_is_logged_with_its_kind_and_place_and_without_its_message(stream: io.StringIO) -> None:
    try:
        raise ValueError('{"eventId": "secret"}')
    except ValueError:
        logging.getLogger("intempt_core.test").exception("broke off")
    (line,) = lines(stream)
    assert (line["level"], line["error"]) == ("error", "ValueError")
    assert str(line["at"]).startswith("['test_logs.py:")
    assert "secret" not in stream.getvalue()


def test_the_engine_is_logged_in_lines_as_well(stream: io.StringIO) -> None:
    try:
        raise ValueError('{"eventId": "secret"}')
    except ValueError:
        logging.getLogger("dbos").exception("a workflow broke off")
    (line,) = lines(stream)
    assert (line["event"], line["error"]) == ("a workflow broke off", "ValueError")
    assert "secret" not in stream.getvalue()


def test_sending_is_logged_step_by_step_without_a_body_a_response_or_a_key(stream: io.StringIO, tmp_path: Path) -> None:
    with hostile(decides(lambda _: http(401, b"the words of the server"))) as server:
        at = make_setup(tmp_path, server.url)
        batch = send_plan(plan_of(30), at.target, settings=at.settings).id
        at.history.close()
    logged = lines(stream)
    events = [line["event"] for line in logged]
    assert events == [
        "sending starts",
        "batch is being sent",
        "breaker opened",
        "batch changes state",
        "sending ends",
    ]
    assert {line["batch"] for line in logged if "batch" in line} == {batch}
    assert logged[3]["state"] == "paused"
    for secret in ("the words", "eventId", "Basic", "sandbox.sandbox"):
        assert secret not in stream.getvalue()
