"""The pieces of the Targets screen: a card each, the form for one that is typed, and how to describe one for good."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import streamlit as st

from intempt_core import ConnectionTest, ConsoleError, Target, open_client, test_connection, typed_target
from pages.parts.house import house
from pages.parts.look import escaped, lasted
from pages.parts.session import key, session

HOW = """\
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

# or in the environment
CONSOLE_TARGET_SHOP_HOST=api.intempt.com   CONSOLE_TARGET_SHOP_ORG=acme   CONSOLE_TARGET_SHOP_PROJECT=shop
CONSOLE_TARGET_SHOP_SOURCE=1487580005268456192   CONSOLE_TARGET_SHOP_KEY=prefix.secret"""


def unusable(problem: str) -> None:
    """A description that cannot be used, and why."""
    with st.container(border=True):
        st.markdown(":red-badge[■ cannot be used]")
        st.text(problem)


def card(target: Target) -> None:
    """One target: where it is, what it promises, and the button that asks it. Its key is never shown."""
    with st.container(border=True, key=key("target", target.name)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escaped(target.title)}**", width="content")
            st.markdown(" ".join(promises(target)), width="stretch")
        there = target.credential is not None
        st.code(f"POST {target.track_url}", language=None, wrap_lines=True)
        with st.container(horizontal=True, gap="large"):
            st.text(f"Organisation {target.org} · project {target.project} · source {target.source}")
            st.text(f"Key {'present' if there else 'missing'}, from {target.credential_reference}")
            known = ", ".join(f"{ours} → {theirs}" for ours, theirs in target.feeds.items())
            st.text(f"Feeds: {known}" if known else "Feeds: ids not known, so feeds are expected only")
        if st.button("Test the connection", key=key("target-test", target.name)):
            answer(ask(target))


def promises(target: Target) -> list[str]:
    """What a target promises, as badges with words."""
    production = ":orange-badge[PRODUCTION]" if target.production else ":gray-badge[not production]"
    deduplicates = "deduplicates" if target.deduplicates else "does not deduplicate"
    return [production, f":gray-badge[{deduplicates}]"]


def ask(target: Target) -> ConnectionTest:
    """Ask a target, without making an event."""

    async def asked() -> ConnectionTest:
        async with open_client(house().settings) as client:
            return await test_connection(client, target)

    with st.spinner(f"Asking {escaped(target.host)}"):
        return asyncio.run(asked())


def answer(test: ConnectionTest) -> None:
    """What the test found, in a sentence and a time."""
    st.markdown(":green-badge[● it answers]" if test.ok else ":red-badge[■ not ready]")
    st.text(f"{test.sentence} {lasted(test.elapsed_ms)}.")


def typed_form() -> None:
    """A target for this session only: nothing of it is written anywhere."""
    with st.expander("Type a target for this session", key="target-typed"):
        st.caption("It is gone when this tab or the server ends. Its key is kept in memory and nowhere else.")
        with st.form("target-form", border=False, enter_to_submit=False):
            left, right = st.columns(2)
            name = left.text_input("Name", key="target-form-name")
            host = right.text_input("Host", "api.intempt.com", key="target-form-host")
            org = left.text_input("Organisation", key="target-form-org")
            project = right.text_input("Project", key="target-form-project")
            source = left.text_input("Source id", key="target-form-source")
            secret = right.text_input("Key (prefix.secret)", type="password", key="target-form-key", autocomplete="off")
            production = left.checkbox("Production", True, key="target-form-production")
            deduplicates = right.checkbox("Deduplicates by event id", False, key="target-form-deduplicates")
            if st.form_submit_button("Use this target", key="target-form-use"):
                try:
                    add(typed_target(name=name, host=host, org=org, project=project, source=source, key=secret,
                                     production=production, deduplicates=deduplicates))  # fmt: skip
                except ConsoleError as error:
                    st.markdown(":red-badge[■ this target cannot be used]")
                    st.text(str(error))
                else:
                    st.rerun()


def add(target: Target) -> None:
    """Keep a typed target for this session, and its key where the engine finds it."""
    target = replace(target, credential_reference=f"typed for a session ({uuid4().hex[:8]})")
    session().typed[target.name] = target
    house().typed[target.credential_reference] = target
    session().wanted = target.name


def how_to_describe() -> None:
    """How to describe a target for good."""
    with st.expander("Describe a target for good", key="target-how"):
        st.caption("In a file beside the console or in its environment; read when the console starts.")
        st.code(HOW, language=None, wrap_lines=True)
