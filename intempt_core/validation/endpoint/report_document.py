"""The report of a check as JSON, the same by ``check --format json`` and by ``POST /validate``, and its JSON Schema."""

from collections.abc import Callable, Sequence
from typing import Any

from intempt_core.contract import Issue, Severity
from intempt_core.validation.report import Report

REPORT_SCHEMA_ID = "urn:event-console:check-report:1"
"""The ``$id`` of the schema. Its number grows where a key goes or means something else; keys may be added without."""

MAX_ISSUES_LISTED = 1000
"""Issues that are listed unless a caller says otherwise; the counts are always of all."""

IssuePosition = Callable[[Issue], tuple[int | None, str | int | None]]
"""Says an issue's line and column: a table's header, or the number of the character in a document's line."""

JsonSchema = dict[str, Any]
"""A JSON schema. Any: JSON."""


def build_report_document(
    report: Report,
    find_position: IssuePosition,
    *,
    max_issues: int = MAX_ISSUES_LISTED,
    rule_notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Build the document. Any: JSON.

    ``max_issues`` issues are listed, and all are counted. ``rule_notes`` are sentences on what of the team's rules is
    never asked.
    """
    document = {
        "schema": REPORT_SCHEMA_ID,
        "rows": report.rows,
        "events": report.events,
        "rows_with_errors": report.rows_with_errors,
        "events_with_errors": report.events_with_errors,
        "rows_with_warnings": report.rows_with_warnings,
        "rows_ignored": report.rows_ignored,
        "ignored_names": report.ignored_names,
        "counts": report.counts,
        "issue_count": report.issue_count(),
    }
    if report.rules is not None:
        document |= {
            "rules": report.rules.name,
            "rule_counts": report.rule_counts,
            "rows_with_rule_errors": report.rows_with_rule_errors,
            "rule_notes": list(rule_notes),
        }
    issues = report.issues(0, max_issues) if max_issues else []
    document["issues"] = [_describe_issue(issue, *find_position(issue)) for issue in issues]
    return document


def _describe_issue(issue: Issue, line: int | None, column: str | int | None) -> dict[str, Any]:
    return {
        "code": issue.code,
        "severity": issue.severity.value,
        "row": issue.place.row,
        "member": issue.place.member,
        "line": line,
        "column": column,
        "pointer": issue.place.pointer,
        "given": issue.given,
        "message": issue.message,
        "allowed": issue.kind.allowed,
        "fix": issue.fix,
    }


# ── its schema ───────────────────────────────────────────────────────────────────────────────────────────────────────

_TEXT: JsonSchema = {"type": "string"}
_ROW_RANGES = {
    "type": "object",
    "description": "Code → its rows, as 3-7,9.",
    "additionalProperties": {"type": "string", "pattern": "^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$"},
}


def build_report_schema() -> JsonSchema:
    """Build the JSON Schema (2020-12) of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": REPORT_SCHEMA_ID,
        "title": "The report of a check",
        "description": "What “check --format json” prints and POST /validate responds with. Keys may be added.",
        "type": "object",
        "required": [
            "schema", "rows", "events", "rows_with_errors", "events_with_errors", "rows_with_warnings", "rows_ignored",
            "ignored_names", "counts", "issue_count", "issues",
        ],
        "properties": {
            "schema": {"const": REPORT_SCHEMA_ID},
            "rows": build_count_schema("Rows of the input; events where it has no rows."),
            "events": build_count_schema("Events that were checked: of a row there may be several."),
            "rows_with_errors": build_count_schema("Rows with at least one error by the contract."),
            "events_with_errors": build_count_schema("Events with at least one error by the contract."),
            "rows_with_warnings": build_count_schema("Rows with at least one warning by the contract."),
            "rows_ignored": build_count_schema("Rows that are no events, as the mapping says of their names."),
            "ignored_names": _build_counts("Their names, with how many rows each has."),
            "counts": _build_counts("Rows by code of the contract's issues (docs/issues.md)."),
            "issue_count": build_count_schema("All issues, also those that are not listed."),
            "issues": {
                "type": "array",
                "description": "The first issues, in the order of the rows.",
                "items": _build_issue_schema(),
            },
            "rules": {**_TEXT, "description": "The file of the team's rules, where they were asked."},
            "rule_counts": _build_counts("Rows by code of the team's rules, which begins with “rule:”."),
            "rows_with_rule_errors": build_count_schema("Rows that break a rule of the team's that is an error."),
            "rule_notes": {"type": "array", "items": _TEXT, "description": "What of the rules is never asked."},
            "baseline": _build_baseline_schema(),
            "compared": _build_comparison_schema(),
        },
    }  # fmt: skip


