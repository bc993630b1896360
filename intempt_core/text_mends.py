"""What is certain to mend in a pasted text, as small edits that leave everything else byte for byte as it is.

Certain is what leaves one way only: a key spelled otherwise, a name in another case, seconds where milliseconds belong.
A guess is not made. Edits are places in the pasted text, also where the document stands inside a command's quotes.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from intempt_core.curl import parse_curl_command
from intempt_core.events import (
    EARLIEST_MS,
    IDENTITY_FIELDS,
    LATEST_MS,
    BLANK_CHARACTERS,
    EventName,
    Json,
    id_to_text,
)
from intempt_core.issues import Issue
from intempt_core.json_text import TEXT_LINE_END, JsonNode
from intempt_core.marking import Mark, marks_of, visible
from intempt_core.payloads import Payload
from intempt_core.shell import UnclosedQuote

_MISSING = frozenset(("product_id_missing", "event_id_missing", "identity_missing"))

AROUND = 48
"""Characters beside an edit that its difference shows."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands from ``at`` to ``end`` becomes ``new``."""

    at: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Mend:
    """A way to mend one problem: what is done, its edits in the pasted text, and the same inside the document."""

    title: str
    edits: tuple[Edit, ...]
    inside: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One edit as a difference: its line, and in four ``parts`` what stands before it, goes, comes and stands after.

    The surroundings are cut to :data:`AROUND`, and everything in them that nobody sees is written out.
    """

    line: int
    parts: tuple[str, str, str, str]

    @property
    def before(self) -> str:
        """As it is."""
        head, gone, _, tail = self.parts
        return head + gone + tail

    @property
    def after(self) -> str:
        """As it would be."""
        head, _, new, tail = self.parts
        return head + new + tail


def mend_of(payload: Payload, issue: Issue) -> Mend | None:
    """How an issue can be mended for certain; ``None`` where a person has to know more."""
    draft = _DRAFTS.get(issue.code)
    made = draft(_At(payload, issue)) if draft else None
    if made is None:
        return None
    title, edits = made
    source = payload.source
    outside = tuple(Edit(*source.text_span(one.at, one.end), source.quote_for(one.at, one.new)) for one in edits)
    return Mend(title, outside, tuple(edits))


def marks_with(payload: Payload, issues: Sequence[Issue], mends: Mapping[int, Mend]) -> list[Mark]:
    """The marks of some issues; what is missing and stands elsewhere under another name is marked where it stands."""
    marks = [
        replace(mark, at=mends[mark.number].edits[0].at, end=mends[mark.number].edits[0].end)
        if mark.number in mends and issues[mark.number].code in _MISSING
        else mark
        for mark in marks_of(payload, issues)
    ]
    return sorted(marks, key=attrgetter("at"))


def mended(payload: Payload, mends: Iterable[Mend]) -> str | None:
    """The pasted text with these mends in it; of edits that lie over each other the first one is taken.

    ``None`` where the command around the document would read as something else afterwards.
    """
    chosen = list(mends)
    text = _applied(payload.text, _apart(edit for mend in chosen for edit in mend.edits))
    if payload.source.value == payload.text:
        return text
    document = _applied(payload.source.value, _apart(edit for mend in chosen for edit in mend.inside))
    try:
        body = parse_curl_command(text).body
    except UnclosedQuote:
        return None
    return text if body is not None and body.value == document else None


def differences(text: str, mends: Iterable[Mend]) -> list[Change]:
    """What would change, edit by edit, in the text's order."""
    changes = []
    for edit in _apart(edit for mend in mends for edit in mend.edits):
        ends = list(TEXT_LINE_END.finditer(text, 0, edit.at))
        start = max(ends[-1].end() if ends else 0, edit.at - AROUND)
        behind = TEXT_LINE_END.search(text, edit.end)
        stop = min(behind.start() if behind else len(text), edit.end + AROUND)
        head, tail = text[start : edit.at], text[edit.end : stop]
        head, gone, new, tail = map(visible, (head, text[edit.at : edit.end], edit.new, tail))
        changes.append(Change(len(ends) + 1, (head, gone, new, tail)))
    return changes


