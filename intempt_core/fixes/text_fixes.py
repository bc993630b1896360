"""Fixes of a pasted text: small edits that leave everything else byte for byte as it is.

Only what can be fixed in one way is: a key spelled otherwise, a name in another case, seconds for milliseconds. Nothing
is guessed. Edits are places in the pasted text, also where the document is inside a command's quotes.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from intempt_core.contract import (
    BLANK_CHARACTERS,
    EARLIEST_MS,
    IDENTITY_FIELDS,
    LATEST_MS,
    REQUIREMENTS,
    Issue,
    Json,
    drop_zero_fraction,
    find_meant_name,
    id_to_text,
    unwrap_spreadsheet_text,
)
from intempt_core.errors import ReadError
from intempt_core.readers import TEXT_LINE_END, JsonNode, Payload, choose_source
from intempt_core.validation import Annotation, annotate_issues, escape_invisible

_MISSING_CODES = REQUIREMENTS.keys() - {"event_name"}
"""Codes of a field that is not given: it may be there under another name."""

DIFF_CONTEXT = 48
"""Characters beside an edit that its difference shows."""


@dataclass(frozen=True, slots=True)
class TextEdit:
    """A replacement: the characters from ``at`` to ``end`` become ``new``."""

    at: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class TextFix:
    """A fix of one issue.

    Attributes:
        title: What it does, as a sentence.
        edits: Its edits in the pasted text.
        document_edits: The same inside the document, where it is in a command's quotes.
    """

    title: str
    edits: tuple[TextEdit, ...]
    document_edits: tuple[TextEdit, ...]


@dataclass(frozen=True, slots=True)
class EditPreview:
    """One edit as a difference; invisible characters are written out.

    Attributes:
        line: The edit's line, from 1.
        parts: The text before it, the removed text, the new text, and the text after it; the first and the last are cut
            to :data:`DIFF_CONTEXT` characters.
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


def find_text_fix(payload: Payload, issue: Issue) -> TextFix | None:
    """Find the one way to fix an issue; ``None`` where only a person can tell."""
    draft = _FIXERS.get(issue.code)
    drafted = draft(_IssueContext(payload, issue)) if draft else None
    if drafted is None:
        return None
    title, edits = drafted
    source = payload.source
    outside = tuple(TextEdit(*source.text_span(one.at, one.end), source.quote_for(one.at, one.new)) for one in edits)
    return TextFix(title, outside, tuple(edits))


def annotate_with_fixes(payload: Payload, issues: Sequence[Issue], fixes: Mapping[int, TextFix]) -> list[Annotation]:
    """Annotate issues; a field that is missing and is there under another name is annotated where it is."""
    annotations = [
        replace(one, at=fixes[one.number].edits[0].at, end=fixes[one.number].edits[0].end)
        if one.number in fixes and issues[one.number].code in _MISSING_CODES
        else one
        for one in annotate_issues(payload, issues)
    ]
    return sorted(annotations, key=attrgetter("at"))


def apply_text_fixes(payload: Payload, fixes: Iterable[TextFix]) -> str | None:
    """Apply fixes to the pasted text; of edits that overlap the first one is made.

    ``None`` where the command around the document would read as something else afterwards.
    """
    chosen = list(fixes)
    text = _apply_edits(payload.text, _drop_overlaps(edit for fix in chosen for edit in fix.edits))
    if payload.source.value == payload.text:
        return text
    document = _apply_edits(payload.source.value, _drop_overlaps(edit for fix in chosen for edit in fix.document_edits))
    try:
        return text if choose_source(text, payload.request).source.value == document else None
    except ReadError:
        return None


def preview_text_fixes(text: str, fixes: Iterable[TextFix]) -> list[EditPreview]:
    """List what would change, edit by edit, in the text's order."""
    changes = []
    for edit in _drop_overlaps(edit for fix in fixes for edit in fix.edits):
        ends = list(TEXT_LINE_END.finditer(text, 0, edit.at))
        start = max(ends[-1].end() if ends else 0, edit.at - DIFF_CONTEXT)
        behind = TEXT_LINE_END.search(text, edit.end)
        stop = min(behind.start() if behind else len(text), edit.end + DIFF_CONTEXT)
        head, tail = text[start : edit.at], text[edit.end : stop]
        head, gone, new, tail = map(escape_invisible, (head, text[edit.at : edit.end], edit.new, tail))
        changes.append(EditPreview(len(ends) + 1, (head, gone, new, tail)))
    return changes


