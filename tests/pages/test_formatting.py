"""Untrusted text in a place that reads Markdown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.parts.shared.formatting import escape_markdown

PIECE = re.compile(r":color\[\\(.)\]")
ODD = st.lists(
    st.sampled_from([*" @:.-<>=~[]{}()\\*_`$!#", "www", "WWW", "http", "a", "b.example", ":smile:", "->", "--"])
    | st.text(max_size=3)
)


@given(ODD.map("".join))
def test_nothing_is_left_that_becomes_a_link_an_icon_or_an_arrow_and_the_text_is_the_same(text: str) -> None:
    pieces = PIECE.split(escape_markdown(text))
    between, alone = pieces[::2], pieces[1::2]
    shown = [re.sub(r"\\(.)", r"\1", part) for part in between]
    assert "".join(part + char for part, char in zip(shown, [*alone, ""], strict=True)) == " ".join(text.split())
    assert not re.search(r"@|:|www\.", "\n".join(shown), re.IGNORECASE)
    assert not re.search(r"[*_`\[\]{}()<>$!#~\\]", "".join(re.sub(r"\\.", "", part) for part in between))


@pytest.mark.parametrize("arrow", ["<->", "->", "<-", "--", ">=", "<=", "~="])
def test_an_arrow_stays_what_it_is(arrow: str) -> None:
    assert escape_markdown(f"a {arrow} b") == "a " + "".join(f":color[\\{char}]" for char in arrow) + " b"


def test_usual_names_are_only_escaped() -> None:
    assert escape_markdown("data_2022-oct.csv") == r"data\_2022\-oct\.csv"
