"""Persons: the ids by which an event's person is found, and which of them belong together.

A *node* is one id in one field: ``user:u1``, ``profile:1001:p1``, ``other:u2``, ``account:a1``. Nodes of one event
belong to one person, transitively (ARCHITECTURE, person). A profile belongs to its source (CONTRACT 5.1). An
``anotherUserId`` is a node of its own, because no feed can be read by it; once an alias has named it, the user id of
the same value is the same person (CONTRACT 6.1). Accounts and placeholders link no events (CONTRACT 2.8).
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from urllib.parse import quote

from intempt_core.contract import is_event_name, is_placeholder
from intempt_core.sandbox.storage.fast_path import IncomingEvent

NodeLink = tuple[str, str]
"""Two nodes of one person."""

_LINKABLE_CODES = frozenset(("event_name", "product_id_missing"))
"""Issues that keep an event from recommendations but not from linking ids: any name is accepted (CONTRACT 3.8)."""


def make_node(kind: str, text: str, source: str = "") -> str:
    """Make the node of an id; ``kind`` is ``user``, ``profile`` (with its source), ``other`` or ``account``."""
    return f"profile:{quote(source, safe='')}:{text}" if kind == "profile" else f"{kind}:{text}"


def extract_nodes(event: IncomingEvent, source: str) -> tuple[Sequence[str], Sequence[NodeLink]]:
    """Extract the nodes by which an event is found, and the pairs of nodes that it makes one person.

    Linked nodes lead to each other, so one of them is enough to find the event; each pair is there in both directions.
    """
    profile, user, other, account = ids = event[2:6]
    if user is not None and profile is None and other is None and account is None:  # nearly every event
        return (f"user:{user}",), ()
    alias = not is_event_name(event.name)  # the SDKs let a caller give an alias a name of its own
    found, links = _extract_nodes(ids, source, alias=alias)
    return found, links if _LINKABLE_CODES.issuperset(event.codes.split()) else ()


@lru_cache(maxsize=65_536)  # the same persons come again and again
def _extract_nodes(
    ids: tuple[str | None, ...], source: str, *, alias: bool
) -> tuple[Sequence[str], Sequence[NodeLink]]:
    profile, user, other, account = ids
    given = [("user", user), ("profile", profile), ("other", other)]
    if alias and user is not None:
        given.append(("user", other))
    linking = [make_node(kind, text, source) for kind, text in given if text is not None and not is_placeholder(text)]
    alone = [make_node(kind, text, source) for kind, text in given if text is not None and is_placeholder(text)]
    found = (*linking[:1], *alone, *([] if account is None else [make_node("account", account)]))
    return found, tuple(pair for one, two in pairwise(linking) for pair in ((one, two), (two, one)))
