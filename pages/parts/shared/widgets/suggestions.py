"""Suggestions below a text field: values that were used before, or that the server finds while a person types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from pages.parts.shared.widgets.component import load_component


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value that a field is offered.

    Attributes:
        value: What the field takes, exactly.
        name: What is told beside it; may be empty.
    """

    value: str
    name: str = ""


def show_suggestions(
    field: str,
    label: str,
    suggestions: Sequence[Suggestion],
    *,
    key: str,
    hint: str = "",
    on_query: Callable[[str], None] | None = None,
) -> None:
    """Suggest values for the text field with the widget key ``field``; it takes any other text as well.

    Without ``on_query`` the browser picks those of the suggestions that fit what is typed. With it, it is called with
    the text while a person types, and the suggestions are what was found; draw the component in a fragment of its own
    then, so that only that runs. ``hint`` is a line below them.
    """

    def asked() -> None:
        text = getattr(st.session_state.get(key), "query", None)
        if isinstance(text, str) and on_query is not None:
            on_query(text)

    data = {
        "field": field,
        "label": label,
        "hint": hint,
        "isAsked": on_query is not None,
        "options": [{"value": one.value, "name": one.name} for one in suggestions],
    }
    load_component("suggestions", isolated=False)(key=key, data=data, on_query_change=asked)
