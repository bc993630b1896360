"""What a journey shows: notes, and none where nothing is odd."""

from typing import Any

from intempt_core.analysis.journey_notes import NoteKind, find_notes, format_utc
from intempt_core.contract.fields import EventName
from intempt_core.contract.person_history import PersonEvent, PersonHistory

VIEW, ADD, REMOVE, ORDER = EventName.VIEWED, EventName.ADDED, EventName.REMOVED, EventName.ORDERED
NOON = 1_795_348_980_000
"""2026-11-22 12:03 UTC"""


def step(name: str, product: str, second: int = 0, **more: Any) -> PersonEvent:
    return PersonEvent(name, product, event_id=f"{name}{product}{second}", when=NOON + 1000 * second, **more)


def kinds(*steps: PersonEvent, known: tuple[tuple[str, str], ...] = ()) -> list[NoteKind]:
    return [note.kind for note in find_notes(PersonHistory(steps, known))]


# ── notes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_usual_journey_has_no_notes() -> None:
    assert kinds(*(step(name, "A", n) for n, name in enumerate([VIEW, ADD, REMOVE, ADD, ORDER]))) == []


def test_removed_but_never_added_is_noted_once_for_each_product() -> None:
    assert kinds(step(REMOVE, "A"), step(REMOVE, "A", 1), step(REMOVE, "B", 2), step(ADD, "A", 3)) == [
        NoteKind.NEVER_ADDED,
        NoteKind.NEVER_ADDED,
    ]


def test_ordered_but_never_viewed_is_noted() -> None:
    assert kinds(step(VIEW, "B"), step(ORDER, "A", 1)) == [NoteKind.NEVER_VIEWED]


def test_what_was_not_accepted_makes_no_journey() -> None:
    assert kinds(step(ADD, "A", state="rejected"), step(REMOVE, "A", 1)) == [NoteKind.NEVER_ADDED]
    assert kinds(step(REMOVE, "A", reason="It has no event id.")) == []


def test_one_person_under_two_ids_is_noted_and_a_placeholder_is_no_id() -> None:
    assert kinds(known=(("userId", "u1"), ("profileId", "p1"))) == []
    assert kinds(known=(("userId", "u1"), ("userId", "null"))) == []
    (note,) = find_notes(PersonHistory((), (("userId", "u1"), ("userId", "u2"), ("profileId", "p1"))))
    assert note.kind is NoteKind.TWO_IDS
    assert "“u1”, “u2”" in note.message


def test_an_event_that_arrived_after_what_happened_later_is_noted_with_how_many_more() -> None:
    late = [step(VIEW, "A", 0, timestamp=NOON), step(ADD, "B", 1, timestamp=NOON - 5000), step(VIEW, "C", 2)]
    late.append(step(ADD, "D", 3, timestamp=NOON - 1))
    (note,) = find_notes(PersonHistory(tuple(late), ()))
    assert note.kind is NoteKind.TIME_ORDER
    assert "“B” happened at 2026-11-22 12:02:55 UTC" in note.message
    assert note.message.endswith("So did 1 more.")


def test_a_time_that_no_calendar_has_is_its_number() -> None:
    assert format_utc(10**18) == "1,000,000,000,000,000,000 ms"
