"""Which event counts: whether recommendations take an event up (CONTRACT 2.6, 2.9).

An event counts when its name is one of :class:`~intempt_core.contract.fields.EventName`, every required field is given,
nothing else is wrong with it, and it does not repeat an event at a target that deduplicates. That is stated once, in
:func:`event_counts`, over anything that has ``&`` and ``|``: truth values of one event, NumPy masks of whole columns,
and conditions of SQL. History, the funnel and the sandbox each say how they see a field, and all get the same verdict.
"""

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_
from typing import TypeVar

from intempt_core.contract.issue_kinds import ISSUE_KINDS
from intempt_core.contract.readings import Requirement

T = TypeVar("T")

REQUIREMENTS: dict[str, tuple[str, ...]] = {
    code: kind.reading.fields for code, kind in ISSUE_KINDS.items() if isinstance(kind.reading, Requirement)
}
"""Code of the issue where it is not met → the fields of which one has to be given; ``name`` has to be a known one."""

REQUIRED_FIELDS: tuple[str, ...] = tuple(field for fields in REQUIREMENTS.values() for field in fields)
"""Every field that :data:`REQUIREMENTS` name: what has to be known of an event to tell whether it counts."""

REASONS_NOT_COUNTING: dict[str, str] = {
    "event_name": "Its name is not one of the event names.",
    "event_id_missing": "It has no event id.",
    "identity_missing": "It has no identity.",
    "product_id_missing": "It has no product id.",
}
"""Code of a requirement → why an event that does not meet it does not count, as a sentence."""

ERRORS_BEYOND_FIELDS: dict[str, str] = {
    "timestamp_before_2010": "its whole request is rejected, so that it is never accepted",
    "timestamp_unreadable": "history keeps only times that can be read: the event counts here, not in the sandbox",
    "id_not_text": "history keeps only ids that are text: beside them the event counts here, not in the sandbox",
    "event_not_object": "it gives no field, so that it meets no requirement",
}
"""Code of an error of a single event that is no requirement → what history, which keeps fields only, makes of it."""

REASON_REPEATED = "It repeats an event that was accepted before, and the target deduplicates."
"""Why an event does not count whose id another one has."""


def event_counts(given: Mapping[str, T], *, without_errors: T | None = None, is_first: T | None = None) -> T:
    """Whether events count, as far as ``given`` tells.

    Args:
        given: whether each of :data:`REQUIRED_FIELDS` is given; for ``name``, whether it is a known one. Truth values,
            masks of equal length or conditions of SQL.
        without_errors: whether nothing else is wrong with them; ``None`` where no more than these fields is known.
        is_first: whether they do not repeat an earlier event at a target that deduplicates (CONTRACT 2.9); ``None``
            where that is not asked.
    """
    met = [reduce(or_, [given[field] for field in fields]) for fields in REQUIREMENTS.values()]
    found: T = reduce(and_, [*met, *(one for one in (without_errors, is_first) if one is not None)])
    return found


def explain_not_counting(given: Mapping[str, bool], *, is_first: bool = True) -> str:
    """Why one event does not count, as a sentence; empty where it does. ``given`` is as :func:`event_counts` has it."""
    for code, fields in REQUIREMENTS.items():
        if not any(given[field] for field in fields):
            return REASONS_NOT_COUNTING[code]
    return "" if is_first else REASON_REPEATED