def _build_issue_schema() -> JsonSchema:
    return {
        "type": "object",
        "required": [
            "code", "severity", "row", "member", "line", "column", "pointer", "given", "message", "allowed", "fix",
        ],
        "properties": {
            "code": {**_TEXT, "minLength": 1, "description": "What it is; a code never changes its meaning."},
            "severity": {"enum": list(Severity)},
            "row": _build_nullable("integer", "The row, or the event, from 1; null for the input as a whole.", 1),
            "member": build_count_schema("Which event of its row, from 1; 0 where the row is one event."),
            "line": _build_nullable("integer", "The line, from 1, where the input has lines.", 1),
            "column": {
                "type": ["string", "integer", "null"],
                "description": "A table's header; of a JSON document the character in its line, from 1.",
            },
            "pointer": {**_TEXT, "description": "An RFC 6901 pointer to the value; of a table, into the row's event."},
            "given": _build_nullable("string", "The value as text, perhaps cut; null where there was none."),
            "message": {**_TEXT, "description": "What is wrong."},
            "allowed": {**_TEXT, "description": "What is allowed."},
            "fix": {**_TEXT, "description": "What to do."},
        },
    }  # fmt: skip


def _build_baseline_schema() -> JsonSchema:
    return {
        "type": "object",
        "description": "What a later “check --baseline” needs; only of a file.",
        "required": ["version", "file", "columns", "failing"],
        "properties": {
            "version": {"type": "integer", "minimum": 1},
            "file": _TEXT,
            "columns": {"type": "object", "additionalProperties": _TEXT, "description": "Header → what its cells are."},
            "failing": _ROW_RANGES,
        },
    }


def _build_comparison_schema() -> JsonSchema:
    kinds = {"type": "object", "additionalProperties": _TEXT}
    changed = {"type": "object", "required": ["then", "now"], "properties": {"then": _TEXT, "now": _TEXT}}
    return {
        "type": "object",
        "description": "What changed since the check that --baseline names.",
        "required": ["file", "rows", "new", "fixed", "still", "columns"],
        "properties": {
            "file": _TEXT,
            "rows": build_count_schema("Rows that the file had then."),
            "new": _ROW_RANGES,
            "fixed": _ROW_RANGES,
            "still": _ROW_RANGES,
            "columns": {
                "type": "object",
                "required": ["came", "went", "changed"],
                "properties": {
                    "came": kinds,
                    "went": kinds,
                    "changed": {"type": "object", "additionalProperties": changed},
                },
            },
        },
    }


def build_count_schema(description: str) -> JsonSchema:
    """Build the schema of a number that counts something."""
    return {"type": "integer", "minimum": 0, "description": description}


def _build_counts(description: str) -> JsonSchema:
    counted = {"type": "integer", "minimum": 1}
    return {"type": "object", "additionalProperties": counted, "description": description}


def _build_nullable(kind: str, description: str, minimum: int | None = None) -> JsonSchema:
    schema: JsonSchema = {"type": [kind, "null"], "description": description}
    return schema if minimum is None else {**schema, "minimum": minimum}
