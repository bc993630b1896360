"""The pieces of the Compose screen, from top to bottom."""

from typing import Any

import streamlit as st

from intempt_core import Issue, Target
from intempt_core.events import DRIVES, IDENTITIES, EventName
from intempt_core.history import BatchState
from pages.parts import composing, sending
from pages.parts.composing import JOURNEYS, Composing, State
from pages.parts.exchange import exchange
from pages.parts.form import CHOSEN, NO_TIME, PLACES, TYPES, WHENS, EventForm, zones
from pages.parts.house import house
from pages.parts.look import badge, counted, escaped, weight, zone_name
from pages.parts.problems import summary
from pages.parts.session import key


def journeys() -> None:
    """Ready-made journeys that fill the form in one click."""
    with st.popover("Ready-made journeys", key="compose-journeys", type="tertiary"):
        st.caption("Each fills the form with the events of one person, for the product and person on it.")
        for number, title in enumerate(JOURNEYS):
            st.button(title, key=key("compose-journey", number), on_click=composing.journey, args=(title,))


def event_form(screen: Composing, form: EventForm) -> None:
    """The fields of one event, each with its problems under it."""
    issues = screen.issues_of(form)
    number = screen.forms.index(form) + 1
    with st.container(border=len(screen.forms) > 1, key=key("compose-event", form.uid)):
        if len(screen.forms) > 1:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**Event {number}** {summary(issues)}", width="stretch")
                st.button("Take out", key=form.key("remove"), type="tertiary", on_click=composing.remove, args=(form,))
        what(form, issues)
        text(form, "data.productId", "Product id", issues, "The id that your catalogue uses, for example SKU_987")
        who(form, issues)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            with st.container(width="stretch"):
                text(form, "eventId", "Event id", issues, "Any text that no other event has")
            st.button("↻ Fresh id", key=form.key("fresh"), on_click=composing.renew, args=(form,))
        when(form, issues)
        further(form)


def what(form: EventForm, issues: list[Issue]) -> None:
    """The four events, and what the chosen one drives."""
    names = [name.value for name in EventName]
    current = form.value("name", None)
    if current is not None and current not in names:
        names.append(str(current))
    st.pills("What happened", names, key=form.key("name"), on_change=composing.edited, persist_state="session")
    chosen = form.value("name", None)
    st.caption(DRIVES[EventName(chosen)] if chosen in DRIVES else "Choose one of the four.")
    field_problems("name", issues)


def who(form: EventForm, issues: list[Issue]) -> None:
    """The four identities; any one of them is enough."""
    st.caption("Who: any one of the four is enough")
    left, right = st.columns(2)
    for number, identity in enumerate(IDENTITIES):
        with left if number % 2 == 0 else right:
            text(form, identity, identity, issues)
    field_problems("who", issues)


def when(form: EventForm, issues: list[Issue]) -> None:
    """The optional time: none, now, or one chosen in a time zone."""
    st.segmented_control(
        "When",
        WHENS,
        key=form.key("when"),
        required=True,
        default=None if form.key("when") in st.session_state else NO_TIME,
        on_change=composing.edited,
        persist_state="session",
    )
    with st.container():
        if form.value("when") == CHOSEN:
            moment(form)
        elif form.value("when") == NO_TIME:
            st.caption("Without a time the server takes its own clock.")
    field_problems("timestamp", issues)


def moment(form: EventForm) -> None:
    """The picker, to the minute, its milliseconds, and its zone."""
    day, rest, zone = st.columns([3, 2, 3])
    common: dict[str, Any] = {"on_change": composing.edited, "persist_state": "session"}
    day.datetime_input("Date and time", key=form.key("moment"), step=60, **common)
    rest.number_input("Milliseconds", 0, 999, key=form.key("milliseconds"), **common)
    zone.selectbox("Time zone", zones(zone_name()), key=form.key("zone"), **common)


def further(form: EventForm) -> None:
    """Further values as rows of place, key, type and text."""
    for row in list(form.rows):
        place, name, kind, content, remove = st.columns([3, 3, 3, 4, 1], vertical_alignment="bottom")
        common: dict[str, Any] = {"on_change": composing.edited, "persist_state": "session"}
        place.selectbox("In", PLACES, key=form.key(f"row-{row}-in"), **common)
        name.text_input("Key", key=form.key(f"row-{row}-key"), **common)
        kind.selectbox("Type", TYPES, key=form.key(f"row-{row}-type"), **common)
        content.text_input("Value", key=form.key(f"row-{row}-value"), **common)
        remove.button("✕", key=form.key(f"row-{row}-remove"), help="Remove this row", on_click=drop, args=(form, row))
        with st.container():
            if not form.row(row).fits:
                st.markdown(badge("warning"))
                st.text("This text is not of its type; it leaves as text.")
    st.button("+ More data", key=form.key("more"), type="tertiary", on_click=more, args=(form,))