def _apart(edits: Iterable[Edit]) -> list[Edit]:
    kept: list[Edit] = []
    for edit in sorted(set(edits), key=lambda edit: (edit.at, edit.end)):
        if not kept or edit.at >= kept[-1].end:
            kept.append(edit)
    return kept


def _applied(text: str, edits: Sequence[Edit]) -> str:
    pieces, at = [], 0
    for edit in edits:
        pieces += [text[at : edit.at], edit.new]
        at = edit.end
    return "".join([*pieces, text[at:]])


# ── one issue at its place ───────────────────────────────────────────────────────────────────────────────────────────

_Draft = tuple[str, list[Edit]]
"""The words, and edits in the document (not yet in the text around it)."""


class _At:
    """An issue in its document: its node, and the event that it belongs to."""

    def __init__(self, payload: Payload, issue: Issue) -> None:
        self.payload, self.issue = payload, issue
        self.document = payload.document
        self.node, self.exact = self.document.find(issue.place.pointer)

    @property
    def literal(self) -> str:
        """The value as it is written."""
        return self.document.text[self.node.at : self.node.end]

    @property
    def value(self) -> Json:
        return json.loads(self.literal) if self.exact and self.literal[:1] not in ("{", "[") else None

    @property
    def event(self) -> tuple[JsonNode, Mapping[str, Json]] | None:
        """The event's object, where it is one."""
        row = self.issue.place.row
        if row is None:
            return None
        event = self.payload.events[row - 1]
        node, exact = self.document.find(event.place.pointer)
        return (node, event.body) if exact and isinstance(event.body, Mapping) else None

    def instead(self, new: str) -> list[Edit]:
        """The value written otherwise."""
        return [Edit(self.node.at, self.node.end, new)]

    def rename(self, member: JsonNode, key: str) -> Edit:
        """A member's key written otherwise."""
        return Edit(member.key_at, member.key_at + len(self.document.key_text(member)), json.dumps(key))

    def without(self, owner: JsonNode, member: JsonNode) -> Edit | None:
        """A member taken out of its object, with the comma that goes with it; ``None`` where a comment is in it."""
        text = self.document.text
        behind = re.compile(r"[ \t\r\n]*,[ \t\r\n]*").match(text, member.end)
        at, end = member.key_at, behind.end() if behind else member.end
        if not behind:
            before = re.compile(r",[ \t\r\n]*\Z").search(text, owner.at, at)
            at = before.start() if before else at
        same = self.payload.source.value[at:end] == text[at:end]
        return Edit(at, end, "") if same else None


def _letters(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.casefold())


def _called(members: Mapping[str, JsonNode], body: Mapping[str, Json], field: str) -> list[JsonNode]:
    """The members whose keys say a field's name in another spelling and hold an id."""
    return [
        node
        for key, node in members.items()
        if key != field and _letters(key) == field.casefold() and id_to_text(body.get(key)) is not None
    ]


def _product(at: _At) -> _Draft | None:
    """CONTRACT 2.4: in ``data`` under another spelling, or beside ``data``."""
    if at.event is None:
        return None
    event, body = at.event
    members = at.document.members(event)
    data, inside = members.get("data"), body.get("data")
    if data is not None and not isinstance(inside, Mapping):
        return None
    within = at.document.members(data) if data is not None else {}
    if "productId" in within:
        return None
    there = _called(within, inside, "productId") if isinstance(inside, Mapping) else []
    beside = [node for key, node in members.items() if _letters(key) == "productid" and id_to_text(body[key]) is not None]
    if len(there) + len(beside) != 1:
        return None
    if there:
        return "Call it productId.", [at.rename(there[0], "productId")]
    member = beside[0]
    written = f'"productId": {at.document.text[member.at : member.end]}'
    if data is None:
        return "Put it into data, as productId.", [Edit(member.key_at, member.end, f'"data": {{{written}}}')]
    gone = at.without(event, member)
    into = Edit(data.at + 1, data.at + 1, f"{written}, " if within else written)
    return ("Put it into data, as productId.", [gone, into]) if gone else None


