"""Problems as a list of cards: severity, place, what is wrong, how to fix it, and a button that leads there."""

from collections.abc import Callable, Sequence

import streamlit as st

from intempt_core.contract import Issue, Severity, format_count
from intempt_core.validation import escape_invisible
from pages.parts.shared.formatting import STATE_STYLES, escape_markdown, format_issue_badge, format_team_badge
from pages.parts.shared.screen_state import make_key


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


def show_problem_list(
    name: str,
    issues: Sequence[Issue],
    on_go: Callable[[Issue], None] | None = None,
    describe_place: Callable[[Issue], str] | None = None,
    *,
    beside: Callable[[int], None] | None = None,
    below: Callable[[int], None] | None = None,
    show_allowed: bool = False,
) -> None:
    """Every issue as a card. With ``on_go`` each has a button that leads to its field.

    ``describe_place`` formats the place of an issue, ``beside`` draws more into the head of a card and ``below`` under
    it, both by the issue's index; with ``show_allowed`` a card says what is allowed. Values are untrusted: they are
    shown by ``st.text``, which renders nothing.
    """
    for number, issue in enumerate(issues):
        with st.container(key=make_key(name, "problem", number), border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                title = issue.kind.title if issue.rule is None else escape_markdown(issue.kind.title)
                st.markdown(f"{format_issue_badge(issue)} **{title}**", width="stretch")
                if on_go is not None:
                    st.button(
                        "Jump to field",
                        key=make_key(name, "go", number),
                        on_click=on_go,
                        args=(issue,),
                        type="tertiary",
                    )
                if beside is not None:
                    beside(number)
            st.text((describe_place or _format_place)(issue))
            st.text(escape_invisible(f"{issue.message} {issue.fix}"))
            if show_allowed and issue.kind.allowed.casefold() not in issue.fix.casefold():
                st.text(f"Allowed: {issue.kind.allowed}")
            if below is not None:
                below(number)


def _format_place(issue: Issue) -> str:
    return issue.place.label