def more(form: EventForm) -> None:
    """One more row for further values."""
    form.add_row()
    composing.edited()


def drop(form: EventForm, row: int) -> None:
    """Remove one row."""
    form.rows.remove(row)
    composing.edited()


def text(form: EventForm, field: str, label: str, issues: list[Issue], hint: str = "") -> None:
    """One text field and its problems."""
    st.text_input(label, key=form.key(field), placeholder=hint, on_change=composing.edited, persist_state="session")
    field_problems(field, issues)


def field_problems(field: str, issues: list[Issue]) -> None:
    """What is wrong with one field, under it.

    The container is there even when nothing is wrong, so that no other field moves, or loses what is being typed,
    when a problem comes or goes.
    """
    with st.container(gap="xxsmall"):
        for issue in issues:
            if composing.field_of(issue) == field:
                with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                    st.markdown(badge(issue.severity), width="content")
                    with st.container(width="stretch"):
                        st.text(f"{issue.says} {issue.mend}")


def request_text(screen: Composing, target: Target) -> None:
    """The exact request as it will leave."""
    st.markdown("**The request**")
    st.code(
        f"POST {target.track_url}\nContent-Type: application/json\n\n{screen.payload.text}",
        language=None,
        wrap_lines=True,
        height=520 if len(screen.forms) > 1 else "content",
    )
    st.caption(f"Line breaks are for reading: the body leaves on one line, {weight(len(screen.body))}.")


def standing(screen: Composing) -> None:
    """The form's state, in words."""
    words = {
        State.NOT_CHECKED: ":gray-badge[… not checked]",
        State.CHECKING: ":gray-badge[… checking]",
        State.PROBLEMS: "",
        State.READY: ":blue-badge[✓ ready]",
        State.SENDING: ":gray-badge[… sending]",
        State.OUTCOME: ":blue-badge[outcome below]",
    }[screen.state]
    st.markdown(f"{words} {summary(screen.issues)}".strip())


def send_buttons(screen: Composing, target: Target) -> None:
    """Check, send, and, for what has problems, send as it is behind a confirm."""
    events = counted(len(screen.forms), "event")
    busy = screen.state is State.SENDING
    with st.container(horizontal=True):
        if sending.named(target, "compose"):
            st.button(
                f"Send {events} to {escaped(target.title)}",
                key="compose-send",
                type="primary",
                disabled=busy,
                on_click=composing.send,
                args=(target, sending.policy_of(target)),
            )
            if screen.state is State.PROBLEMS:
                with st.popover("Send as it is", key="compose-as-it-is"):
                    st.text("A deliberately wrong event is a test case. It leaves exactly as shown.")
                    st.button(
                        f"Send {events} with problems",
                        key="compose-send-as-it-is",
                        on_click=composing.send,
                        args=(target, sending.policy_of(target)),
                        kwargs={"as_it_is": True},
                    )
        st.button("Check", key="compose-check", disabled=busy, on_click=composing.check)


def outcome(screen: Composing, target: Target) -> None:
    """Progress while the request is on its way, then its card."""
    st.divider()
    batch = screen.batch or ""
    if screen.state is State.SENDING:
        sending.watch(batch)
        if house().history.batch(batch).state is not BatchState.SENDING:
            st.rerun()  # it arrived while this screen was drawn
        return
    for summary_ in house().history.requests(batch).items:
        exchange(house().history.request(summary_.id), target)
    found = house().history.batch(batch)
    if found.reason:
        st.text(found.reason)
    sending.controls(found)
    same_again(target)


def same_again(target: Target) -> None:
    """The very same request once more, under the same ids, and what deduplication will do with it."""
    with st.container(horizontal=True, vertical_alignment="center", key="compose-again"):
        st.button("Send the same again", key="compose-same", on_click=composing.send_same, args=(target,))
        st.text(sending.deduplication(target))


def focus(screen: Composing) -> None:
    """Put the cursor into the field that "Go there" asked for."""
    if screen.focus:
        st.html(
            f"<script>document.querySelector('.st-key-{screen.focus} input, .st-key-{screen.focus} button')"
            "?.focus()</script>",
            unsafe_allow_javascript=True,
        )
        screen.focus = None