def _spelled(fields: Sequence[str]) -> Callable[[_At], _Draft | None]:
    """CONTRACT 2.2, 2.3: the fields of an event under another spelling."""

    def draft(at: _At) -> _Draft | None:
        if at.event is None:
            return None
        event, body = at.event
        members = at.document.members(event)
        found = {field: _called(members, body, field) for field in fields if field not in members}
        given = {field: nodes[0] for field, nodes in found.items() if len(nodes) == 1}
        if not given or any(len(nodes) > 1 for nodes in found.values()):
            return None
        return f"Call it {' and '.join(given)}.", [at.rename(node, field) for field, node in given.items()]

    return draft


def _name(at: _At) -> _Draft | None:
    """CONTRACT 2.1: one of the four in another case, or with other signs between its words."""
    value = at.value
    meant = [name for name in EventName if isinstance(value, str) and _letters(name) == _letters(value)]
    return (f"Write “{meant[0]}”.", at.instead(json.dumps(meant[0].value))) if meant else None


def _time(at: _At) -> _Draft | None:
    """CONTRACT 2.7: seconds, microseconds, a number in quotes, or a date with its zone."""
    time = _milliseconds(at.value, at.literal)
    return (f"Write {time}, in milliseconds.", at.instead(str(time))) if time is not None else None


def _milliseconds(value: Json, literal: str) -> int | None:
    number: Decimal | None = None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{10,17}(\.[0-9]{1,3})?", value.strip(BLANK_CHARACTERS)):
        number = Decimal(value.strip(BLANK_CHARACTERS))
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip(BLANK_CHARACTERS))
        except ValueError:
            return None
        number = Decimal(round(moment.timestamp() * 1000)) if moment.tzinfo is not None else None
    elif isinstance(value, int | float) and not isinstance(value, bool) and len(literal) < 40:
        number = Decimal(literal)
    for times in () if number is None else (Decimal(1), Decimal(1000), Decimal("0.001")):
        ms = number * times if number is not None else Decimal(0)
        if EARLIEST_MS <= ms <= LATEST_MS:
            return int(ms) if times < 1 or ms == int(ms) else None
    return None


def _trim(at: _At) -> _Draft | None:
    """CONTRACT 2.8: only what stands around an id; inside it nobody can be certain."""
    value = at.value
    if not isinstance(value, str) or value.strip(BLANK_CHARACTERS) in ("", value):
        return None
    new = json.dumps(value.strip(BLANK_CHARACTERS), ensure_ascii=at.literal.isascii())
    return "Take away what stands around it.", at.instead(new)


def _quote(at: _At) -> _Draft | None:
    """CONTRACT 1.4: a whole number that is an id."""
    return ("Put it in quotes.", at.instead(f'"{at.literal}"')) if re.fullmatch(r"-?[0-9]+", at.literal) else None


def _list(at: _At) -> _Draft | None:
    """CONTRACT 1.3: one group or one event where a list of them belongs."""
    ends = at.issue.place.pointer.rpartition("/")[2] in ("track", "payload")
    if not (ends and at.exact and at.literal[:1] == "{"):
        return None
    return "Put it into a list.", [Edit(at.node.at, at.node.at, "["), Edit(at.node.end, at.node.end, "]")]


def _remove(at: _At) -> _Draft | None:
    """What JSON does not know; line ends stay where they are."""
    span = at.issue.place.span
    return ("Take it out.", [Edit(*span, "")]) if span else None


_DRAFTS: dict[str, Callable[[_At], _Draft | None]] = {
    "product_id_missing": _product,
    "event_id_missing": _spelled(("eventId",)),
    "identity_missing": _spelled(IDENTITY_FIELDS),
    "event_name": _name,
    "timestamp_before_2010": _time,
    "timestamp_after_2040": _time,
    "timestamp_unreadable": _time,
    "id_white_space": _trim,
    "id_number": _quote,
    "request_shape": _list,
    "json_comment": _remove,
    "json_comma": _remove,
}
