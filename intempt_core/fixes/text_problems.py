"""The problems of a pasted text, counted once: what is wrong at one place is one problem, however many events it is of.

A group's name is every event's, so a wrong one is found in each of them, and is one problem with one fix.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from intempt_core.contract import Issue, IssueKind, Severity
from intempt_core.fixes.text_fixes import TextFix, find_text_fix
from intempt_core.readers import Payload

MAX_PROBLEMS_FIXED = 5_000
"""Problems whose fixes are looked for; where there are more, they are alike, and are fixed so many at a time."""


@dataclass(frozen=True, slots=True)
class TextProblem:
    """What is wrong at one place of a pasted text.

    Attributes:
        number: Its index among the problems of the text.
        issue: The issue, that of its first event.
        rows: The events that have it (from 1), sorted; none where it belongs to the text itself.
        fix: The one way to fix it; ``None`` where only a person can tell.
    """

    number: int
    issue: Issue
    rows: tuple[int, ...] = ()
    fix: TextFix | None = None


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """The problems of one kind.

    Attributes:
        kind: The kind of issue.
        is_team: Whether the team's own rules found it.
        problems: The problems, in the text's order.
        events: How many events have one of them.
    """

    kind: IssueKind
    is_team: bool
    problems: Sequence[TextProblem] = field(repr=False)
    events: int

    @property
    def fixable(self) -> Sequence[TextProblem]:
        """Those that have a fix."""
        return [problem for problem in self.problems if problem.fix is not None]


@dataclass(frozen=True, slots=True)
class ProblemCounts:
    """How many problems a text has.

    Attributes:
        errors: Those that break the contract.
        warnings: Those that a person judges.
        team: Those that the team's rules found.
    """

    errors: int
    warnings: int
    team: int


def collect_text_problems(payload: Payload, issues: Iterable[Issue]) -> list[TextProblem]:
    """Collect the problems of a text from the issues of its events."""
    first: dict[tuple[str, str, tuple[int, int] | None], Issue] = {}
    rows: dict[tuple[str, str, tuple[int, int] | None], list[int]] = {}
    for issue in issues:
        key = issue.code, issue.place.pointer, issue.place.span
        first.setdefault(key, issue)
        of_key = rows.setdefault(key, [])
        if issue.place.row is not None:
            of_key.append(issue.place.row)
    return [
        TextProblem(
            number,
            issue,
            tuple(rows[key]),
            find_text_fix(payload, issue) if number < MAX_PROBLEMS_FIXED else None,
        )
        for number, (key, issue) in enumerate(first.items())
    ]


def group_problems(problems: Sequence[TextProblem]) -> list[ProblemGroup]:
    """Group problems by kind: errors first, then warnings, then what the team's rules found."""
    by_code: dict[str, list[TextProblem]] = {}
    for problem in problems:
        by_code.setdefault(problem.issue.code, []).append(problem)
    groups = [
        ProblemGroup(
            some[0].issue.kind,
            some[0].issue.rule is not None,
            some,
            len({row for problem in some for row in problem.rows}),
        )
        for some in by_code.values()
    ]
    return sorted(groups, key=lambda group: (group.is_team, group.kind.severity is not Severity.ERROR))


def count_problems(problems: Iterable[TextProblem]) -> ProblemCounts:
    """Count problems."""
    counts = {"error": 0, "warning": 0, "team": 0}
    for problem in problems:
        counts["team" if problem.issue.rule is not None else problem.issue.severity.value] += 1
    return ProblemCounts(counts["error"], counts["warning"], counts["team"])


def list_fixes(problems: Iterable[TextProblem]) -> Mapping[int, TextFix]:
    """The fixes of problems, by the problem's number."""
    return {problem.number: problem.fix for problem in problems if problem.fix is not None}
