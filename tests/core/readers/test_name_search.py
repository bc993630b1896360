"""Names that are looked for by their parts are those that an expression finds, and cost little in a long text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.readers.pasted.name_search import (
    find_line_starts,
    find_parts,
    find_word_starts,
    fold_case,
    iterate_matches,
)

NAME = r"[\w.-]*(?:token|secret)s?(?![a-z])[\w-]*"
PARTS = ("token", "secret")
BY_WORD = re.compile(rf"(?<![\w.-])(?:{NAME})\s*[:=]\s*(?P<value>\S+)", re.IGNORECASE)
BY_LINE = re.compile(rf"^[ \t>*]*(?:{NAME})[ \t]*:(?P<value>[^\n]+)", re.IGNORECASE | re.MULTILINE)
PIECES = [
    "token",
    "Secret",
    "\u017fecret",
    "my.",
    "-x",
    "_",
    "s",
    "S",
    ": ",
    "=",
    "\n",
    "  ",
    "> ",
    "*",
    "a",
    "\u0130",
    '"',
    "key",
]

texts = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@given(texts)
def test_matches_from_the_words_around_parts_are_all_matches(text: str) -> None:
    words = find_word_starts(text, find_parts(fold_case(text), PARTS), ".-")
    lines = dict.fromkeys(find_line_starts(text, words, " \t>*"))
    for pattern, starts in ((BY_WORD, words), (BY_LINE, lines)):
        by_hand = [found.span() for found in pattern.finditer(text)]
        assert [found.span() for found in iterate_matches(pattern, text, starts)] == by_hand


@given(st.text())
def test_a_folded_text_is_as_long_as_the_text(text: str) -> None:
    assert len(fold_case(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "starts"),
    [("a my.token-b", [2]), ("tokentoken token", [0, 11]), ("x=token y=(secret)", [2, 11]), ("none", [])],
)
def test_words_begin_where_a_person_sees_them_begin(text: str, starts: list[int]) -> None:
    assert find_word_starts(text, find_parts(text, PARTS), ".-") == starts
