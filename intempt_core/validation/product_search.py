"""The search for products of a catalogue by a part of their id or name, as a person types it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Mask, make_array, make_scalar, view_numbers
from intempt_core.validation.product_catalogue import ProductCatalogue

MAX_PRODUCTS_FOUND = 20
"""Products that one search returns at the most."""

MAX_SEARCH_WORDS = 8
"""Words of a search that are looked for; nobody needs more to find one product."""


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """A product that a search found.

    Attributes:
        id: Its id, exactly as the catalogue has it.
        name: What the catalogue calls it; empty where nothing says it.
    """

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ProductSearchResult:
    """What a search found.

    Attributes:
        products: The first products, best first.
        total: How many products fit.
    """

    products: tuple[FoundProduct, ...] = ()
    total: int = 0


def search_products(catalogue: ProductCatalogue, text: str, limit: int = MAX_PRODUCTS_FOUND) -> ProductSearchResult:
    """Find products whose id or name holds every word of ``text``, in any case.

    A product whose id is the text comes first, then ids that begin with it, then ids that hold it, then names that
    begin with it; among equals the order of ids. An empty text finds the first products.
    """
    words = text.split()[:MAX_SEARCH_WORDS]
    try:
        text.encode()
    except UnicodeEncodeError:
        return ProductSearchResult()
    fits: Mask = np.ones(len(catalogue), np.bool_)
    for word in words:
        fits &= _holds(catalogue.ids, word) | _holds(catalogue.names, word)
    found = np.flatnonzero(fits)
    asked = " ".join(words)
    if asked and len(found):
        ids, names = (column.take(make_array(found)) for column in (catalogue.ids, catalogue.names))
        rank = np.full(len(found), 4)
        for place, mask in enumerate((_begins(names, asked), _holds(ids, asked), _begins(ids, asked))):
            rank[mask] = 3 - place
        rank[view_numbers(pc.equal(ids, make_scalar(asked)))] = 0
        found = found[np.argsort(rank, kind="stable")]
    first = make_array(found[:limit])
    chosen = zip(catalogue.ids.take(first).to_pylist(), catalogue.names.take(first).to_pylist(), strict=True)
    return ProductSearchResult(tuple(FoundProduct(id_, name) for id_, name in chosen), len(found))


def _holds(texts: pa.Array, word: str) -> Mask:
    found: Mask = view_numbers(pc.match_substring(texts, word, ignore_case=True))
    return found


def _begins(texts: pa.Array, word: str) -> Mask:
    found: Mask = view_numbers(pc.starts_with(texts, word, ignore_case=True))
    return found
