"""The body of a request to ``POST /validate``: a track body, an event, a list, or JSON lines, read and checked.

It is read as ``check`` reads a file, so that both give the same report. Bounds are checked before the work that they
bound: a small body can hold so many small values that they would take all the memory there is.
"""

import re
from enum import Enum, auto
from typing import Any

from intempt_core.contract import Issue
from intempt_core.errors import ReadError, TableTooLarge
from intempt_core.mapping import choose_initial_mapping, map_table
from intempt_core.readers import Table, read_payload, read_table_or_document
from intempt_core.validation.annotations import find_issue_span
from intempt_core.validation.check import check_events, check_table
from intempt_core.validation.endpoint.report_document import build_report_document

MAX_VALIDATED_EVENTS = 20_000
"""Events of one body at the most."""

MAX_VALUE_SIGNS = 400_000
"""Commas and opening brackets of a body at the most: each value has one of them before or in it."""


class BodyForm(Enum):
    """What a request says that its body is."""

    DOCUMENT = auto()
    LINES = auto()
    UNSAID = auto()


_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(?://|/\*|#|[{\[])")
_FIRST_LINE = re.compile(rb"\s*+\{[^\r\n]*\}[ \t]*+[\r\n]\s*+\{")
_LINES_NAME = "body.jsonl"


def validate_body(body: bytes, form: BodyForm, max_issues: int) -> dict[str, Any]:
    """Read and check a body, and build the report of which ``max_issues`` issues are listed. Any: JSON.

    Raises :class:`ReadError` where it cannot be read, :class:`TableTooLarge` where it is more than is checked at once.
    """
    text = _decode(body)
    signs = sum(body.count(sign) for sign in (b",", b"{", b"["))
    if signs > MAX_VALUE_SIGNS:
        raise TableTooLarge(
            f"The body has {signs:,} commas and opening brackets; up to {MAX_VALUE_SIGNS:,} are read at once. Send"
            " fewer events in one request, or take them to “check” as a file."
        )
    if form is BodyForm.LINES or (form is BodyForm.UNSAID and _FIRST_LINE.match(body)):
        read = read_table_or_document(body, name=_LINES_NAME, prefers_lines=True)
        if isinstance(read, Table) and read.documents is not None:
            _check_count(read.rows)
            report = check_table(map_table(read, choose_initial_mapping(read)))
            return build_report_document(
                report, lambda issue: (issue.place.line, issue.place.column), max_issues=max_issues
            )
    payload = read_payload(text)
    _check_count(len(payload.events))

    def find_position(issue: Issue) -> tuple[int, int]:
        return payload.line_column(find_issue_span(payload, issue)[0])

    report = check_events(payload.events, None, payload.issues)
    return build_report_document(report, find_position, max_issues=max_issues)


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


def _check_count(events: int) -> None:
    if events > MAX_VALIDATED_EVENTS:
        raise TableTooLarge(
            f"The body has {events:,} events; up to {MAX_VALIDATED_EVENTS:,} are checked at once. Send them in several"
            " requests, or take them to “check” as a file."
        )
