"""Three separate verdicts on an event: well-formed (the contract), accepted (a response), matters (processed).

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
    """How a verdict is to be shown.

    ``good``: it is known to be so; ``fine``: nothing is against it; ``doubt`` and ``bad``: something is; ``nothing``:
    nothing is known yet.
    """

    GOOD = "good"
    FINE = "fine"
    DOUBT = "doubt"
    BAD = "bad"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict on one event.

    Attributes:
        tone: How it is to be shown.
        label: The verdict in a word or two.
        detail: What more there is to say; may repeat a text of others.
        request: The number of the request in history that it is known from, ``None`` where there is none.
    """

    tone: VerdictTone
    label: str
    detail: str = ""
    request: int | None = None

    @property
    def message(self) -> str:
        """Label and detail in one line."""
        return f"{self.label}: {self.detail}" if self.detail else self.label


@dataclass(frozen=True, slots=True)
class EventVerdicts:
    """An event of a payload and the three verdicts on it.

    Attributes:
        row: Its number in the payload, from 1.
        name: Its name, or that it has none.
        event_id: Its event id, ``None`` where it has none.
        person: The first (field, id) that links it to a person, ``None`` where none does.
        well_formed: Whether it meets the contract.
        accepted: Whether the target accepted it.
        matters: Whether recommendations take it up.
    """

    row: int
    name: str
    event_id: str | None
    person: tuple[str, str] | None
    well_formed: Verdict
    accepted: Verdict
    matters: Verdict


@dataclass(frozen=True, slots=True)
class VerdictContext:
    """What is known of one target, beside the events themselves.

    Attributes:
        target: The target.
        sightings: What history knows of events at that target, by event id.
        sandbox_verdicts: What the sandbox says of events, by event id; ``None`` where no sandbox can be asked.
        count_accepted: Counts the events of a person (field, id) that the target accepted from here; ``None`` where
            that is not known.
    """

    target: Target
    sightings: Mapping[str, Sequence[EventOccurrence]]
    sandbox_verdicts: Mapping[str, Sequence[SandboxVerdict]] | None = None
    count_accepted: Callable[[str, str], int | None] = lambda _field, _id: None


def assess_events(
    events: Sequence[GivenEvent], report: Report, context: VerdictContext, rows: Sequence[int]
) -> list[EventVerdicts]:
    """Assess the events of these rows (from 0, sorted)."""
    made = []
    for row, found in zip(rows, report.issues_by_row(rows), strict=True):
        event, issues = events[row], [issue for issue in found if issue.rule is None]  # the contract's
        event_id = id_to_text(get_field(event.body, "eventId"))
        product = id_to_text(get_field(event.body, "data.productId"))
        links = read_linking_ids(event.body) or list(read_identities(event.body).items())
        verdicts = (context.sandbox_verdicts or {}).get(event_id or "", ())
        sandbox_verdicts = [verdict for verdict in verdicts if verdict.product_id == product]
        made.append(
            EventVerdicts(
                row + 1,
                event.name if isinstance(event.name, str) else "no name",
                event_id,
                links[0] if links else None,
                _assess_form(issues),
                _assess_acceptance(event, event_id, product, context, sandbox_verdicts),
                _assess_relevance(event, issues, context, sandbox_verdicts),
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
"""How much each state says of an event that was sent more than once, and the tone of it."""


def _assess_acceptance(
    event: GivenEvent,
    event_id: str | None,
    product: str | None,
    context: VerdictContext,
    sandbox_verdicts: Sequence[SandboxVerdict],
) -> Verdict:
    """CONTRACT 3: what the target responded; of several sendings the one that says most."""
    if event_id is None:
        return Verdict(VerdictTone.NOTHING, "not known", "without an event id it cannot be looked up")
    same_id = context.sightings.get(event_id, ())
    same = [one for one in same_id if (one.name, one.product_id) == (_read_recorded_name(event), product)]
    mine = [one for one in same if one.state in _STATE_CERTAINTY]
    if mine:
        best = max(mine, key=lambda one: (_STATE_CERTAINTY[one.state][0], one.when))
        more = [
            "may have arrived" if best.state is RequestState.UNKNOWN else "",
            f"answered {best.status}" if best.status else "",
            f"sent {len(mine)} times" if len(mine) > 1 else "",
        ]
        return Verdict(_STATE_CERTAINTY[best.state][1], best.state.value, ", ".join(filter(None, more)), best.request)
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
    """CONTRACT 2.6, 2.9: whether recommendations take it up; what the sandbox says counts before the rules here."""
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
    first = next((verdict for verdict in sandbox_verdicts if not verdict.reason), sandbox_verdicts[0])
    if first.reason:
        return Verdict(VerdictTone.BAD, "not processed", first.reason)
    return Verdict(VerdictTone.GOOD, "processed", "its repeats were not" if len(sandbox_verdicts) > 1 else "")
