"""The numbers of problems as badges: errors, warnings, and what the team's rules found."""

from collections.abc import Sequence

from intempt_core.contract import Issue, Severity, format_count
from pages.parts.shared.formatting import STATE_STYLES, format_team_badge


def format_issue_summary(issues: Sequence[Issue]) -> str:
    """The number of errors and warnings as badges; an empty text where there are none."""
    contract = [issue for issue in issues if issue.rule is None]
    errors = sum(issue.severity is Severity.ERROR for issue in contract)
    return format_issue_counts(errors, len(contract) - errors, len(issues) - len(contract))


def format_issue_counts(errors: int, warnings: int, team: int = 0) -> str:
    """These numbers of errors and warnings, and of the ``team``'s findings, as badges; an empty text for none."""
    parts = []
    if errors:
        parts.append(f":red-badge[{STATE_STYLES[Severity.ERROR].shape} {format_count(errors, 'problem')}]")
    if warnings:
        parts.append(f":orange-badge[{STATE_STYLES[Severity.WARNING].shape} {format_count(warnings, 'warning')}]")
    if team:
        parts.append(format_team_badge(f"{format_count(team, 'finding')} of the team's rules"))
    return " ".join(parts)
