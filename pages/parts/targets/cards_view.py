"""A card for each target: what it promises, where its key is, its connection test; those added here can be changed."""

import streamlit as st

from intempt_core.contract import FEED_TITLES, format_count
from intempt_core.settings import PROJECT_FOLDER
from intempt_core.targets import SANDBOX, STORED, Target, normalize_target_name
from pages.parts.shared.formatting import escape_markdown, format_duration, format_moment
from pages.parts.shared.header import get_environment_label
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import list_targets
from pages.parts.targets.form_view import show_target_form
from pages.parts.targets.state import (
    COUNTED,
    IGNORED,
    ask_target,
    ask_to_delete,
    delete_target,
    find_answer,
    get_targets_state,
    make_secret_key,
    open_form,
    use_typed_key,
)

TARGET_EXAMPLE = """\
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


def show_targets() -> None:
    """All targets, those that cannot be used first, and how one is described outside of this screen."""
    known = get_services().known_targets.registry
    for problem in known.problems:
        _show_unusable_target(problem)
    for name, problem in known.stored_problems.items():
        if _is_open(name):
            show_target_form()
        else:
            _show_unusable_target(f"{name}: {problem}", stored=name)
    for target in list_targets().values():
        if target.origin == STORED and _is_open(target.name):
            show_target_form()
        else:
            show_target_card(target)
    with st.expander("Describe a target in a file or in the environment", key="target-how"):
        st.caption("Read when the console starts; such a target cannot be changed on this screen.")
        st.code(f"# {_name_secrets_file()}\n{TARGET_EXAMPLE}", language=None, wrap_lines=True)


def _name_secrets_file() -> str:
    """The file that describes targets: in a clone as seen from there."""
    file = get_services().settings.secrets_file
    return str(file.relative_to(PROJECT_FOLDER) if file.is_relative_to(PROJECT_FOLDER) else file)


def show_target_card(target: Target) -> None:
    """One target: its URL, its promises, its key, which is never shown, and its connection test."""
    with st.container(border=True, key=make_key("target", target.name)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(escape_markdown(target.title), anchor=False, width="content")
            st.markdown(" ".join(list_promises(target)), width="stretch")
        st.code(f"POST {target.track_url}", language=None, wrap_lines=True)
        with st.container(gap="xxsmall"):
            st.text(f"Organisation {target.org} · project {target.project} · source {target.source}")
            st.text(describe_key(target))
            if limits := describe_limits(target):
                st.text(limits)
            if webhook := describe_webhook(target):
                st.text(webhook)
            if not target.feeds:
                st.text("Feeds: no ids known, so they are predicted and cannot be asked")
        if target.feeds:
            _show_feed_ids(target)
        if target.origin == STORED and target.credential is None:
            _show_key_form(target)
        _show_actions(target)
        _show_answer(target)


def list_promises(target: Target) -> list[str]:
    """The environment of a target, and what it does with duplicates, as badges."""
    colour = "red" if target.production else "gray"
    duplicates = IGNORED if target.deduplicates else COUNTED
    return [f":{colour}-badge[{get_environment_label(target)}]", f":gray-badge[Duplicates: {duplicates}]"]


def describe_key(target: Target) -> str:
    """Where a target's key is, never what it is."""
    reference = target.credential_reference
    if target.origin == STORED:
        if target.credential is None:
            if not reference.startswith("$"):
                return "Key: not here. It is typed for each session."
            is_set = get_services().known_targets.has_key(reference.removeprefix("$"))
            what = "has no key of the form prefix.secret" if is_set else "is not set"
            return f"Key: not here. {reference} {what} where the console runs."
        return f"Key: read from {reference}" if reference.startswith("$") else "Key: typed for this session"
    if target.credential is None:
        return f"Key: missing in {_name_origin(target)}"
    return f"Key: present, {_name_origin(target)}"


def _name_origin(target: Target) -> str:
    """What describes a target, for a sentence."""
    return "built in" if target.origin == SANDBOX else f"from {target.credential_reference}"


