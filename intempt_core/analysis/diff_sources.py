"""Sides of a comparison loaded from history or from a pasted body."""

import re
from itertools import islice

from intempt_core.analysis.diff import DiffSide, build_payload_side
from intempt_core.contract import Json
from intempt_core.errors import NotFound, ReadError
from intempt_core.history import AttemptRecord, BatchSummary, History, RequestState
from intempt_core.readers import JsonText, read_payload

MAX_REQUESTS_COMPARED = 200
"""Requests of a batch that are compared with what is no batch: the first ones. Two batches are compared whole."""

_REFERENCE = re.compile(r"(request|batch|attempt)[\s=:/]+([\w-]+)", re.IGNORECASE)
_VOLATILE_HEADERS = frozenset(("date", "x-request-id", "cf-ray", "age", "etag"))


def load_side(history: History, text: str) -> DiffSide:
    """Load what a text names: ``request 12``, ``batch …``, ``attempt 7``, a link to one of them, or a body itself.

    Raises :class:`NotFound` where history has no such thing, :class:`ReadError` where it is no body either.
    """
    named = _find_reference(text)
    if named is None:
        return build_payload_side("pasted text", read_payload(text))
    kind, id_ = named[1].lower(), named[2]
    if kind == "request":
        return _load_request(history, id_)
    return _load_attempt(history, id_) if kind == "attempt" else _load_batch(history, id_)


def _load_request(history: History, id_: str) -> DiffSide:
    request = history.queries.request(id_)
    last = request.attempts[-1] if request.attempts else None
    facts: dict[str, Json] = {
        "state": request.summary.state.value,
        **({"response": _collect_response(last)} if last else {}),
    }
    return DiffSide(f"request {id_}", facts, _read_events(request.body))


def _load_attempt(history: History, id_: str) -> DiffSide:
    number, _, request_id = id_.partition("-")
    request = history.queries.request(request_id or number)
    wanted = [one for one in request.attempts if not request_id or str(one.number) == number]
    if not wanted:
        raise NotFound(f"Request {request_id} has no attempt {number}.")
    return DiffSide(f"attempt {wanted[-1].number} of request {request.summary.id}", _collect_response(wanted[-1]))


def _load_batch(history: History, id_: str) -> DiffSide:
    batch = history.queries.batch(id_)
    events: list[tuple[Json, Json]] = []
    states = [state for state in RequestState if state is not RequestState.SPLIT]
    for request in islice(history.outcomes.request_intents(id_, states), MAX_REQUESTS_COMPARED):
        events += _read_events(request.body)
    several = sum(batch.requests.values()) > MAX_REQUESTS_COMPARED
    title = f"batch {batch.title}" + (f", its first {MAX_REQUESTS_COMPARED} requests" if several else "")
    return DiffSide(title, collect_batch_facts(batch), events)


def collect_batch_facts(batch: BatchSummary) -> dict[str, Json]:
    """What is compared of a batch beside its events: where it went, and what came of it."""
    return {
        "target": batch.target.track_url,
        "outcomes": {state.value: count for state, count in batch.events.items() if count},
        "events": batch.total,
    }


def find_named_batch(text: str) -> str | None:
    """The id of the batch that a text names (``batch …``, or a link to one); ``None`` where it names something else."""
    named = _find_reference(text)
    return named[2] if named is not None and named[1].lower() == "batch" else None


def _find_reference(text: str) -> re.Match[str] | None:
    is_body = text.lstrip()[:1] in tuple("{[") or "curl" in text[:200]
    return None if is_body else _REFERENCE.search(text[:500])


def _read_events(body: bytes) -> list[tuple[Json, Json]]:
    try:
        payload = read_payload(body.decode("utf-8", "replace"))
    except ReadError:
        return []
    return [(event.name, event.body) for event in payload.events]


def _collect_response(attempt: AttemptRecord) -> dict[str, Json]:
    text = attempt.response_body.decode("utf-8", "replace")
    try:
        body = JsonText(text).value
    except ReadError:
        body = text
    headers = {name.lower(): value for name, value in attempt.headers if name.lower() not in _VOLATILE_HEADERS}
    return {"outcome": attempt.outcome.value, "status": attempt.status, "body": body, "headers": headers}
