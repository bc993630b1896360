"""What text fields for ids are offered: persons that were sent to a target before, and products of its catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.validation import ProductCatalogue, ProductSearchResult, escape_invisible, search_products
from pages.parts.shared.screen_state import get_screen_state
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.suggestions import Suggestion, show_suggestions

MAX_SUGGESTED_PERSONS = 20
"""Persons that are offered, the last ones."""

RECENT_PERSONS = 100
"""Persons of the newest events among which those with an id of the field's kind are looked for."""


@dataclass
class SuggestionState:
    """What fields are offered in one tab.

    Attributes:
        queries: What a product field holds while a person types in it, by its widget key.
    """

    queries: dict[str, str] = field(default_factory=dict)


def read_recent_persons(target_key: str) -> Sequence[Mapping[str, str]]:
    """The identities that were sent to a target (a ``key``) before, the newest first."""
    return get_services().history.persons.recent_persons(target_key, limit=RECENT_PERSONS)


def show_person_suggestions(
    recent: Sequence[Mapping[str, str]], identity: str, label: str, field_key: str, *, key: str
) -> None:
    """Offer the ids of one identity field that were used before, the most recent first."""
    persons = [person for person in recent if identity in person]
    newest = dict(reversed([(person[identity], person) for person in persons]))
    suggestions = [
        Suggestion(id_, escape_invisible(", ".join(text for name, text in newest[id_].items() if name != identity)))
        for id_ in dict.fromkeys(person[identity] for person in persons)
    ]
    if suggestions:
        show_suggestions(
            field_key,
            f"{label}, used before",
            suggestions[:MAX_SUGGESTED_PERSONS],
            key=key,
            hint="used before at this target",
        )


def show_product_suggestions(catalogue: ProductCatalogue, field_key: str, *, key: str) -> None:
    """Find products while a person types: twenty at a time, asked of the server, and only this part is drawn again."""

    @st.fragment
    def suggest() -> None:
        queries = get_screen_state(SuggestionState).queries
        found = search_products(catalogue, queries.get(field_key, ""))
        suggestions = [Suggestion(product.id, escape_invisible(product.name)) for product in found.products]
        show_suggestions(
            field_key,
            f"Products of {catalogue.name}",
            suggestions,
            key=key,
            hint=_describe_search(found, catalogue),
            on_query=lambda text: queries.update({field_key: text}),
        )

    suggest()


def _describe_search(found: ProductSearchResult, catalogue: ProductCatalogue) -> str:
    if not found.total:
        return f"None of the {format_count(len(catalogue), 'product')} of {catalogue.name} fits."
    if found.total > len(found.products):
        return f"{len(found.products)} of {format_count(found.total, 'product')}: type more to find others."
    return f"{format_count(found.total, 'product')} of {len(catalogue):,}"
