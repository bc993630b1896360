"""What the command line sends without a file: a journey, saved in the console or in a file, or one event."""

from collections.abc import Mapping
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
from intempt_core.readers import read_payload


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
    body = build_request_body(build_journey_events(journey, sets, now_ms()))
    notes = (
        f"--set {name} is not taken by event {join_words(map(str, events))}, which says its own."
        for name, events in find_own_values(journey, sets).items()
    )
    return InputFile(journey.name, tuple(notes), sha256(body).hexdigest(), "", None, read_payload(body.decode()))
