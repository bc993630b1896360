"""Identity: which ids an event carries, and which of them link it to a person (ARCHITECTURE, person)."""

from collections.abc import Mapping, Sequence
from operator import and_, xor
from typing import TypeVar

from intempt_core.contract.fields import IDENTITY_FIELDS, LINKING_FIELDS, Json, id_to_text
from intempt_core.contract.id_forms import is_placeholder

T = TypeVar("T")

SOLE_FIELD = "accountId"
"""The identity that links only where it is the sole one: an account is not a person."""


def read_identities(body: Json) -> dict[str, str]:
    """The identities of one event as text, in the contract's order; placeholders are among them."""
    if not isinstance(body, Mapping):
        return {}
    return {field: text for field in IDENTITY_FIELDS if (text := id_to_text(body.get(field))) is not None}


def read_linking_ids(body: Json) -> Sequence[tuple[str, str]]:
    """The (field, id) pairs that link an event to its person, in the contract's order."""
    given = read_identities(body)
    real = {field: not is_placeholder(text) for field, text in given.items()}
    links = find_links(dict.fromkeys(given, True), real)
    return [pair for pair in given.items() if links[pair[0]]]


def find_links(given: Mapping[str, T], real: Mapping[str, T]) -> dict[str, T]:
    """Which of the identities of events link them to a person, by field.

    An id links unless it is a placeholder (CONTRACT 2.8); an ``accountId`` only where no other identity is given, not
    even a placeholder. Planning, validation and analysis ask this for whole columns, so that all mean the same persons.

    Args:
        given: whether each identity is given; a field that no event has may be left out. Truth values of one event, or
            masks of equal length.
        real: of the same fields, whether it is given and no placeholder.
    """
    links = dict(real)
    if SOLE_FIELD in links:
        for field in LINKING_FIELDS:
            if field in given:
                links[SOLE_FIELD] = and_(links[SOLE_FIELD], xor(given[field], True))
    return links
