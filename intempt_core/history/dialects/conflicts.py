"""Transactions that met in a way that lets only one of them go on: the other one is repeated, whole."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from intempt_core.errors import HistoryConflict

P = ParamSpec("P")
T = TypeVar("T")

CONFLICT_TRIES = 8
"""How often a transaction is tried before the conflict is reported."""

CONFLICT_PAUSE_SECONDS = 0.01
"""The longest pause before the second try; it doubles, and its length is drawn, so that the two do not meet again."""


def retry_conflicts(method: Callable[P, T]) -> Callable[P, T]:
    """Let a method that is one transaction be repeated where that meets another one.

    Nothing of it is written by then. With SQLite one transaction writes at a time, and none meets another.
    """

    @wraps(method)
    def repeat(*args: P.args, **kwargs: P.kwargs) -> T:
        for number in range(CONFLICT_TRIES - 1):
            try:
                return method(*args, **kwargs)
            except HistoryConflict:
                time.sleep(random.uniform(0, CONFLICT_PAUSE_SECONDS * 2**number))
        return method(*args, **kwargs)

    return repeat