def _drop_overlaps(edits: Iterable[TextEdit]) -> list[TextEdit]:
    kept: list[TextEdit] = []
    for edit in sorted(set(edits), key=lambda edit: (edit.at, edit.end)):
        if not kept or edit.at >= kept[-1].end:
            kept.append(edit)
    return kept


def _apply_edits(text: str, edits: Sequence[TextEdit]) -> str:
    pieces, at = [], 0
    for edit in edits:
        pieces += [text[at : edit.at], edit.new]
        at = edit.end
    return "".join([*pieces, text[at:]])


# ── one issue at its place ───────────────────────────────────────────────────────────────────────────────────────────

_Draft = tuple[str, list[TextEdit]]
"""The title, and edits in the document (not yet in the text around it)."""


class _IssueContext:
    """An issue in its document: its node, and the event that it is in."""

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

    def replace_value(self, new: str) -> list[TextEdit]:
        """The value written otherwise."""
        return [TextEdit(self.node.at, self.node.end, new)]

    def rename_key(self, member: JsonNode, key: str) -> TextEdit:
        """A member's key written otherwise."""
        return TextEdit(member.key_at, member.key_at + len(self.document.key_text(member)), json.dumps(key))

    def remove_member(self, owner: JsonNode, member: JsonNode) -> TextEdit | None:
        """A member taken out of its object, with the comma that goes with it; ``None`` where a comment is in it."""
        text = self.document.text
        behind = re.compile(r"[ \t\r\n]*,[ \t\r\n]*").match(text, member.end)
        at, end = member.key_at, behind.end() if behind else member.end
        if not behind:
            before = re.compile(r",[ \t\r\n]*\Z").search(text, owner.at, at)
            at = before.start() if before else at
        same = self.payload.source.value[at:end] == text[at:end]
        return TextEdit(at, end, "") if same else None


def _fold_key(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.casefold())


def _find_misspelled(members: Mapping[str, JsonNode], body: Mapping[str, Json], field: str) -> list[JsonNode]:
    """The members whose keys say a field's name in another spelling and hold an id."""
    return [
        node
        for key, node in members.items()
        if key != field and _fold_key(key) == field.casefold() and id_to_text(body.get(key)) is not None
    ]


def _fix_product(context: _IssueContext) -> _Draft | None:
    """CONTRACT 2.4: in ``data`` under another spelling, or beside ``data``."""
    if context.event is None:
        return None
    event, body = context.event
    members = context.document.members(event)
    data, inside = members.get("data"), body.get("data")
    if data is not None and not isinstance(inside, Mapping):
        return None
    within = context.document.members(data) if data is not None else {}
    if "productId" in within:
        return None
    there = _find_misspelled(within, inside, "productId") if isinstance(inside, Mapping) else []
    beside = [
        node for key, node in members.items() if _fold_key(key) == "productid" and id_to_text(body[key]) is not None
    ]
    if len(there) + len(beside) != 1:
        return None
    if there:
        return "Call it productId.", [context.rename_key(there[0], "productId")]
    member = beside[0]
    written = f'"productId": {context.document.text[member.at : member.end]}'
    if data is None:
        return "Put it into data, as productId.", [TextEdit(member.key_at, member.end, f'"data": {{{written}}}')]
    gone = context.remove_member(event, member)
    into = TextEdit(data.at + 1, data.at + 1, f"{written}, " if within else written)
    return ("Put it into data, as productId.", [gone, into]) if gone else None


def _make_spelling_fixer(fields: Sequence[str]) -> Callable[[_IssueContext], _Draft | None]:
    """CONTRACT 2.2, 2.3: the fields of an event under another spelling."""

    def draft_fix(context: _IssueContext) -> _Draft | None:
        if context.event is None:
            return None
        event, body = context.event
        members = context.document.members(event)
        found = {field: _find_misspelled(members, body, field) for field in fields if field not in members}
        given = {field: nodes[0] for field, nodes in found.items() if len(nodes) == 1}
        if not given or any(len(nodes) > 1 for nodes in found.values()):
            return None
        return f"Call it {' and '.join(given)}.", [context.rename_key(node, field) for field, node in given.items()]

    return draft_fix


