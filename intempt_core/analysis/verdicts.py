"""Three separate verdicts on an event: valid (the contract), accepted (a response), takes effect (processed).

A 2xx says that a request was taken, and no more (CONTRACT 2.6, 3.1, 3.2): so no verdict follows from another. Whether
an event takes effect depends on who used its id before: ``id_uses.py`` finds that out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from intempt_core.analysis.id_uses import IdUse, IdUses, find_id_uses, find_order_lines
from intempt_core.analysis.journey_notes import TimeFormatter, format_utc
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
from intempt_core.history import EventOccurrence, RequestState
from intempt_core.targets import Target
from intempt_core.transport import SandboxArrival
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
        valid: Whether it meets the contract.
        accepted: Whether the target accepted it.
        effect: Whether recommendations take it up.
        arrival: The number of this event at the sandbox, ``None`` where it is not known to be there.
        first_use: The number at the sandbox of the other event that used its id before, ``None`` where none is known.
    """

    row: int
    name: str
    event_id: str | None
    person: tuple[str, str] | None
    valid: Verdict
    accepted: Verdict
    effect: Verdict
    arrival: int | None = None
    first_use: int | None = None


@dataclass(frozen=True, slots=True)
class VerdictContext:
    """What is known of one target, beside the events themselves.

    Attributes:
        target: The target.
        sightings: What history knows of events at that target, by event id.
        arrivals: What arrived at the sandbox from any client, by event id; ``None`` where no sandbox can be asked.
        count_accepted: Counts the events of a person (field, id) that the target accepted from here; ``None`` where
            that is not known.
        deduplicates: Whether the target ignores repeated event ids at present, ``None`` for what it promises.
        is_pseudonymous: Whether the events' identities are pseudonyms, so that they say nothing about who sent them.
        format_time: Writes epoch milliseconds as the screen does.
    """

    target: Target
    sightings: Mapping[str, Sequence[EventOccurrence]]
    arrivals: Mapping[str, Sequence[SandboxArrival]] | None = None
    count_accepted: Callable[[str, str], int | None] = lambda _field, _id: None
    deduplicates: bool | None = None
    is_pseudonymous: bool = False
    format_time: TimeFormatter = format_utc

    @property
    def ignores_repeats(self) -> bool:
        """Whether the target ignores an event whose id it already has."""
        return self.target.deduplicates if self.deduplicates is None else self.deduplicates


def assess_events(
    events: Sequence[GivenEvent], report: Report, context: VerdictContext, rows: Sequence[int]
) -> list[EventVerdicts]:
    """Assess the events of these rows (from 0, sorted)."""
    made, line_ids = [], find_order_lines(events)
    for row, found in zip(rows, report.issues_by_row(rows), strict=True):
        event, issues = events[row], [issue for issue in found if issue.rule is None]  # the contract's
        links = read_linking_ids(event.body) or list(read_identities(event.body).items())
        event_id = id_to_text(get_field(event.body, "eventId"))
        uses = find_id_uses(
            event,
            context.sightings.get(event_id or "", ()),
            None if context.arrivals is None else context.arrivals.get(event_id or "", ()),
            is_order_line=row in line_ids,
            is_pseudonymous=context.is_pseudonymous,
        )
        other = uses.certain
        made.append(
            EventVerdicts(
                row + 1,
                event.name if isinstance(event.name, str) else "no name",
                event_id,
                links[0] if links else None,
                _assess_form(issues),
                _assess_acceptance(event_id, context, uses),
                _assess_effect(event, issues, context, uses),
                uses.own_arrivals[0].seq if uses.own_arrivals else None,
                other.arrival if other else None,
            )
        )
    return made


def _assess_form(issues: Sequence[Issue]) -> Verdict:
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    if errors:
        return Verdict(VerdictTone.BAD, "not valid", _join_titles(errors))
    if issues:
        return Verdict(VerdictTone.DOUBT, "with warnings", _join_titles(issues))
    return Verdict(VerdictTone.FINE, "valid")


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


