"""Write the pages of ``docs/`` that follow from the code (``python3 run.py docs``).

A test holds that they are current: an issue or a setting that is added cannot be forgotten here.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from intempt_core.contract.issue_kinds import ISSUE_KINDS, IssueKind, Severity
from intempt_core.settings import SETTINGS
from intempt_core.validation import build_expectations_schema, build_report_schema, build_reports_schema

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python3 run.py docs"
_NOTE = f"<!-- Written from the code by `{COMMAND}`; edit it there. -->"
SECTIONS = {
    "1": "1-request",
    "2": "2-event",
    "3": "3-response",
    "4": "4-what-the-events-drive",
    "5": "5-feed-read",
    "6": "6-other-calls-of-the-vendors-server-sdks",
    "7": "7-what-files-do-to-events",
}
"""The anchors of the sections of ``docs/contract.md``, by the number before a row's dot."""


def render_issues() -> str:
    """``docs/issues.md``: every issue with its code, severity, words and rows of the contract."""
    lines = [
        "# Issues",
        "",
        _NOTE,
        "",
        "What a check may find in an event, a file or a pasted payload. Screens, the command line, exports and JUnit",
        "reports use the same codes and sentences; a code never changes its meaning. `…` stands for the value.",
    ]
    sections = {
        Severity.ERROR: (
            "Errors",
            "A row or an event with an error is excluded from sending, unless it is sent as it is.",
        ),
        Severity.WARNING: ("Warnings", "A warning excludes nothing; whether it matters is for a person to judge."),
    }
    for severity, (heading, meaning) in sections.items():
        lines += ["", f"## {heading}", "", meaning]
        for kind in ISSUE_KINDS.values():
            if kind.severity is severity:
                lines += ["", *_render_issue(kind)]
    return "\n".join(lines) + "\n"


def _render_issue(kind: IssueKind) -> Iterator[str]:
    rows = ", ".join(f"[{row}](contract.md#{SECTIONS[row[0]]})" for row in kind.source.split(", "))
    yield f"### `{kind.code}`"
    yield ""
    yield f"{kind.title[0].upper()}{kind.title[1:]}. {kind.message.replace('{given}', '…')}"
    yield ""
    yield f"- allowed: {kind.allowed}"
    yield f"- fix: {kind.fix}"
    yield f"- contract: {rows}"


def render_settings() -> str:
    """``docs/settings.md``: every setting with its variable, default, bounds and meaning."""
    lines = [
        "# Settings",
        "",
        _NOTE,
        "",
        "Each setting is an environment variable, read when a process starts. A value that cannot be used ends the",
        "start with a sentence that names the variable and what it takes. Targets have variables of their own:",
        "[targets.md](targets.md).",
        "",
        "| variable | default | takes | meaning |",
        "|---|---|---|---|",
    ]
    for setting in SETTINGS:
        if setting.default_text:
            default = setting.default_text
        else:
            default = f"{setting.default:.10g}" if isinstance(setting.default, int | float) else "–"
        takes = f"{setting.allowed}; it is never shown" if setting.secret else setting.allowed
        former = f" Formerly `{setting.former_variable}`, which is still read." if setting.former_variable else ""
        lines += [f"| `{setting.variable}` | {default} | {takes} | {setting.meaning}{former} |"]
    return "\n".join(lines) + "\n"


def render_schema(build: Callable[[], dict[str, Any]]) -> str:
    """A JSON Schema of what ``check --format json`` prints."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "docs/issues.md": render_issues,
    "docs/settings.md": render_settings,
    "docs/check-report.schema.json": partial(render_schema, build_report_schema),
    "docs/check-reports.schema.json": partial(render_schema, build_reports_schema),
    "docs/check-expectations.schema.json": partial(render_schema, build_expectations_schema),
}
"""Every page that is written from the code, by its path."""


def main() -> None:
    """Write each page."""
    for name, render in PAGES.items():
        (ROOT / name).write_text(render(), "utf-8")


if __name__ == "__main__":
    main()