def _fix_name(context: _IssueContext) -> _Draft | None:
    """CONTRACT 2.1: an event name in another case, with other signs between its words, or a synonym of it."""
    value = context.value
    meant = find_meant_name(value) if isinstance(value, str) else ""
    return (f"Write “{meant}”.", context.replace_value(json.dumps(meant))) if meant else None


def _fix_time(context: _IssueContext) -> _Draft | None:
    """CONTRACT 2.7: seconds, microseconds, nanoseconds, a number in quotes, or a date with its zone."""
    time = _convert_to_milliseconds(context.value, context.literal)
    return (f"Write {time}, in milliseconds.", context.replace_value(str(time))) if time is not None else None


def _convert_to_milliseconds(value: Json, literal: str) -> int | None:
    number: Decimal | None = None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{10,19}(\.[0-9]{1,3})?", value.strip(BLANK_CHARACTERS)):
        number = Decimal(value.strip(BLANK_CHARACTERS))
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip(BLANK_CHARACTERS))
        except ValueError:
            return None
        number = Decimal(round(moment.timestamp() * 1000)) if moment.tzinfo is not None else None
    elif isinstance(value, int | float) and not isinstance(value, bool) and len(literal) < 40:
        number = Decimal(literal)
    for times in () if number is None else (Decimal(1), Decimal(1000), Decimal("0.001"), Decimal("0.000001")):
        ms = number * times if number is not None else Decimal(0)
        if EARLIEST_MS <= ms <= LATEST_MS:
            return int(ms) if times < 1 or ms == int(ms) else None
    return None


def _trim_id(context: _IssueContext) -> _Draft | None:
    """CONTRACT 2.8: only white space around an id; inside it there is no telling."""
    value = context.value
    if not isinstance(value, str) or value.strip(BLANK_CHARACTERS) in ("", value):
        return None
    new = json.dumps(value.strip(BLANK_CHARACTERS), ensure_ascii=context.literal.isascii())
    return "Remove the white space around it.", context.replace_value(new)


def _unwrap_id(context: _IssueContext) -> _Draft | None:
    """CONTRACT 7.11: an id in a spreadsheet's marks for text."""
    value = context.value
    if not isinstance(value, str) or unwrap_spreadsheet_text(value) == value:
        return None
    new = json.dumps(unwrap_spreadsheet_text(value), ensure_ascii=context.literal.isascii())
    return "Take the spreadsheet's marks away.", context.replace_value(new)


def _drop_fraction(context: _IssueContext) -> _Draft | None:
    """CONTRACT 7.10: a whole number that was written as a float."""
    value = context.value
    if not isinstance(value, str) or drop_zero_fraction(value) == value:
        return None
    return "Write the whole number.", context.replace_value(json.dumps(drop_zero_fraction(value)))


def _quote_number(context: _IssueContext) -> _Draft | None:
    """CONTRACT 1.4: a whole number that is an id."""
    return (
        ("Put it in quotes.", context.replace_value(f'"{context.literal}"'))
        if re.fullmatch(r"-?[0-9]+", context.literal)
        else None
    )


def _wrap_in_list(context: _IssueContext) -> _Draft | None:
    """CONTRACT 1.3: one group or one event where a list of them belongs."""
    ends = context.issue.place.pointer.rpartition("/")[2] in ("track", "payload")
    if not (ends and context.exact and context.literal[:1] == "{"):
        return None
    return "Put it into a list.", [
        TextEdit(context.node.at, context.node.at, "["),
        TextEdit(context.node.end, context.node.end, "]"),
    ]


def _remove_span(context: _IssueContext) -> _Draft | None:
    """What JSON does not know; line ends stay where they are."""
    span = context.issue.place.span
    return ("Take it out.", [TextEdit(*span, "")]) if span else None


_FIXERS: dict[str, Callable[[_IssueContext], _Draft | None]] = {
    "product_id_missing": _fix_product,
    "event_id_missing": _make_spelling_fixer(("eventId",)),
    "identity_missing": _make_spelling_fixer(IDENTITY_FIELDS),
    "event_name": _fix_name,
    "timestamp_before_2010": _fix_time,
    "timestamp_after_2040": _fix_time,
    "timestamp_unreadable": _fix_time,
    "id_white_space": _trim_id,
    "id_spreadsheet_text": _unwrap_id,
    "id_damaged": _drop_fraction,
    "id_number": _quote_number,
    "request_shape": _wrap_in_list,
    "json_comment": _remove_span,
    "json_comma": _remove_span,
}
