"""Whatever speaks of event names speaks of all of them: a new one is missed by name where it is missing."""

from collections.abc import Collection
from pathlib import Path

import pytest

from intempt_core.analysis.journey_notes import PRECEDING_EVENTS
from intempt_core.contract.feeds import FEED_EFFECTS, FEEDS
from intempt_core.contract.fields import EVENT_EFFECTS, EventName
from intempt_core.contract.issue_kinds import ISSUE_KINDS
from intempt_core.mapping.suggestions.known_names import KNOWN_NAMES
from intempt_core.sandbox.storage.shared_feeds import POPULARITY_WEIGHTS

ROOT = Path(__file__).resolve().parents[3]

SAID_OF: dict[str, Collection[EventName]] = {
    "EVENT_EFFECTS: what it drives": EVENT_EFFECTS,
    "FEED_EFFECTS: what it does to the feeds of its person": FEED_EFFECTS,
    "PRECEDING_EVENTS: what one expects before it": PRECEDING_EVENTS,
    "POPULARITY_WEIGHTS: what it adds to a product's popularity": POPULARITY_WEIGHTS,
    "KNOWN_NAMES: what shops and vendors call it": {name for name, _, _ in KNOWN_NAMES},
}


@pytest.mark.parametrize("table", SAID_OF)
def test_every_event_name_is_spoken_of(table: str) -> None:
    assert set(EventName) - set(SAID_OF[table]) == set()


def test_every_feed_of_a_person_is_fed_by_an_event() -> None:
    assert FEEDS.keys() - {effect.adds_to for effect in FEED_EFFECTS.values()} == set()


@pytest.mark.parametrize("page", ["README.md", "docs/contract.md"])
def test_a_page_that_lists_the_names_lists_every_one(page: str) -> None:
    text = " ".join((ROOT / page).read_text("utf-8").split())
    assert [name for name in EventName if name not in text] == []


def test_the_issue_of_a_wrong_name_lists_every_name() -> None:
    assert [name for name in EventName if f"“{name}”" not in ISSUE_KINDS["event_name"].allowed] == []