def _assess_acceptance(event_id: str | None, context: VerdictContext, uses: IdUses) -> Verdict:
    """CONTRACT 3: what the target responded; of several sendings the one that says most."""
    if event_id is None:
        return Verdict(VerdictTone.NOTHING, "not known", "without an event id it cannot be looked up")
    mine = [one for one in uses.own_sightings if one.state in _STATE_CERTAINTY]
    if mine:
        best = max(mine, key=lambda one: (_STATE_CERTAINTY[one.state][0], one.when))
        more = [
            "may have arrived" if best.state is RequestState.UNKNOWN else "",
            context.format_time(best.when),
            f"status {best.status}" if best.status else "",
            f"sent {len(mine)} times" if len(mine) > 1 else "",
        ]
        return Verdict(_STATE_CERTAINTY[best.state][1], best.state.value, ", ".join(filter(None, more)), best.request)
    if uses.own_arrivals:
        last = uses.own_arrivals[-1]
        client = shorten_value(last.client) or "another client"
        return Verdict(
            VerdictTone.GOOD, "accepted", f"{context.format_time(last.received_at)}, from {client}, not from here"
        )
    if uses.others and not uses.own_sightings:
        return Verdict(VerdictTone.DOUBT, "not sent", "but another event of its id was")
    return Verdict(VerdictTone.NOTHING, "not sent", f"to {context.target.title} from here")


def _assess_effect(event: GivenEvent, issues: Sequence[Issue], context: VerdictContext, uses: IdUses) -> Verdict:
    """CONTRACT 2.6, 2.9: whether recommendations take it up; what the sandbox says counts before the rules here."""
    if uses.own_arrivals:
        return _assess_processing(context, uses)
    stopping = [issue for issue in issues if issue.severity is Severity.ERROR and issue.code != "event_id_repeated"]
    if any(issue.code == "timestamp_before_2010" for issue in stopping):
        return Verdict(VerdictTone.BAD, "no", "its time has the whole request rejected")
    if stopping:
        return Verdict(VerdictTone.BAD, "no", _join_titles(stopping))
    if uses.others or any(issue.code == "event_id_repeated" for issue in issues):
        return _assess_used_id(context, uses)
    codes = {issue.code for issue in issues}
    doubt = next((sentence for code, sentence in _DOUBTS.items() if code in codes), None)
    if doubt is not None:
        return Verdict(VerdictTone.DOUBT, "unsure", doubt)
    return Verdict(VerdictTone.FINE, "expected to be processed", _describe_expectation(event, context, uses))


_DOUBTS = {
    "product_unknown": "its product is not in the catalogue",
    "id_placeholder": "an id looks like a placeholder",
}
"""Warnings that make it unsure whether an event takes effect, and why."""


def _describe_expectation(event: GivenEvent, context: VerdictContext, uses: IdUses) -> str:
    """What more is known of an event with nothing against it."""
    if context.arrivals is None and any(one.state is RequestState.ACCEPTED for one in uses.own_sightings):
        again = "is ignored" if context.ignores_repeats else "counts twice"
        return f"the target does not say more; if it is sent again, it {again}"
    if context.is_pseudonymous:
        return "the identities are pseudonyms, so its user is not looked up"
    links = read_linking_ids(event.body)
    seen = context.count_accepted(*links[0]) if links else None
    if seen is None:
        return ""
    return f"known user, {seen:,} of its events were accepted" if seen else "new user"


def _assess_used_id(context: VerdictContext, uses: IdUses) -> Verdict:
    """CONTRACT 2.2, 3.7: another event has the id, or may have it."""
    ignored, use = context.ignores_repeats, uses.possible
    if use is None:
        label, tone = ("will be ignored", VerdictTone.BAD) if ignored else ("may count twice", VerdictTone.DOUBT)
        above = "it repeats the event id of an event above"
        return Verdict(tone, label, _describe_use(context, uses.certain) if uses.certain else above)
    state = "may have arrived" if use.state is RequestState.UNKNOWN else "is not over yet"
    sent = f"an event of {_name_user(use)} with its id was sent {context.format_time(use.when)} and {state}"
    return Verdict(VerdictTone.DOUBT, "may be ignored" if ignored else "may count twice", sent)


def _describe_use(context: VerdictContext, use: IdUse) -> str:
    return f"its event id was used {context.format_time(use.when)} by {_name_user(use)}"


def _name_user(use: IdUse) -> str:
    return shorten_value(use.person) if use.person else "an event without an identity"


def _assess_processing(context: VerdictContext, uses: IdUses) -> Verdict:
    """What the sandbox says of this very event."""
    if any(one.processed for one in uses.own_arrivals):
        return Verdict(VerdictTone.GOOD, "processed", "its repeats were not" if len(uses.own_arrivals) > 1 else "")
    first = uses.own_arrivals[0]
    if first.repeat_of is not None and uses.certain is not None:
        return Verdict(VerdictTone.BAD, "ignored", _describe_use(context, uses.certain))
    return Verdict(VerdictTone.BAD, "ignored", first.reason)
