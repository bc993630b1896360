"""A pasted body of 1 MB: from its text to marked problems, over reading and validating it with the model."""

import json
from contextlib import suppress
from typing import Any

from tests.bench.harness import Figures, alternating, bench, fresh

BYTES = 1_000_000


def body(bad: int = 20) -> str:
    """A request body of about 1 MB as applications write it; one event in ``bad`` is wrong in one of five ways."""
    faults: list[dict[str, Any]] = [
        {"userId": None},
        {"timestamp": 1664582400},
        {"eventId": " spaced "},
        {"data": {"productID": "p"}},
        {"eventId": 1487580005268456287},
    ]
    events: list[dict[str, Any]] = []
    size = 0
    while size < BYTES:
        number = len(events)
        event: dict[str, Any] = {
            "eventId": f"evt_{number:08}",
            "userId": f"14875800052{number % 997:08}",
            "sessionId": f"s-{number % 499}",
            "timestamp": 1_664_582_400_000 + number,
            "data": {"productId": f"SKU_{number % 4999}", "price": number % 1000 / 4, "currency": "EUR"},
        }
        if number % bad == 0:
            event |= faults[number // bad % len(faults)]
        events.append(event)
        size += len(json.dumps(event)) + 40
    return json.dumps({"track": [{"name": "Product viewed", "payload": events}]}, indent=1)


@bench("inspect.body", at_most=6)
def inspect_body() -> Figures:
    """Median of five fresh processes a side, the reading alone measured."""
    ours, model = alternating(
        lambda: float(fresh("tests.bench.bench_inspect:ours")),
        lambda: float(fresh("tests.bench.bench_inspect:model")),
        times=5,
    )
    return {"ratio": ours / model, "inspect_s": ours, "model_s": model, "body_bytes": len(body())}


def ours() -> float:
    """Seconds from the text to every problem with its line, column and mark, and the lines that a screen draws."""
    import time

    from intempt_core.readers.payload import read_payload
    from intempt_core.validation.annotations import MAX_LINES_DRAWN, annotate_issues, annotate_lines
    from intempt_core.validation.check import check_events

    text = body()
    check_events(read_payload("{}").events)  # what Arrow imports when it is first asked
    started = time.perf_counter()
    payload = read_payload(text)
    issues = check_events(payload.events, None, payload.issues).issues(limit=1_000_000)
    marks = annotate_issues(payload, issues)
    places = [payload.line_column(mark.at) for mark in marks]
    lines = annotate_lines(payload.text, marks, 1, MAX_LINES_DRAWN)
    taken = time.perf_counter() - started
    if not (len(places) == len(issues) > 100 and len(lines) == MAX_LINES_DRAWN):
        raise RuntimeError("the problems that were put into the body were not found")
    return taken


def model() -> float:
    """Seconds of ``json.loads`` and the model's validation of the same text."""
    import time

    from pydantic import ValidationError

    from intempt_core.contract.model import TrackRequest

    text = body()
    with suppress(ValidationError):
        TrackRequest.model_validate({"track": [{"payload": [{}]}]})
    started = time.perf_counter()
    with suppress(ValidationError):  # the same problems
        TrackRequest.model_validate(json.loads(text))
    return time.perf_counter() - started
