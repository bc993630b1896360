"""A person's feeds, worked out from history: five million events are no slower than fifty thousand."""

import random
import sqlite3
import statistics
import time
from contextlib import closing
from pathlib import Path

from tests.bench.harness import Figures, bench, folder
from tests.bench.large_history import filled, persons

LARGE, SMALL = 5_000_000, 50_000
PERSONS = 200
"""Persons asked about in a turn; each turn asks about others."""


@bench("feeds.expected", at_most=2)
def expected() -> Figures:
    """The 95th percentile of the feeds of one person in a history of 5,000,000 events, over the same in 50,000.

    It is what the Feeds screen does: the person's whole story, who is who and which events are repeats, and the
    account of each feed. The target deduplicates, so every event id is looked up as well.
    """
    from intempt_core.analysis.feed_diff import explain_feed
    from intempt_core.contract.feeds import FEEDS
    from intempt_core.history import History
    from tests.core.history.factories import SHOP

    taken: dict[int, list[list[float]]] = {LARGE: [], SMALL: []}
    with folder() as where:
        opened = {}
        for events in taken:
            url = filled(where / f"{events}.sqlite3", events)
            _deduplicating(where / f"{events}.sqlite3")
            opened[events] = History.open(url)

        def asked(history: History, person: str) -> float:
            began = time.perf_counter()
            story = history.persons.person_history(SHOP.key, "userId", person)
            explanations = [explain_feed(feed, story.events, None, now=0, limit=50) for feed in FEEDS]
            took = time.perf_counter() - began
            if len(story.events) != 20 or not any(one.expected for one in explanations):
                raise RuntimeError(f"{person} has another story")
            return took * 1000

        for turn in range(5):
            for events, history in opened.items():
                rng = random.Random(turn)
                chosen = rng.sample(range(persons(events)), PERSONS)
                taken[events].append([asked(history, f"u{number}") for number in chosen])
        for history in opened.values():
            history.close()
    large, small = (_median(taken[events], 94) for events in (LARGE, SMALL))
    medians = {f"{name}_median_ms": _median(taken[events], 49) for name, events in (("large", LARGE), ("small", SMALL))}
    return {"ratio": large / small, "large_p95_ms": large, "small_p95_ms": small, **medians}


def _deduplicating(file: Path) -> None:
    """Make the target one that deduplicates."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE batches SET deduplicates = 1")
        connection.commit()


def _median(turns: list[list[float]], cut: int) -> float:
    """The median turn's percentile (from 0)."""
    return statistics.median(statistics.quantiles(turn, n=100)[cut] for turn in turns)
