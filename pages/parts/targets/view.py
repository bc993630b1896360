"""What the Targets screen shows: a card for each target, the form for a temporary one, how to add a permanent one."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import streamlit as st

from intempt_core.contract import FEED_TITLES, format_count
from intempt_core.errors import ConsoleError, TargetIncomplete
from intempt_core.targets import Target, typed_target
from intempt_core.transport import ConnectionTest, check_connection, open_client
from pages.parts.shared.formatting import escape_markdown, format_duration
from pages.parts.shared.screen_state import get_screen_state, get_session, make_key, read_widget, set_widget
from pages.parts.shared.services import get_services

TYPED_FIELDS = (
    ("name", "Name"),
    ("host", "Host, such as api.intempt.com"),
    ("org", "Organisation"),
    ("project", "Project"),
    ("source", "Source id"),
    ("key", "Key (prefix.secret)"),
)
"""The fields of the form for a temporary target, in their order."""

TARGET_EXAMPLE = """\
# .streamlit/secrets.toml
[targets.shop]
host = "api.intempt.com"
org = "acme"
project = "shop"
source = "1487580005268456192"
key = "prefix.secret"
production = true
deduplicates = false
feeds = { "recently-viewed" = "101", "recently-added-to-cart" = "102" }
requests_per_second = 20
requests_in_flight = 4

# or in the environment
CONSOLE_TARGET_SHOP_HOST=api.intempt.com   CONSOLE_TARGET_SHOP_ORG=acme   CONSOLE_TARGET_SHOP_PROJECT=shop
CONSOLE_TARGET_SHOP_SOURCE=1487580005268456192   CONSOLE_TARGET_SHOP_KEY=prefix.secret"""


def show_unusable_target(problem: str) -> None:
    """A configured target that cannot be used, and why."""
    with st.container(border=True):
        st.markdown(":red-badge[■ cannot be used]")
        st.text(problem)


def show_target_card(target: Target) -> None:
    """One target: its URL, its properties, and the connection test. Its key is never shown."""
    with st.container(border=True, key=make_key("target", target.name)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escape_markdown(target.title)}**", width="content")
            st.markdown(" ".join(list_promises(target)), width="stretch")
        st.code(f"POST {target.track_url}", language=None, wrap_lines=True)
        with st.container(gap="xxsmall"):
            st.text(f"Organisation {target.org} · project {target.project} · source {target.source}")
            st.text(f"Key present: {target.credential_reference}" if target.credential else "Key missing")
            if target.requests_per_second:
                st.text(f"At most {target.requests_per_second:g} requests a second")
            if target.requests_in_flight:
                st.text(f"At most {format_count(target.requests_in_flight, 'request')} in flight")
            known = ", ".join(f"{FEED_TITLES[feed]} ({feed_id})" for feed, feed_id in target.feeds.items())
            st.text(f"Feed ids: {known}" if known else "Feed ids: not known, so feeds are predicted but cannot be read")
        if st.button("Test the connection", key=make_key("target-test", target.name)):
            show_connection_test(run_connection_test(target))


def list_promises(target: Target) -> list[str]:
    """Whether a target is production and deduplicates, as badges."""
    production = ":orange-badge[PRODUCTION]" if target.production else ":gray-badge[not production]"
    deduplicates = "deduplicates" if target.deduplicates else "does not deduplicate"
    return [production, f":gray-badge[{deduplicates}]"]


def run_connection_test(target: Target) -> ConnectionTest:
    """Test the connection to a target, without sending an event."""

    async def check() -> ConnectionTest:
        async with open_client(get_services().settings) as client:
            return await check_connection(client, target)

    with st.spinner(f"Connecting to {escape_markdown(target.host)}"):
        return asyncio.run(check())


def show_connection_test(test: ConnectionTest) -> None:
    """The result of the test as a sentence, with the time it took."""
    st.markdown(":green-badge[● connected]" if test.ok else ":red-badge[■ not connected]")
    st.text(f"{test.message} {format_duration(test.elapsed_ms)}.")


def show_typed_form() -> None:
    """The form for a temporary target: nothing of it is written anywhere."""
    with st.expander("Add a temporary target", key="target-typed", expanded=bool(_get_typed_state().trouble)):
        st.caption(
            "It can be selected in this tab only, until the server stops. Its key is kept in memory and nowhere else."
        )
        with st.form("target-form", border=False, enter_to_submit=False):
            for pair in (
                TYPED_FIELDS[:2],
                TYPED_FIELDS[2:4],
                TYPED_FIELDS[4:],
            ):  # rows, so that they keep their order on a narrow screen
                for column, (field, label) in zip(st.columns(2), pair, strict=True):
                    if field == "key":
                        with column.container(key=_make_field_key(field)):
                            # As for a new password, which a password manager does not fill in unasked.
                            st.text_input(label, type="password", key=_make_secret_key(), autocomplete="new-password")
                    else:
                        column.text_input(label, key=_make_field_key(field), autocomplete="off")
            left, right = st.columns(2)
            left.checkbox("Production", True, key=_make_field_key("production"))
            right.checkbox("Deduplicates by event id", False, key=_make_field_key("deduplicates"))
            st.form_submit_button("Add this target", key="target-form-use", on_click=use_typed_target)
        if _get_typed_state().trouble:
            st.markdown(":red-badge[■ this target cannot be used]")
            st.text(_get_typed_state().trouble)


def use_typed_target() -> None:
    """Add the typed target and clear the form, or keep what is wrong with it. The key's field is always cleared."""
    given: dict[str, Any] = {field: read_widget(_make_field_key(field), "") or "" for field, _ in TYPED_FIELDS}
    given["key"] = read_widget(_make_secret_key(), "") or ""
    set_widget(_make_secret_key(), "")
    _get_typed_state().keys_typed += 1
    promised: dict[str, Any] = {
        name: bool(read_widget(_make_field_key(name))) for name in ("production", "deduplicates")
    }
    try:
        target = typed_target(**given, **promised)
        if target.name in get_services().targets:
            raise TargetIncomplete(f"There is already a target {target.name}. Choose another name.")
    except ConsoleError as error:
        _get_typed_state().trouble = str(error)
        return
    _get_typed_state().trouble = ""
    add_typed_target(target)
    for field, _ in TYPED_FIELDS:
        if field != "key":
            set_widget(_make_field_key(field), "")


@dataclass
class TypedTargetState:
    """The form for a temporary target.

    Attributes:
        trouble: What is wrong with the target that was typed last, as a sentence.
        keys_typed: How often a key was typed.
    """

    trouble: str = ""
    keys_typed: int = 0


def _get_typed_state() -> TypedTargetState:
    return get_screen_state(TypedTargetState)


def _make_field_key(field: str) -> str:
    return make_key("target-form", field)


def _make_secret_key() -> str:
    """The widget of the key: another one after each use.

    A field that is only set to an empty text keeps in the browser what was typed, or filled in by a password manager,
    where the browser has not told the server of it, or the server's text is the same as before.
    """
    return make_key("target-form-secret", _get_typed_state().keys_typed)


def add_typed_target(target: Target) -> None:
    """Add a target to this tab, and its key to where the engine finds it."""
    target = replace(target, credential_reference=f"typed for a session ({uuid4().hex[:8]})")
    get_session().typed_targets[target.name] = target
    get_services().typed_targets[target.credential_reference] = target
    get_session().next_target = target.name


def show_target_example() -> None:
    """How to add a permanent target."""
    with st.expander("Add a permanent target", key="target-how"):
        st.caption("In a file of the console or in its environment; read when the console starts.")
        st.code(TARGET_EXAMPLE, language=None, wrap_lines=True)
