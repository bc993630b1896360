"""The send guard: one decision leads to one batch, and every screen sends by one function."""

import re
import time
from pathlib import Path

import pytest

from pages.parts.shared.send_guard import CHANGED_MESSAGE, DOUBLE_CLICK_SECONDS, SendGuard

PAGES = Path(__file__).parents[2] / "pages"


def test_only_one_function_of_the_screens_records_a_batch() -> None:
    callers = [file.name for file in PAGES.rglob("*.py") if re.search(r"\)\.submit\(", file.read_text("utf-8"))]
    assert callers == ["send_flow.py"]


def test_a_click_while_sending_or_right_after_the_outcome_is_a_double_click() -> None:
    guard = SendGuard()
    assert guard.accept_click()
    guard.record_send("b1")
    assert not guard.accept_click()
    assert guard.double_clicked
    guard.is_sending, guard.settled_at = False, time.monotonic()
    assert not guard.accept_click()
    guard.settled_at -= DOUBLE_CLICK_SECONDS
    assert guard.accept_click()
    assert not guard.double_clicked


def test_an_edit_makes_the_next_click_a_new_decision() -> None:
    guard = SendGuard(batch="b1", settled_at=time.monotonic(), double_clicked=True)
    guard.forget_outcome()
    assert guard.accept_click()
    assert guard.batch is None


def test_a_batch_that_is_sent_stays_in_sight_after_an_edit() -> None:
    guard = SendGuard()
    guard.record_send("b1")
    guard.forget_outcome()
    assert guard.batch == "b1"


@pytest.mark.parametrize("sends", [0, 3])
def test_a_button_that_disappears_sends_what_it_was_drawn_for_once(sends: int) -> None:
    guard = SendGuard(sends=sends)
    drawn = guard.describe_button("file order")
    assert not guard.accept_click(drawn, guard.describe_button("time order"))
    assert guard.trouble == CHANGED_MESSAGE
    assert guard.accept_click(drawn, guard.describe_button("file order"))
    assert not guard.trouble
    guard.record_send("b1")
    assert not guard.accept_click(drawn, guard.describe_button("file order"))
    assert guard.double_clicked
    assert not guard.trouble
