"""The problems of a pasted text by kind: how many, the first place, the fix; a kind that is opened lists its places."""

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.fixes import ProblemGroup, TextProblem, count_problems, list_fixes, preview_text_fixes
from intempt_core.readers import locate_in_payload
from intempt_core.validation import escape_invisible
from pages.parts.inspect.fixes_state import (
    apply_previewed_fixes,
    focus_problem,
    list_previewed_fixes,
    select_preview,
)
from pages.parts.inspect.state import InspectState
from pages.parts.shared.formatting import escape_markdown, get_kind_style
from pages.parts.shared.problem_list import format_issue_counts
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.session_targets import get_selected_target
from pages.parts.shared.widgets.annotated_text import show_text_changes

PLACES_PER_PAGE = 20
"""Places of one kind of problem that are listed at once."""

MAX_PROBLEMS_OPEN = 20
"""So many problems are listed without being asked for; of more, their kinds are."""


def format_problem_counts(screen: InspectState) -> str:
    """How many problems the text has, as badges: each place counts once, however many events it is of."""
    counts = count_problems(screen.problems)
    return format_issue_counts(counts.errors, counts.warnings, counts.team) or ":blue-badge[✓ no problems found]"


def show_problem_groups(screen: InspectState) -> None:
    """The problems by kind, and their fixes."""
    fixes = list_fixes(screen.problems)
    if len(fixes) > 1:
        st.button(f"Preview fixes of {format_count(len(fixes), 'problem')}", key="inspect-fix-all",
                  on_click=select_preview, args=(tuple(fixes),))  # fmt: skip
        if len(screen.preview) > 1 and set(screen.preview) == set(fixes):
            show_fix_preview(screen)
    for group in screen.groups:
        show_problem_group(screen, group, is_only_fixed=len(group.fixable) == len(fixes))


def show_problem_group(screen: InspectState, group: ProblemGroup, *, is_only_fixed: bool) -> None:
    """One kind of problem: its count, its first place and its fix, and, opened, its places.

    ``is_only_fixed`` says that no other kind has a fix, so that one button for all is enough.
    """
    code, style = group.problems[0].issue.code, get_kind_style(group.kind, is_team=group.is_team)
    with st.container(border=True, gap="xsmall", key=make_key("inspect-kind", code)):
        team = " team's rule" if group.is_team else ""
        badge = f":{style.colour}-badge[{style.shape} {len(group.problems):,}{team}]"
        st.markdown(f"{badge} **{escape_markdown(group.kind.title)}** {_describe_extent(group)}")
        if len(group.problems) == 1:
            show_problem(screen, group.problems[0])
            return
        first = group.problems[0]
        st.text(escape_invisible(f"First: {format_place(screen, first)}"))
        st.text(escape_invisible(f"{first.issue.message} {first.issue.fix}"))
        with st.container(horizontal=True, vertical_alignment="center"):
            fixable = [problem.number for problem in group.fixable]
            if len(fixable) > 1 and not is_only_fixed:
                st.button(f"Preview {len(fixable):,} fixes", key=make_key("inspect-fix-kind", code), type="tertiary",
                          on_click=select_preview, args=(tuple(fixable),))  # fmt: skip
        if len(screen.preview) > 1 and list(screen.preview) == fixable and not is_only_fixed:
            show_fix_preview(screen)
        places = st.expander(
            f"{format_count(len(group.problems), 'place')}",
            expanded=len(screen.problems) <= MAX_PROBLEMS_OPEN,
            key=make_key("inspect-places", code, screen.reads),
            on_change="rerun",
            type="compact",
        )
        if places.open:
            with places:
                show_places(screen, group)


def _describe_extent(group: ProblemGroup) -> str:
    """In how many events a kind is, where that is another number than that of its places."""
    if group.events in (0, len(group.problems)):
        return ""
    return f"in {format_count(group.events, 'event')}"


def show_places(screen: InspectState, group: ProblemGroup) -> None:
    """The places of one kind, a page of them."""
    code = group.problems[0].issue.code
    pages = -(-len(group.problems) // PLACES_PER_PAGE)
    page = st.pagination(pages, key=make_key("inspect-page", code)) if pages > 1 else 1
    for problem in group.problems[(page - 1) * PLACES_PER_PAGE : page * PLACES_PER_PAGE]:
        with st.container(gap="xxsmall", key=make_key("inspect-place", problem.number)):
            show_problem(screen, problem)


def show_problem(screen: InspectState, problem: TextProblem) -> None:
    """One problem: where it is, what is wrong, what to do, and the buttons that lead there and fix it."""
    issue, number = problem.issue, problem.number
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(escape_invisible(format_place(screen, problem)), width="stretch")
        if problem.fix is not None:
            st.button("Preview fix", key=make_key("inspect-fix", number), type="tertiary",
                      on_click=select_preview, args=((number,),))  # fmt: skip
        if number < len(screen.annotations):
            st.button("Jump to line", key=make_key("inspect-go", number), type="tertiary", on_click=focus_problem,
                      args=(number,))  # fmt: skip
    st.text(escape_invisible(f"{issue.message} {issue.fix}"))
    if issue.kind.allowed.casefold() not in issue.fix.casefold():
        st.caption(escape_markdown(f"Allowed: {issue.kind.allowed}"))
    if screen.preview == (number,):
        show_fix_preview(screen)


def format_place(screen: InspectState, problem: TextProblem) -> str:
    """Where a problem is: line, column and path."""
    if screen.payload is None:
        return ""
    offset, place = screen.places.get(problem.number), problem.issue.place
    at = locate_in_payload(screen.payload, place.pointer) if offset is None else screen.payload.line_column(offset)
    parts = [f"Line {at[0]:,}, column {at[1]:,}", place.path]
    return " · ".join(part for part in parts if part)


def show_fix_preview(screen: InspectState) -> None:
    """The changes that the previewed fixes would make."""
    if screen.payload is None:
        return
    fixes = list_previewed_fixes()
    count = format_count(len(fixes), "problem")
    st.text(fixes[0].title if len(fixes) == 1 else f"Fixes {count}; the rest of the text is not changed.")
    show_text_changes(preview_text_fixes(screen.payload.text, fixes), key="inspect-difference")
    with st.container(horizontal=True):
        st.button(
            "Apply fix" if len(fixes) == 1 else f"Fix {count}",
            key="inspect-fix-apply",
            type="primary",
            on_click=apply_previewed_fixes,
            args=(get_selected_target(),),
        )
        st.button("Cancel", key="inspect-fix-cancel", on_click=select_preview, args=((),))
