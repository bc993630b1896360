"""A list of problems as every screen shows it: mark, place, sentence, mend, and the way to the field."""

from collections.abc import Callable, Sequence

import streamlit as st

from intempt_core import Issue
from intempt_core.marking import escape_invisible
from pages.parts.look import LOOKS, badge, counted
from pages.parts.session import key


def summary(issues: Sequence[Issue]) -> str:
    """How many of each severity, as badges; an empty text where there is none."""
    errors = sum(issue.severity == "error" for issue in issues)
    return tally(errors, len(issues) - errors)


def tally(errors: int, warnings: int) -> str:
    """So many errors and warnings as badges; an empty text where there is none."""
    parts = []
    if errors:
        parts.append(f":red-badge[{LOOKS['error'].shape} {counted(errors, 'problem')}]")
    if warnings:
        parts.append(f":orange-badge[{LOOKS['warning'].shape} {counted(warnings, 'warning')}]")
    return " ".join(parts)


def problem_list(
    name: str,
    issues: Sequence[Issue],
    go: Callable[[Issue], None] | None = None,
    where: Callable[[Issue], str] | None = None,
    *,
    beside: Callable[[int], None] | None = None,
    below: Callable[[int], None] | None = None,
    allowed: bool = False,
) -> None:
    """Every issue as one card. With ``go`` each has a button that leads to its field; ``where`` says its place.

    ``beside`` draws what else stands in its head, ``below`` under it; with ``allowed`` it says what would be right.
    What was given is untrusted and stands in ``st.text``, which renders nothing.
    """
    for number, issue in enumerate(issues):
        with st.container(key=key(name, "problem", number), border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{badge(issue.severity)} **{issue.kind.title}**", width="stretch")
                if go is not None:
                    st.button("Go there", key=key(name, "go", number), on_click=go, args=(issue,), type="tertiary")
                if beside is not None:
                    beside(number)
            st.text((where or _words)(issue))
            st.text(escape_invisible(f"{issue.message} {issue.fix}"))
            if allowed:
                st.text(f"Allowed: {issue.kind.allowed}")
            if below is not None:
                below(number)


def _words(issue: Issue) -> str:
    return issue.place.label
