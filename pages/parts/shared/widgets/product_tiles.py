"""Products of a feed as tiles, in their order, with their names in the catalogue; each is a link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from intempt_core.validation import escape_invisible
from pages.parts.shared.screens import find_url_path
from pages.parts.shared.widgets.component import load_component


@dataclass(frozen=True, slots=True)
class ProductLink:
    """Where a tile leads.

    Attributes:
        page: The file of the screen.
        label: What is there, as a tooltip.
        params: The parameters of its address.
    """

    page: str
    label: str
    params: Mapping[str, str]


def show_product_tiles(
    label: str,
    products: Sequence[str],
    names: Mapping[str, str],
    *,
    links: Mapping[str, ProductLink],
    asked: str = "",
    key: str,
) -> None:
    """Show products, the first one first; ``names`` are told under the ids, and ``asked`` is the one to point out.

    A tile whose product has a link in ``links`` opens it, a middle click in another tab.
    """
    data = {
        "label": label,
        "tiles": [
            {
                "id": escape_invisible(product),
                "name": escape_invisible(names.get(product, "")),
                "asked": product == asked,
                "place": place,
                "link": _describe_link(links.get(product)),
            }
            for place, product in enumerate(products)
        ],
    }
    opened = load_component("product_tiles")(key=key, data=data, on_opened_change=lambda: None).get("opened")
    if isinstance(opened, int) and 0 <= opened < len(products) and (link := links.get(products[opened])):
        st.switch_page(link.page, query_params=dict(link.params))


def _describe_link(link: ProductLink | None) -> dict[str, object] | None:
    """A link as the component draws it. object: texts, and texts by parameter."""
    if link is None:
        return None
    return {"path": find_url_path(link.page), "label": link.label, "params": dict(link.params)}
