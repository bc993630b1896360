"""Three verdicts on an event, kept apart: well-formed (the contract), accepted (an answer), will matter (processed).

A 2xx says that a request was taken, and no more (CONTRACT 2.6, 3.1, 3.2): so no verdict follows from another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from intempt_core.events import GivenEvent, get_field, id_to_text, read_identities, read_linking_ids
from intempt_core.history import EventIntent, RequestState, Sighting
from intempt_core.issues import Issue, Severity, shorten_value
from intempt_core.report import Report
from intempt_core.sandbox_word import Word
from intempt_core.targets import Target


class Tone(StrEnum):
    """How a verdict sounds: ``fine`` nothing is against it, ``good`` it is known, ``nothing`` nobody knows yet."""

    GOOD = "good"
    FINE = "fine"
    DOUBT = "doubt"
    BAD = "bad"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict: a ``word``, and what ``more`` is to be said, which may repeat what others wrote.

    ``request`` is the request of history that it is known from.
    """

    tone: Tone
    word: str
    more: str = ""
    request: int | None = None

    @property
    def words(self) -> str:
        """Both in a line."""
        return f"{self.word}: {self.more}" if self.more else self.word


@dataclass(frozen=True, slots=True)
class EventVerdicts:
    """An event of a payload and the three verdicts on it; ``row`` counts from 1."""

    row: int
    name: str
    event_id: str | None
    person: tuple[str, str] | None
    well_formed: Verdict
    accepted: Verdict
    matters: Verdict


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the events themselves, of one target.

    ``sightings`` are history's at that target, ``words`` the sandbox's (``None`` where none can be asked), both by
    event id. ``seen(field, id)`` is how many events of a person that target has accepted from here, ``None`` where
    that was not looked for.
    """

    target: Target
    sightings: Mapping[str, Sequence[Sighting]]
    words: Mapping[str, Sequence[Word]] | None = None
    seen: Callable[[str, str], int | None] = lambda _field, _id: None


def verdicts_of(events: Sequence[GivenEvent], report: Report, known: Known, rows: Sequence[int]) -> list[EventVerdicts]:
    """The verdicts on the events of these rows (from 0, sorted)."""
    made = []
    for row, issues in zip(rows, report.issues_by_row(rows), strict=True):
        event = events[row]
        event_id = id_to_text(get_field(event.body, "eventId"))
        product = id_to_text(get_field(event.body, "data.productId"))
        links = read_linking_ids(event.body) or list(read_identities(event.body).items())
        said = [word for word in (known.words or {}).get(event_id or "", ()) if word.product_id == product]
        made.append(
            EventVerdicts(
                row + 1,
                event.name if isinstance(event.name, str) else "no name",
                event_id,
                links[0] if links else None,
                _well_formed(issues),
                _accepted(event, event_id, product, known, said),
                _matters(event, issues, known, said),
            )
        )
    return made


def _well_formed(issues: Sequence[Issue]) -> Verdict:
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    if errors:
        return Verdict(Tone.BAD, "no", _titles(errors))
    return Verdict(Tone.DOUBT, "yes, but", _titles(issues)) if issues else Verdict(Tone.FINE, "yes")


def _titles(issues: Sequence[Issue]) -> str:
    return ", ".join(dict.fromkeys(issue.kind.title for issue in issues))


_HOW_SURE = {
    RequestState.ACCEPTED: (4, Tone.GOOD),
    RequestState.UNKNOWN: (3, Tone.DOUBT),
    RequestState.LEAVING: (2, Tone.NOTHING),
    RequestState.PENDING: (2, Tone.NOTHING),
    RequestState.REFUSED: (1, Tone.BAD),
}
"""How much each state says of an event that was sent more than once, and how it sounds."""


def _accepted(
    event: GivenEvent, event_id: str | None, product: str | None, known: Known, said: Sequence[Word]
) -> Verdict:
    """CONTRACT 3: what the target answered; of several sendings the one that says most."""
    if event_id is None:
        return Verdict(Tone.NOTHING, "not known", "without an event id it cannot be looked up")
    same_id = known.sightings.get(event_id, ())
    same = [one for one in same_id if (one.name, one.product_id) == (_kept_name(event), product)]
    mine = [one for one in same if one.state in _HOW_SURE]
    if mine:
        best = max(mine, key=lambda one: (_HOW_SURE[one.state][0], one.when))
        more = [f"answered {best.status}" if best.status else "", f"sent {len(mine)} times" if len(mine) > 1 else ""]
        return Verdict(
            _HOW_SURE[best.state][1], best.state.value, ", ".join(part for part in more if part), best.request
        )
    if said:
        return Verdict(Tone.GOOD, "accepted", f"from {shorten_value(said[-1].client) or 'another client'}, not from here")
    if same_id and not same:
        return Verdict(Tone.DOUBT, "not sent", "but another event of its id was")
    return Verdict(Tone.NOTHING, "not sent", f"to {known.target.title} from here")


def _kept_name(event: GivenEvent) -> str | None:
    return EventIntent.of(event).name


def _matters(event: GivenEvent, issues: Sequence[Issue], known: Known, said: Sequence[Word]) -> Verdict:
    """CONTRACT 2.6, 2.9: whether recommendations take it up; the sandbox's own word stands before ours."""
    if said:
        return _told(said)
    stopping = [issue for issue in issues if issue.severity is Severity.ERROR and issue.code != "event_id_repeated"]
    if any(issue.code == "timestamp_before_2010" for issue in stopping):
        return Verdict(Tone.BAD, "no", "its time has the whole request rejected")
    if stopping:
        return Verdict(Tone.BAD, "no", _titles(stopping))
    if any(issue.code == "event_id_repeated" for issue in issues):
        again = "it is ignored as a repeat" if known.target.deduplicates else "it may count twice"
        return Verdict(Tone.DOUBT, "a repeat", again)
    if any(issue.code == "product_unknown" for issue in issues):
        return Verdict(Tone.DOUBT, "unsure", "its product is not in the catalogue")
    if any(issue.code == "id_placeholder" for issue in issues):
        return Verdict(Tone.DOUBT, "unsure", "an id looks like a placeholder")
    links = read_linking_ids(event.body)
    seen = known.seen(*links[0]) if links else None
    if seen is None:
        return Verdict(Tone.FINE, "nothing against it")
    person = f"its person is known, {seen:,} of its events were accepted" if seen else "its person is new there"
    return Verdict(Tone.FINE, "nothing against it", person)


def _told(said: Sequence[Word]) -> Verdict:
    first = next((word for word in said if not word.because), said[0])
    if first.because:
        return Verdict(Tone.BAD, "not processed", first.because)
    return Verdict(Tone.GOOD, "processed", "its repeats were not" if len(said) > 1 else "")
