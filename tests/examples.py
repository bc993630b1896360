"""How many examples a law of Hypothesis is tried with, and how many of a family of cases a quick run tries."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings

PROFILE_EXAMPLES = {"console": 100, "quick": 15}
"""The profiles, and how many examples each has where 100 are meant: `run.py test` takes the quick one."""


def scale_examples(count: int) -> int:
    """So many examples in the profile that is meant for whole runs; fewer in a quick one."""
    return max(5, count * settings().max_examples // PROFILE_EXAMPLES["console"])


def keep_first_quick(cases: Iterable[Any], count: int = 1) -> list[Any]:
    """The cases of a parametrised test, of which only the first so many run in a quick run; the others are ``long``."""
    return [case if index < count else _make_long(case) for index, case in enumerate(cases)]


def _make_long(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long)
