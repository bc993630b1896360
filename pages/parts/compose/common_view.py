"""The person and the product of the form: told once, for all of its events."""

from dataclasses import dataclass, field

import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS, format_count
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import ProductCatalogue, ProductSearchResult, escape_invisible, search_products
from pages.parts.compose.field_view import HELP, LABELS, IssuesByField, show_field_problems, show_text_input
from pages.parts.compose.form import make_common_key
from pages.parts.compose.state import ComposeState, show_identity
from pages.parts.shared.product_names import show_product_name
from pages.parts.shared.screen_state import get_screen_state, make_key, read_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.suggestions import Suggestion, show_suggestions


@dataclass
class SuggestionState:
    """What the fields of the person and the product are offered in one tab.

    Attributes:
        query: What the product field holds while a person types in it.
        persons: The identities that were used before, newest first, by target (a ``key``) and number of sends.
    """

    query: str = ""
    persons: dict[tuple[str, int], list[dict[str, str]]] = field(default_factory=dict)


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
    for name in dict.fromkeys(shown):
        key = make_common_key(name)
        with st.container(gap=None):
            show_text_input(key, LABELS[name], hint="user_123" if name == "userId" else "", help_=HELP[name])
            show_person_suggestions(screen, target, name)
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


def show_person_suggestions(screen: ComposeState, target: Target, name: str) -> None:
    """Suggest the ids of this kind that were sent to the target before, the most recent first."""
    state, asked = get_screen_state(SuggestionState), (derive_target_key(target), screen.guard.sends)
    if asked not in state.persons:
        found = get_services().history.persons.recent_persons(asked[0], limit=100)
        state.persons = {asked: [dict(person) for person in found]}
    persons = [person for person in state.persons[asked] if name in person]
    newest = dict(reversed([(person[name], person) for person in persons]))
    suggestions = [
        Suggestion(id_, escape_invisible(", ".join(text for field, text in newest[id_].items() if field != name)))
        for id_ in dict.fromkeys(person[name] for person in persons)
    ]
    if suggestions:
        show_suggestions(
            make_common_key(name),
            f"{LABELS[name]}, used before",
            suggestions[:20],
            key=make_key("compose-suggest", name),
            hint="used before at this target",
        )


def show_product_field(target: Target, issues: IssuesByField) -> None:
    """The product of all events; with a catalogue the field finds products by a part of their id or name."""
    key = make_common_key("data.productId")
    catalogue = get_services().catalogue(derive_target_key(target))
    with st.container(gap=None):
        hint = "Search by id or name" if catalogue else "for example SKU_987"
        show_text_input(key, LABELS["data.productId"], hint=hint)
        if catalogue is not None:
            show_product_suggestions(catalogue, key, "compose-products")
    show_product_name(read_widget(key, ""))
    show_field_problems(key, issues)


def show_product_suggestions(catalogue: ProductCatalogue, field_key: str, key: str) -> None:
    """Find products while a person types: twenty at a time, asked of the server, and only this part is drawn again."""

    @st.fragment
    def suggest() -> None:
        state = get_screen_state(SuggestionState)
        found = search_products(catalogue, state.query)
        suggestions = [Suggestion(product.id, escape_invisible(product.name)) for product in found.products]
        label = f"Products of {catalogue.name}"
        show_suggestions(
            field_key, label, suggestions, key=key, hint=_describe_search(found, catalogue), on_query=_take_query
        )

    suggest()


def _take_query(text: str) -> None:
    get_screen_state(SuggestionState).query = text


def _describe_search(found: ProductSearchResult, catalogue: ProductCatalogue) -> str:
    if not found.total:
        return f"None of the {format_count(len(catalogue), 'product')} of {catalogue.name} fits."
    if found.total > len(found.products):
        return f"{len(found.products)} of {format_count(found.total, 'product')}: type more to find others."
    return f"{format_count(found.total, 'product')} of {len(catalogue):,}"
