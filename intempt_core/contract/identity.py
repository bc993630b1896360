"""Identity: which ids an event carries, and which of them link it to a person."""

from collections.abc import Mapping, Sequence

from intempt_core.contract.fields import IDENTITY_FIELDS, LINKING_FIELDS, Json, id_to_text, is_placeholder


def read_identities(body: Json) -> dict[str, str]:
    """The identities of one event as text, in the contract's order; placeholders are among them."""
    if not isinstance(body, Mapping):
        return {}
    return {field: text for field in IDENTITY_FIELDS if (text := id_to_text(body.get(field))) is not None}


def read_linking_ids(body: Json) -> Sequence[tuple[str, str]]:
    """The (field, id) pairs by which an event belongs to a person (ARCHITECTURE, person).

    Placeholders link no events (CONTRACT 2.8).
    """
    given = read_identities(body)
    real = [(field, text) for field, text in given.items() if not is_placeholder(text)]
    links = [pair for pair in real if pair[0] in LINKING_FIELDS]
    return links or [pair for pair in real if list(given) == ["accountId"]]
