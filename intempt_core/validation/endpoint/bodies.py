"""The body of a request to ``POST /validate``: a track body, an event, a list, or JSON lines, read and checked.

It is read as ``check`` reads a file, so that both give the same report. Bounds are checked before the work that they
bound: a small body can hold so many small values that they would take all the memory there is.
"""

import re
from enum import Enum, auto
from typing import Any

from intempt_core.contract import Issue
from intempt_core.errors import MappingError, ReadError, TableTooLarge
from intempt_core.mapping import Mapping, choose_initial_mapping, map_table
from intempt_core.readers import ReadLimits, Table, read_payload, read_table_or_document
from intempt_core.validation.annotations import find_issue_span
from intempt_core.validation.check import check_events, check_table
from intempt_core.validation.endpoint.report_document import build_report_document
from intempt_core.validation.report import Report
from intempt_core.validation.team_rules.rules_file import TeamRules

MAX_VALIDATED_EVENTS = 20_000
"""Events of one body at the most."""

MAX_VALUE_SIGNS = 400_000
"""Commas and opening brackets of a body at the most: each value has one of them before or in it."""

MAX_RULE_CHECKS = 20_000_000
"""Events times rules at the most."""

MAX_MAPPED_BYTES = 200_000_000
"""Bytes that the events of one body may become by a mapping: its constants are in each of them."""


class BodyForm(Enum):
    """What a request says that its body is."""

    DOCUMENT = auto()
    LINES = auto()
    UNSAID = auto()


CONTENT_TYPES = {
    "application/json": BodyForm.DOCUMENT,
    "application/x-ndjson": BodyForm.LINES,
    "application/jsonl": BodyForm.LINES,
    "application/json-lines": BodyForm.LINES,
    "text/plain": BodyForm.UNSAID,
    "application/octet-stream": BodyForm.UNSAID,
    "application/x-www-form-urlencoded": BodyForm.UNSAID,  # what curl says where it is told nothing
    "": BodyForm.UNSAID,
}
"""Content types that are taken; of those that say nothing the body itself says what it is."""

_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(?://|/\*|#|[{\[])")
_FIRST_LINE = re.compile(rb"\s*+\{[^\r\n]*\}[ \t]*+[\r\n]\s*+\{")
_LINES_NAME = "body.jsonl"


def validate_body(
    body: bytes, form: BodyForm, max_issues: int, *, mapping: Mapping | None = None, rules: TeamRules | None = None
) -> dict[str, Any]:
    """Read and check a body, and build the report of which ``max_issues`` issues are listed. Any: JSON.

    By a ``mapping`` its objects are rows, as ``check --mapping`` reads them. Raises :class:`ReadError` where it cannot
    be read, :class:`TableTooLarge` where it is more than is checked at once, :class:`MappingError` and
    :class:`~intempt_core.errors.RulesError` where the mapping, or the rules, do not go together with it.
    """
    text = _decode(body)
    _check_signs(body, mapping)
    is_lines = form is BodyForm.LINES or (form is BodyForm.UNSAID and _FIRST_LINE.match(body))
    if is_lines or mapping is not None:
        options = None if mapping is None else mapping.read
        read = read_table_or_document(body, name=_LINES_NAME, dialect=options, prefers_lines=True)
        if isinstance(read, Table) and (mapping is not None or read.documents is not None):
            return _validate_table(read, mapping, rules, max_issues)
        if mapping is not None:
            raise MappingError("The body is no list and no lines of objects, so that it takes no mapping.")
    payload = read_payload(text)
    _check_count(len(payload.events), rules)

    def find_position(issue: Issue) -> tuple[int, int]:
        return payload.line_column(find_issue_span(payload, issue)[0])

    report = check_events(payload.events, None, payload.issues, rules=rules)
    return build_report_document(report, find_position, max_issues=max_issues, rule_notes=rules.notes if rules else ())


def _validate_table(table: Table, mapping: Mapping | None, rules: TeamRules | None, max_issues: int) -> dict[str, Any]:
    """The report on rows of JSON, as they are or by a mapping. Any: JSON."""
    _check_count(table.rows, rules)
    if mapping is not None and table.rows * len(mapping.to_json()) > MAX_MAPPED_BYTES:
        raise TableTooLarge(
            f"The mapping has {len(mapping.to_json()):,} characters, too many for {table.rows:,} events. Send fewer"
            " events in one request."
        )
    limits = ReadLimits(rows=MAX_VALIDATED_EVENTS, table_bytes=MAX_MAPPED_BYTES)
    mapped = map_table(table, mapping or choose_initial_mapping(table), limits=limits)
    _check_count(mapped.rows, rules)
    notes = [*rules.notes, *rules.check_mapping(mapped)] if rules else ()
    report: Report = check_table(mapped, rules=rules)
    return build_report_document(
        report, lambda issue: (issue.place.line, issue.place.column), max_issues=max_issues, rule_notes=notes
    )


def _check_signs(body: bytes, mapping: Mapping | None) -> None:
    """Raise :class:`TableTooLarge` where a body may hold more values than are read at once."""
    signs = sum(body.count(sign) for sign in (b",", b"{", b"["))
    if signs > MAX_VALUE_SIGNS:
        raise TableTooLarge(
            f"The body has {signs:,} commas and opening brackets; up to {MAX_VALUE_SIGNS:,} are read at once. Send"
            " fewer events in one request, or take them to “check” as a file."
        )
    separator = mapping.explode.separator if mapping is not None and mapping.explode is not None else ""
    if separator and body.count(separator.encode("utf-8", "surrogatepass")) > MAX_VALUE_SIGNS:
        raise TableTooLarge(
            f"The body has the separator of “explode” more than {MAX_VALUE_SIGNS:,} times. Send fewer events in one"
            " request, or take them to “check” as a file."
        )


def _decode(body: bytes) -> str:
    """The text of a body. Raises :class:`ReadError` where it is none, or does not begin as a document does."""
    if not body.strip():
        raise ReadError("The body is empty. Send a track body, an event, a list of events, or JSON lines.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(f"The body is no UTF-8 at byte {error.start + 1:,}. JSON is sent in UTF-8.") from None
    if not _BEGINS.match(body):
        raise ReadError("The body does not begin with { or [. Send a track body, an event, a list, or JSON lines.")
    return text


def _check_count(events: int, rules: TeamRules | None) -> None:
    if events > MAX_VALIDATED_EVENTS:
        raise TableTooLarge(
            f"The body has {events:,} events; up to {MAX_VALIDATED_EVENTS:,} are checked at once. Send them in several"
            " requests, or take them to “check” as a file."
        )
    if rules is not None and events * len(rules.kinds) > MAX_RULE_CHECKS:
        raise TableTooLarge(
            f"{events:,} events are checked by {len(rules.kinds):,} rules; up to {MAX_RULE_CHECKS:,} checks are made at"
            " once. Send fewer events in one request, or take them to “check” as a file."
        )
