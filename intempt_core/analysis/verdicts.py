"""Three verdicts on an event, kept apart: well-formed (the contract), accepted (an answer), will matter (processed).

A 2xx says that a request was taken, and no more (CONTRACT 2.6, 3.1, 3.2): so no verdict follows from another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from intempt_core.contract import (
    GivenEvent,
    Issue,
    Severity,
    get_field,
    id_to_text,
    read_identities,
    read_linking_ids,
    shorten_value,
)
from intempt_core.history import EventIntent, EventOccurrence, RequestState
from intempt_core.targets import Target
from intempt_core.transport import SandboxVerdict
from intempt_core.validation import Report


class VerdictTone(StrEnum):
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

    tone: VerdictTone
    label: str
    detail: str = ""
    request: int | None = None

    @property
    def message(self) -> str:
        """Both in a line."""
        return f"{self.label}: {self.detail}" if self.detail else self.label


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
class VerdictContext:
    """What is known beside the events themselves, of one target.

    ``sightings`` are history's at that target, ``words`` the sandbox's (``None`` where none can be asked), both by
    event id. ``seen(field, id)`` is how many events of a person that target has accepted from here, ``None`` where
    that was not looked for.
    """

    target: Target
    sightings: Mapping[str, Sequence[EventOccurrence]]
    sandbox_verdicts: Mapping[str, Sequence[SandboxVerdict]] | None = None
    count_accepted: Callable[[str, str], int | None] = lambda _field, _id: None


def assess_events(
    events: Sequence[GivenEvent], report: Report, context: VerdictContext, rows: Sequence[int]
) -> list[EventVerdicts]:
    """The verdicts on the events of these rows (from 0, sorted)."""
    made = []
    for row, issues in zip(rows, report.issues_by_row(rows), strict=True):
        event = events[row]
        event_id = id_to_text(get_field(event.body, "eventId"))
        product = id_to_text(get_field(event.body, "data.productId"))
        links = read_linking_ids(event.body) or list(read_identities(event.body).items())
        said = [word for word in (context.sandbox_verdicts or {}).get(event_id or "", ()) if word.product_id == product]
        made.append(
            EventVerdicts(
                row + 1,
                event.name if isinstance(event.name, str) else "no name",
                event_id,
                links[0] if links else None,
                _assess_form(issues),
                _assess_acceptance(event, event_id, product, context, said),
                _assess_relevance(event, issues, context, said),
            )
        )
    return made


def _assess_form(issues: Sequence[Issue]) -> Verdict:
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    if errors:
        return Verdict(VerdictTone.BAD, "no", _join_titles(errors))
    return Verdict(VerdictTone.DOUBT, "yes, but", _join_titles(issues)) if issues else Verdict(VerdictTone.FINE, "yes")


def _join_titles(issues: Sequence[Issue]) -> str:
    return ", ".join(dict.fromkeys(issue.kind.title for issue in issues))


_STATE_CERTAINTY = {
    RequestState.ACCEPTED: (4, VerdictTone.GOOD),
    RequestState.UNKNOWN: (3, VerdictTone.DOUBT),
    RequestState.IN_FLIGHT: (2, VerdictTone.NOTHING),
    RequestState.PENDING: (2, VerdictTone.NOTHING),
    RequestState.REJECTED: (1, VerdictTone.BAD),
}
"""How much each state says of an event that was sent more than once, and how it sounds."""


def _assess_acceptance(
    event: GivenEvent,
    event_id: str | None,
    product: str | None,
    context: VerdictContext,
    sandbox_verdicts: Sequence[SandboxVerdict],
) -> Verdict:
    """CONTRACT 3: what the target answered; of several sendings the one that says most."""
    if event_id is None:
        return Verdict(VerdictTone.NOTHING, "not known", "without an event id it cannot be looked up")
    same_id = context.sightings.get(event_id, ())
    same = [one for one in same_id if (one.name, one.product_id) == (_read_recorded_name(event), product)]
    mine = [one for one in same if one.state in _STATE_CERTAINTY]
    if mine:
        best = max(mine, key=lambda one: (_STATE_CERTAINTY[one.state][0], one.when))
        more = [f"answered {best.status}" if best.status else "", f"sent {len(mine)} times" if len(mine) > 1 else ""]
        return Verdict(
            _STATE_CERTAINTY[best.state][1], best.state.value, ", ".join(part for part in more if part), best.request
        )
    if sandbox_verdicts:
        return Verdict(
            VerdictTone.GOOD,
            "accepted",
            f"from {shorten_value(sandbox_verdicts[-1].client) or 'another client'}, not from here",
        )
    if same_id and not same:
        return Verdict(VerdictTone.DOUBT, "not sent", "but another event of its id was")
    return Verdict(VerdictTone.NOTHING, "not sent", f"to {context.target.title} from here")


def _read_recorded_name(event: GivenEvent) -> str | None:
    return EventIntent.from_event(event).name


def _assess_relevance(
    event: GivenEvent, issues: Sequence[Issue], context: VerdictContext, sandbox_verdicts: Sequence[SandboxVerdict]
) -> Verdict:
    """CONTRACT 2.6, 2.9: whether recommendations take it up; the sandbox's own word stands before ours."""
    if sandbox_verdicts:
        return _assess_processing(sandbox_verdicts)
    stopping = [issue for issue in issues if issue.severity is Severity.ERROR and issue.code != "event_id_repeated"]
    if any(issue.code == "timestamp_before_2010" for issue in stopping):
        return Verdict(VerdictTone.BAD, "no", "its time has the whole request rejected")
    if stopping:
        return Verdict(VerdictTone.BAD, "no", _join_titles(stopping))
    if any(issue.code == "event_id_repeated" for issue in issues):
        again = "it is ignored as a repeat" if context.target.deduplicates else "it may count twice"
        return Verdict(VerdictTone.DOUBT, "a repeat", again)
    if any(issue.code == "product_unknown" for issue in issues):
        return Verdict(VerdictTone.DOUBT, "unsure", "its product is not in the catalogue")
    if any(issue.code == "id_placeholder" for issue in issues):
        return Verdict(VerdictTone.DOUBT, "unsure", "an id looks like a placeholder")
    links = read_linking_ids(event.body)
    seen = context.count_accepted(*links[0]) if links else None
    if seen is None:
        return Verdict(VerdictTone.FINE, "nothing against it")
    person = f"its person is known, {seen:,} of its events were accepted" if seen else "its person is new there"
    return Verdict(VerdictTone.FINE, "nothing against it", person)


def _assess_processing(sandbox_verdicts: Sequence[SandboxVerdict]) -> Verdict:
    first = next((word for word in sandbox_verdicts if not word.reason), sandbox_verdicts[0])
    if first.reason:
        return Verdict(VerdictTone.BAD, "not processed", first.reason)
    return Verdict(VerdictTone.GOOD, "processed", "its repeats were not" if len(sandbox_verdicts) > 1 else "")
