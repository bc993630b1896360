"""Products of a feed as tiles, in their order, with their names in the catalogue."""

from collections.abc import Mapping, Sequence

from intempt_core.validation import escape_invisible
from pages.parts.shared.widgets.component import load_component


def show_product_tiles(
    label: str, products: Sequence[str], names: Mapping[str, str], *, asked: str = "", key: str
) -> None:
    """Show products, the first one first; ``names`` are told under the ids, and ``asked`` is the one to point out."""
    data = {
        "label": label,
        "tiles": [
            {
                "id": escape_invisible(product),
                "name": escape_invisible(names.get(product, "")),
                "asked": product == asked,
            }
            for product in products
        ],
    }
    load_component("product_tiles")(key=key, data=data)
