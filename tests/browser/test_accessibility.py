"""Accessibility of every screen in every state: axe in light and in dark, headings in order, nothing beyond the window.

In dark only what colours can break is looked at again: the elements are the same.
"""

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.actions import widget
from tests.browser.screens import COLOUR_RULES, find_violations, open_screen, settled, use_scheme
from tests.browser.states import STATES

QUICK = {"compose-result", "upload-problems"}
"""The states that the quick tests look at; all are looked at by the long ones."""

HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(one => Number(one.tagName[1]))"

NARROW = {"zoomed to 200 %": (720, 450), "phone": (390, 844)}

BEYOND = """() => {
    const isBeyond = one => one.getBoundingClientRect().right > innerWidth + 1;
    const isShown = one => one.checkVisibility() && one.offsetWidth && one.offsetHeight;
    const isScrolled = one => {
        for (let above = one.parentElement; above && above.dataset.testid !== 'stMain'; above = above.parentElement)
            if (getComputedStyle(above).overflowX !== 'visible' && !isBeyond(above)) return true;
        return false;
    };
    return [...document.querySelectorAll('[data-testid=stMain] *')]
        .filter(one => isShown(one) && isBeyond(one) && !isScrolled(one))
        .map(one => one.outerHTML.slice(0, 200));
}"""
"""What of a screen is beyond the right edge of the window, and cannot be scrolled to within its own frame."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in STATES]
)
def test_axe_finds_nothing_in_any_state_headings_are_in_order_and_all_is_in_the_window(
    page: Page, tmp_path: Path, name: str
) -> None:
    STATES[name](page, tmp_path)
    settled(page)
    levels = page.evaluate(HEADINGS)
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert find_violations(page) == []
    use_scheme(page, "dark")
    assert find_violations(page, COLOUR_RULES) == []
    for size, (width, height) in NARROW.items():
        page.set_viewport_size({"width": width, "height": height})
        assert settled(page).evaluate(BEYOND) == [], size


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_of_a_button_with_the_pointer_or_the_focus_has_contrast(page: Page, scheme: str) -> None:
    open_screen(page, "/")
    use_scheme(page, scheme)
    for key in ("compose-show-profileId", "compose-check", "compose-send"):
        widget(page, key).get_by_role("button").hover()
        assert find_violations(page, COLOUR_RULES) == [], key
        widget(page, key).get_by_role("button").focus()
        assert find_violations(page, COLOUR_RULES) == [], key
