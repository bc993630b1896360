"""A text field of the form, and the problems under a field."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, TypeAlias

import streamlit as st

from intempt_core.contract import Severity, format_count
from intempt_core.validation import escape_invisible
from pages.parts.compose.form import EventForm
from pages.parts.compose.sending import take_event_id
from pages.parts.compose.state import FieldIssue, mark_edited
from pages.parts.shared.formatting import format_issue_badge, format_state_badge

IssuesByField: TypeAlias = Mapping[str, Sequence[FieldIssue]]
"""What a check found, by the widget key of the field."""

LABELS: Mapping[str, str] = {
    "userId": "User id",
    "profileId": "Profile id",
    "anotherUserId": "Another user id",
    "accountId": "Account id",
    "data.productId": "Product id",
    "eventId": "Event id",
}
"""The labels of the fields, by their names on the wire."""

HELP: Mapping[str, str] = {
    "userId": "`userId`: the id by which your application knows the user, for example after a login.",
    "profileId": "`profileId`: the id of a visitor's profile, also before a login.",
    "anotherUserId": (
        "`anotherUserId`: a second user id of the same user. Together with the user id it makes both one user."
    ),
    "accountId": "`accountId`: the account, such as a company, that the user belongs to.",
}
"""What an identity field is for."""


def show_text_input(
    key: str,
    label: str,
    *,
    hint: str = "",
    help_: str = "",
    on_change: Callable[[], None] = mark_edited,
    label_visibility: Literal["visible", "hidden", "collapsed"] = "visible",
) -> None:
    """A text field of the form."""
    st.text_input(
        label,
        key=key,
        placeholder=hint,
        help=help_ or None,
        on_change=on_change,
        persist_state="session",
        label_visibility=label_visibility,
    )


def show_event_field(form: EventForm, name: str, issues: IssuesByField, *, hint: str = "") -> None:
    """A text field of one event, and its problems."""
    taken: Callable[[], None] = partial(take_event_id, form) if name == "eventId" else mark_edited
    show_text_input(form.key(name), LABELS[name], hint=hint, help_=HELP.get(name, ""), on_change=taken)
    show_field_problems(form.key(name), issues)


def show_field_problems(key: str, issues: IssuesByField, notes: Sequence[str] = ()) -> None:
    """The problems of a field, under it; ``notes`` are warnings of the form's own.

    The container is there without problems too, so that no other field moves, or loses what is being typed, when a
    problem appears or disappears.
    """
    with st.container(gap="xxsmall"):
        messages = [(format_issue_badge(one.issue), _describe_issue(one)) for one in issues.get(key, ())]
        for badge, sentence in [*messages, *((format_state_badge(Severity.WARNING), note) for note in notes)]:
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                st.markdown(badge, width="content")
                with st.container(width="stretch"):
                    st.text(sentence)


def _describe_issue(found: FieldIssue) -> str:
    several = f" In {format_count(len(found.events), 'event')}." if len(found.events) > 1 else ""
    return escape_invisible(f"{found.issue.message} {found.issue.fix}{several}")
