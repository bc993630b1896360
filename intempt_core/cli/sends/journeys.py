"""What the command line sends without a file: a journey, saved in the console or in a file, or one event."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from intempt_core.cli.input import InputFile
from intempt_core.contract import Json, build_request_body, join_words, now_ms
from intempt_core.journeys import (
    Journey,
    JourneyEvent,
    JourneyStore,
    build_journey_events,
    find_own_values,
    read_journey_file,
)
from intempt_core.readers import Payload, read_payload


def load_journey(named: str, saved: JourneyStore) -> Journey:
    """The journey of a file, or of a name in the console. Raises :class:`JourneyError`."""
    if Path(named).is_file() or "/" in named or named.endswith(".json"):
        return read_journey_file(Path(named))
    return saved.get(named)


def make_event(name: str) -> Journey:
    """One event by its name, as a journey of nothing else; its name is checked as that of any event."""
    return Journey(name, (JourneyEvent(name),))


def make_journey_input(journey: Journey, sets: Mapping[str, Json]) -> InputFile:
    """The events of a journey with new ids and times, read like any request body."""
    events = build_journey_events(journey, sets, now_ms())
    body = build_request_body(events)
    payload = read_payload(body.decode())
    notes = (
        f"--set {name} is not taken by event {join_words(map(str, numbers))}, which says its own."
        for name, numbers in find_own_values(journey, sets).items()
    )
    return InputFile(journey.name, tuple(notes), sha256(body).hexdigest(), "", None, _restore_digits(payload, events))


def _restore_digits(payload: Payload, events: Sequence[tuple[Json, Mapping[str, Json]]]) -> Payload:
    """The events as they were made: a document that is read keeps of a number what a float holds, and warns of it."""
    bodies = (body for _, body in events)
    return replace(
        payload,
        events=tuple(replace(event, body=body) for event, body in zip(payload.events, bodies, strict=True)),
        issues=tuple(issue for issue in payload.issues if issue.code != "number_precision"),
    )
