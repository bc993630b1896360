"""Accessibility of every screen in every state: axe in light and in dark, one heading a screen, no level skipped.

In dark only what colours can break is looked at again: the elements are the same.
"""

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.screens import COLOUR_RULES, serious_findings, settled, use_scheme
from tests.browser.states import STATES

QUICK = {"compose-result", "upload-problems"}
"""The states that the quick tests look at; all are looked at by the long ones."""

HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(one => Number(one.tagName[1]))"


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in STATES]
)
def test_axe_finds_nothing_serious_in_any_state_and_headings_are_in_order(
    page: Page, tmp_path: Path, name: str
) -> None:
    STATES[name](page, tmp_path)
    settled(page)
    levels = page.evaluate(HEADINGS)
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert serious_findings(page) == []
    use_scheme(page, "dark")
    assert serious_findings(page, COLOUR_RULES) == []
