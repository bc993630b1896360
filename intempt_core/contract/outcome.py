"""The outcome of one attempt: accepted, rejected, unknown or not sent.

A request's state has these values and some more, so what an earlier version called them is kept here too.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self, TypeVar

State = TypeVar("State", bound=StrEnum)

FORMER_STATE_VALUES: Mapping[str, str] = {"refused": "rejected", "unsent": "not sent", "leaving": "in flight"}
"""Value of an outcome or a state as earlier versions wrote it → what it is now; links and files may hold it."""


class Outcome(StrEnum):
    """What is known after an attempt (CONTRACT 3, ARCHITECTURE, outcome).

    Accepted says that the request was taken, and no more: not that its product or account exists (CONTRACT 3.2), nor
    that each of its events is processed (CONTRACT 2.6). The values of earlier versions are understood:
    ``Outcome("refused")`` is :attr:`REJECTED`.
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return find_current_state(cls, value)


def find_current_state(states: type[State], value: object) -> State | None:
    """Find the member of an enum of states that an earlier version's value means now; ``None`` if there is none."""
    current = FORMER_STATE_VALUES.get(value) if isinstance(value, str) else None
    return next((state for state in states if state.value == current), None)
