"""Patterns of a rules file: which can be used, and what they match.

``pattern`` is read by RE2, for events as over columns. The patterns of ``patternProperties`` are read by the
validator's own engine, so that they have to be what both take.
"""

from collections.abc import Iterable
from functools import lru_cache

import jsonschema_rs
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import make_array
from intempt_core.contract import Json, format_given, shorten_value
from intempt_core.errors import RulesError

MAX_PATTERN_LENGTH = 1_000
"""Characters of a pattern."""

MATCHES_REMEMBERED = 65_536
"""Short texts whose match of a pattern is remembered: a file repeats its values."""

MAX_LENGTH_REMEMBERED = 200
"""Characters of a short text."""


def check_pattern(pattern: Json, place: str) -> None:
    """Raise :class:`RulesError` where RE2 does not take a pattern; it reads every text in linear time."""
    if not isinstance(pattern, str):
        raise RulesError(f"{place} is {format_given(pattern)}, no text. Write a regular expression as text.")
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise RulesError(f"{place} has {len(pattern):,} characters; up to {MAX_PATTERN_LENGTH:,} are taken.")
    try:
        pc.match_substring_regex(make_array([""]), pattern)
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise RulesError(
            f"{place}: “{shorten_value(pattern)}” is no pattern that RE2 takes ({shorten_value(reason)}). RE2 has no"
            " look-around and no references back; write it without."
        ) from None


def check_key_pattern(pattern: str, place: str) -> None:
    """Raise :class:`RulesError` where a pattern of keys cannot be used: the validator's own engine reads these."""
    check_pattern(pattern, place)
    try:
        jsonschema_rs.Draft202012Validator(
            {"patternProperties": {pattern: True}}, pattern_options=jsonschema_rs.RegexOptions()
        )
    except jsonschema_rs.ValidationError:
        raise RulesError(
            f"{place}: “{shorten_value(pattern)}” is taken by RE2, but not for keys. Write it with plain classes,"
            " groups and repetitions, and a backslash before a brace or bracket that is meant as itself."
        ) from None


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether RE2 finds a pattern in a text."""
    return (_match_short if len(text) <= MAX_LENGTH_REMEMBERED else _match)(pattern, text)


def _match(pattern: str, text: str) -> bool:
    return bool(pc.match_substring_regex(make_array([text]), pattern)[0].as_py())


_match_short = lru_cache(maxsize=MATCHES_REMEMBERED)(_match)


def find_matching_keys(pattern: str, keys: Iterable[str]) -> list[str]:
    """The keys in which a pattern of ``patternProperties`` is found, as the validator finds it."""
    validator = jsonschema_rs.Draft202012Validator(
        {"patternProperties": {pattern: False}}, pattern_options=jsonschema_rs.RegexOptions()
    )
    return [key for key in keys if not validator.is_valid({key: None})]
