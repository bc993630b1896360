"""The JSON Schemas of what else ``check --format json`` prints: the tests of ``--expect``, and several files."""

from intempt_core.validation.endpoint.report_document import (
    REPORT_SCHEMA_ID,
    JsonSchema,
    build_count_schema,
    build_report_schema,
)
from intempt_core.validation.expectations import ExpectationState

EXPECTATIONS_SCHEMA_ID = "urn:event-console:check-expectations:1"
"""The ``$id`` of the schema of the tests of a file."""

REPORTS_SCHEMA_ID = "urn:event-console:check-reports:1"
"""The ``$id`` of the schema of the reports of several files."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: JsonSchema = {"type": "string"}


def build_expectations_schema() -> JsonSchema:
    """Build the JSON Schema of what ``check --expect --format json`` prints."""
    states = [state.value for state in ExpectationState]
    result = {
        "type": "object",
        "required": ["row", "line", "result", "expected", "found", "message"],
        "properties": {
            "row": {"type": "integer", "minimum": 1, "description": "The row, from 1."},
            "line": {"type": ["integer", "null"], "description": "The line, where the file has lines."},
            "result": {"enum": states},
            "expected": {**_TEXT, "description": "What the row has in its column expect."},
            "found": {"type": "array", "items": _TEXT, "description": "The codes of its issues."},
            "message": {**_TEXT, "description": "What is not as expected."},
        },
    }
    return {
        "$schema": _DIALECT,
        "$id": EXPECTATIONS_SCHEMA_ID,
        "title": "The results of a file that tests itself",
        "description": "What “check --expect --format json” prints. Keys may be added.",
        "type": "object",
        "required": ["file", "rows", "as_expected", *states, "results"],
        "properties": {
            "file": _TEXT,
            "rows": build_count_schema("Rows of the file."),
            "as_expected": {"type": "boolean", "description": "Whether the check ends with 0."},
            **{state: build_count_schema(f"Rows with the result “{state}”.") for state in states},
            "results": {"type": "array", "items": result},
        },
    }


def build_reports_schema() -> JsonSchema:
    """Build the JSON Schema of what ``check FILE FILE… --format json`` prints; it holds the other two."""
    file = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {**_TEXT, "description": "The file as the call names it."},
            "report": {"anyOf": [{"$ref": REPORT_SCHEMA_ID}, {"$ref": EXPECTATIONS_SCHEMA_ID}]},
            "error": {**_TEXT, "description": "Why the file cannot be read."},
        },
        "oneOf": [{"required": ["report"]}, {"required": ["error"]}],
    }
    counted = {
        "rows": "Rows of all files.",
        "events": "Events that were checked.",
        "rows_with_errors": "Rows with at least one error.",
        "events_with_errors": "Events with at least one error.",
        "rows_with_warnings": "Rows with at least one warning.",
        "rows_ignored": "Rows that are no events.",
    }
    total = {
        "type": "object",
        "required": ["files", "files_unreadable", "files_failed"],
        "properties": {
            "files": build_count_schema("How many files there are."),
            "files_unreadable": build_count_schema("Those that cannot be read."),
            "files_failed": build_count_schema("Those that can be, and end a check with 1."),
            **{name: build_count_schema(f"{words} Not with --expect.") for name, words in counted.items()},
            "counts": {
                "type": "object",
                "additionalProperties": {"type": "integer", "minimum": 1},
                "description": "Rows by issue code. Not with --expect.",
            },
        },
    }
    return {
        "$schema": _DIALECT,
        "$id": REPORTS_SCHEMA_ID,
        "title": "The reports of several files",
        "description": "What “check FILE FILE… --format json” prints. Keys may be added.",
        "type": "object",
        "required": ["files", "total"],
        "properties": {"files": {"type": "array", "items": file}, "total": total},
        "$defs": {"report": build_report_schema(), "expectations": build_expectations_schema()},
    }
