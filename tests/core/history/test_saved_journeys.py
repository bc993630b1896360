"""Journeys kept by name in the database."""

import pytest

from intempt_core.errors import JourneyError
from intempt_core.history import History
from intempt_core.history.saved import journeys
from intempt_core.journeys import Journey, JourneyEvent, JourneyStore, parse_journey

VIEWED = JourneyEvent("Product viewed")


def names(store: JourneyStore) -> list[str]:
    return [journey.name for journey in store.all()]


def test_what_is_saved_comes_back_also_to_another_process(history: History, database_url: str) -> None:
    saved = parse_journey(
        '{"name": "Zwei Käufe 🛒", "product": {"price": 12.50}, "events": [{"name": "Product viewed"}]}'
    )
    assert names(history.journeys) == []
    history.journeys.save(saved)
    other = History.open(database_url)
    assert other.journeys.get("Zwei Käufe 🛒") == saved
    assert names(other.journeys) == ["Zwei Käufe 🛒"]
    other.close()


def test_a_name_is_there_once_whatever_its_letter_case(history: History) -> None:
    history.journeys.save(Journey("First order", (VIEWED,)))
    with pytest.raises(JourneyError, match="A journey is saved as “first  ORDER” already"):
        history.journeys.save(Journey("first  ORDER", (VIEWED, VIEWED)))
    assert len(history.journeys.get("FIRST ORDER").events) == 1


def test_an_edited_one_takes_the_place_of_the_former_also_under_another_name(history: History) -> None:
    history.journeys.save(Journey("a", (VIEWED,)))
    history.journeys.save(Journey("A", (VIEWED, VIEWED)), replaces="a")
    assert names(history.journeys) == ["A"]
    history.journeys.save(Journey("b", (VIEWED,)), replaces="a")
    assert names(history.journeys) == ["b"]
    history.journeys.save(Journey("c", (VIEWED,)), replaces="deleted meanwhile")
    with pytest.raises(JourneyError, match="“b” already"):
        history.journeys.save(Journey("b", (VIEWED,)), replaces="c")
    assert names(history.journeys) == ["b", "c"]


def test_one_that_is_not_there_names_the_nearest(history: History) -> None:
    with pytest.raises(JourneyError, match=r"No journey is saved as “x”\. None is saved yet"):
        history.journeys.get("x")
    history.journeys.save(Journey("first order", (VIEWED,)))
    with pytest.raises(JourneyError, match=r"Did you mean “first order”\?"):
        history.journeys.get("frist order")
    history.journeys.delete("First Order")
    history.journeys.delete("First Order")
    assert names(history.journeys) == []


def test_there_are_bounds(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(JourneyError, match="more than 1,000,000 bytes"):
        history.journeys.save(Journey("a", (JourneyEvent("x", {"data.a": "b" * 1_000_000}),)))
    with pytest.raises(JourneyError, match="There is no event"):
        history.journeys.save(Journey("a", ()))
    monkeypatch.setattr(journeys, "MAX_JOURNEYS", 2)
    for name in "ab":
        history.journeys.save(Journey(name, (VIEWED,)))
    with pytest.raises(JourneyError, match="2 journeys are saved, and no more are kept"):
        history.journeys.save(Journey("c", (VIEWED,)))
    history.journeys.save(Journey("c", (VIEWED,)), replaces="b")
