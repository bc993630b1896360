"""How many examples a law of Hypothesis is tried with."""

from hypothesis import settings

PROFILE_EXAMPLES = {"console": 100, "quick": 30}
"""The profiles, and how many examples each has where 100 are meant: `run.py test` takes the quick one."""


def scale_examples(count: int) -> int:
    """So many examples in the profile that is meant for whole runs; fewer in a quick one."""
    return max(5, count * settings().max_examples // PROFILE_EXAMPLES["console"])
