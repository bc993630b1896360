"""The pieces of the Targets screen: a card each, the form for one that is typed, and how to describe one for good."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import uuid4

import streamlit as st

from intempt_core.contract import FEED_TITLES
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
"""What is typed of a target for a session, in the order of the form."""

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

# or in the environment
CONSOLE_TARGET_SHOP_HOST=api.intempt.com   CONSOLE_TARGET_SHOP_ORG=acme   CONSOLE_TARGET_SHOP_PROJECT=shop
CONSOLE_TARGET_SHOP_SOURCE=1487580005268456192   CONSOLE_TARGET_SHOP_KEY=prefix.secret"""


def show_unusable_target(problem: str) -> None:
    """A description that cannot be used, and why."""
    with st.container(border=True):
        st.markdown(":red-badge[■ cannot be used]")
        st.text(problem)


def show_target_card(target: Target) -> None:
    """One target: where it is, what it promises, and the button that asks it. Its key is never shown."""
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
            known = ", ".join(f"{FEED_TITLES[ours]} {theirs}" for ours, theirs in target.feeds.items())
            st.text(f"Feeds: {known}" if known else "Feeds: ids not known, so they can only be expected, not asked")
        if st.button("Test the connection", key=make_key("target-test", target.name)):
            show_connection_test(ask_target(target))


def list_promises(target: Target) -> list[str]:
    """What a target promises, as badges with words."""
    production = ":orange-badge[PRODUCTION]" if target.production else ":gray-badge[not production]"
    deduplicates = "deduplicates" if target.deduplicates else "does not deduplicate"
    return [production, f":gray-badge[{deduplicates}]"]


def ask_target(target: Target) -> ConnectionTest:
    """Ask a target, without making an event."""

    async def asked() -> ConnectionTest:
        async with open_client(get_services().settings) as client:
            return await check_connection(client, target)

    with st.spinner(f"Asking {escape_markdown(target.host)}"):
        return asyncio.run(asked())


def show_connection_test(test: ConnectionTest) -> None:
    """What the test found, in a sentence and a time."""
    st.markdown(":green-badge[● it answers]" if test.ok else ":red-badge[■ not ready]")
    st.text(f"{test.message} {format_duration(test.elapsed_ms)}.")


def show_typed_form() -> None:
    """A target for this session only: nothing of it is written anywhere."""
    with st.expander("Type a target for this session", key="target-typed", expanded=bool(_get_typed_state().trouble)):
        st.caption(
            "It is offered in this tab only, and is gone when the server stops. "
            "Its key is kept in memory and nowhere else."
        )
        with st.form("target-form", border=False, enter_to_submit=False):
            for pair in (
                TYPED_FIELDS[:2],
                TYPED_FIELDS[2:4],
                TYPED_FIELDS[4:],
            ):  # rows, so that they keep their order on a narrow screen
                for column, (field, label) in zip(st.columns(2), pair, strict=True):
                    kind: Literal["password", "default"] = "password" if field == "key" else "default"
                    column.text_input(label, type=kind, key=_make_field_key(field), autocomplete="off")
            left, right = st.columns(2)
            left.checkbox("Production", True, key=_make_field_key("production"))
            right.checkbox("Deduplicates by event id", False, key=_make_field_key("deduplicates"))
            st.form_submit_button("Use this target", key="target-form-use", on_click=use_typed_target)
        if _get_typed_state().trouble:
            st.markdown(":red-badge[■ this target cannot be used]")
            st.text(_get_typed_state().trouble)


def use_typed_target() -> None:
    """Take what was typed as a target, and the key out of its field; or say what is wrong with it."""
    given: dict[str, Any] = {field: read_widget(_make_field_key(field), "") or "" for field, _ in TYPED_FIELDS}
    promised: dict[str, Any] = {
        name: bool(read_widget(_make_field_key(name))) for name in ("production", "deduplicates")
    }
    try:
        target = typed_target(**given, **promised)
        if target.name in get_services().targets:
            raise TargetIncomplete(f"There is a target {target.name} already. Choose another name.")
    except ConsoleError as error:
        _get_typed_state().trouble = str(error)
        return
    _get_typed_state().trouble = ""
    add_typed_target(target)
    for field, _ in TYPED_FIELDS:
        set_widget(_make_field_key(field), "")


@dataclass
class TypedTargetState:
    """What was wrong with the target that was typed last."""

    trouble: str = ""


def _get_typed_state() -> TypedTargetState:
    return get_screen_state(TypedTargetState)


def _make_field_key(field: str) -> str:
    return make_key("target-form", field)


def add_typed_target(target: Target) -> None:
    """Keep a typed target for this session, and its key where the engine finds it."""
    target = replace(target, credential_reference=f"typed for a session ({uuid4().hex[:8]})")
    get_session().typed_targets[target.name] = target
    get_services().typed_targets[target.credential_reference] = target
    get_session().next_target = target.name


def show_target_example() -> None:
    """How to describe a target for good."""
    with st.expander("Describe a target for good", key="target-how"):
        st.caption("In a file beside the console or in its environment; read when the console starts.")
        st.code(TARGET_EXAMPLE, language=None, wrap_lines=True)