def describe_webhook(target: Target) -> str:
    """Where a target's webhook leads, by its host alone, and whether its secret is there; empty where it has none."""
    if not target.webhook:
        return ""
    if not target.webhook_secret:
        return f"Webhook: {target.webhook_host}. It is told nothing: webhook_secret is missing."
    is_set = get_services().known_targets.has_key(target.webhook_secret)
    told = "" if is_set else " It is told nothing: that variable is not set where the console runs."
    return f"Webhook: {target.webhook_host}, signed with ${target.webhook_secret}.{told}"


def describe_limits(target: Target) -> str:
    """The limits of a target; empty where it has none."""
    limits = []
    if target.requests_per_second:
        limits.append(f"{target.requests_per_second:g} requests a second")
    if target.requests_in_flight:
        limits.append(f"{format_count(target.requests_in_flight, 'request')} in flight")
    return f"At most {' and '.join(limits)}" if limits else ""


def _is_open(name: str) -> bool:
    editing = get_targets_state().editing
    return bool(editing) and normalize_target_name(editing or "") == normalize_target_name(name)


def _show_feed_ids(target: Target) -> None:
    title = f"Feeds: {len(target.feeds)} of {len(FEED_TITLES)} can be asked"
    with st.expander(title, key=make_key("target-feeds", target.name)), st.container(gap="xxsmall"):
        for feed, feed_id in target.feeds.items():
            st.text(f"{FEED_TITLES[feed]}: {feed_id}")


def _show_key_form(target: Target) -> None:
    """The field of a key that is typed for this session."""
    place = make_key("target-key", target.name)
    with (
        st.container(key=place),
        st.form(make_key(place, "form"), border=False, enter_to_submit=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input(
            "Key for this session",
            type="password",
            key=make_secret_key(place),
            autocomplete="new-password",
            placeholder="prefix.secret",
            width=320,
        )
        st.form_submit_button("Use this key", key=make_key(place, "use"), on_click=use_typed_key, args=(target.name,))
    if fault := get_targets_state().key_faults.get(target.name):
        st.markdown(f":red[■ {escape_markdown(fault)}]")


def _show_actions(target: Target) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Test the connection", key=make_key("target-test", target.name), on_click=ask_target, args=(target.name,)
        )
        if target.origin == STORED:
            _show_changes(target.name)
        elif target.origin != SANDBOX:
            where = "the environment" if target.origin == "environment" else target.origin
            st.caption(f"Described in {where}: change it there.", width="content")
    _show_question(target.name)


def _show_changes(name: str) -> None:
    st.button("Edit", key=make_key("target-edit", name), on_click=open_form, args=(name,))
    st.button("Delete", key=make_key("target-delete", name), on_click=ask_to_delete, args=(name,))


def _show_question(name: str) -> None:
    """The question before a target is deleted."""
    if get_targets_state().deleting != name:
        return
    with st.container(border=True, key=make_key("target-question", name)):
        st.text(
            f"Delete {name}? Everybody who uses this console loses it. What was sent stays in History; what is still"
            " queued for it stops."
        )
        with st.container(horizontal=True):
            st.button(
                f"Delete {escape_markdown(name)}",
                key=make_key("target-delete-yes", name),
                type="primary",
                on_click=delete_target,
                args=(name,),
            )
            st.button("Cancel", key=make_key("target-delete-no", name), on_click=ask_to_delete, args=("",))


def _show_answer(target: Target) -> None:
    """The answer of the last connection test as a sentence, with when it was asked and how long it took."""
    found = find_answer(target)
    if found is None:
        return
    st.markdown(":green-badge[● connected]" if found.test.ok else ":red-badge[■ not connected]")
    st.text(f"{found.test.message} Asked {format_moment(found.asked_at)}, {format_duration(found.test.elapsed_ms)}.")


def _show_unusable_target(problem: str, stored: str = "") -> None:
    """A description that cannot be used, and why."""
    with st.container(border=True):
        st.markdown(":red-badge[■ cannot be used]")
        st.text(problem)
        if stored:
            with st.container(horizontal=True):
                _show_changes(stored)
            _show_question(stored)
