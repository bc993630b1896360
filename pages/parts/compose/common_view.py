"""The person and the product of the form: told once, for all of its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS
from intempt_core.targets import Target, derive_target_key
from pages.parts.compose.field_view import HELP, LABELS, IssuesByField, show_field_problems, show_text_input
from pages.parts.compose.form import make_common_key
from pages.parts.compose.state import ComposeState, show_identity
from pages.parts.shared.field_suggestions import (
    read_recent_persons,
    show_person_suggestions,
    show_product_suggestions,
)
from pages.parts.shared.product_names import show_product_name
from pages.parts.shared.screen_state import get_screen_state, make_key, read_widget
from pages.parts.shared.services import get_services


@dataclass
class RecentPersons:
    """The persons that the fields of the form are offered in one tab.

    Attributes:
        found: The identities that were used before, newest first, by target (a ``key``) and number of sends.
    """

    found: dict[tuple[str, int], Sequence[Mapping[str, str]]] = field(default_factory=dict)


def show_common_fields(screen: ComposeState, target: Target, issues: IssuesByField) -> None:
    """Who it is about, and the product of all events that have none of their own."""
    with st.container(key="compose-common", gap="small"):
        who, product = st.columns([1, 1], gap="medium")
        with who:
            show_person_fields(screen, target, issues)
        with product:
            show_product_field(target, issues)
    if len(screen.forms) > 1:
        st.caption("Every event is of this user and this product, unless it has its own.")


def show_person_fields(screen: ComposeState, target: Target, issues: IssuesByField) -> None:
    """The identities of the person; one of them is enough."""
    shown = [name for name in ("userId", *IDENTITY_FIELDS) if _is_shown(screen, name)]
    persons = _read_persons(screen, target)
    for name in dict.fromkeys(shown):
        key = make_common_key(name)
        with st.container(gap=None):
            show_text_input(key, LABELS[name], hint="user_123" if name == "userId" else "", help_=HELP[name])
            show_person_suggestions(persons, name, LABELS[name], key, key=make_key("compose-suggest", name))
        show_field_problems(key, issues)
    show_field_problems(make_common_key("identity"), issues)
    others = [name for name in IDENTITY_FIELDS if name not in shown]
    if others:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="compose-identities"):
            st.caption("User identity (at least one)", width="content")
            for name in others:
                label = f"+ {LABELS[name]}"
                key = make_key("compose-show", name)
                st.button(label, key=key, type="tertiary", help=HELP[name], on_click=show_identity, args=(name,))


def _is_shown(screen: ComposeState, name: str) -> bool:
    return name in screen.shown_identities or bool(read_widget(make_common_key(name)))


def _read_persons(screen: ComposeState, target: Target) -> Sequence[Mapping[str, str]]:
    """The identities that were used before; read again after each send."""
    state, asked = get_screen_state(RecentPersons), (derive_target_key(target), screen.guard.sends)
    if asked not in state.found:
        state.found = {asked: read_recent_persons(asked[0])}
    return state.found[asked]


def show_product_field(target: Target, issues: IssuesByField) -> None:
    """The product of all events; with a catalogue the field finds products by a part of their id or name."""
    key = make_common_key("data.productId")
    catalogue = get_services().catalogue(derive_target_key(target))
    with st.container(gap=None):
        hint = "Search by id or name" if catalogue else "for example SKU_987"
        show_text_input(key, LABELS["data.productId"], hint=hint)
        if catalogue is not None:
            show_product_suggestions(catalogue, key, key="compose-products")
    show_product_name(read_widget(key, ""))
    show_field_problems(key, issues)
