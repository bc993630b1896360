"""History at size: five million events are searched and listed as quickly as fifty thousand."""

import random
import statistics
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.bench.harness import Figures, bench, folder
from tests.bench.large_history import PRODUCTS, filled, persons

if TYPE_CHECKING:
    from intempt_core.history import History

LARGE, SMALL = 5_000_000, 50_000
MANY, FEW, PER_BATCH = 20_000, 50, 250
"""Batches of a long history and of a short one, and the events of each."""
SHOWN = 25
"""Batches on a page."""
KINDS = ("event", "person", "product")


@bench("history.search", at_most=2)
def search() -> Figures:
    """The median of 100 searches on the History screen over 5,000,000 events, over the same over 50,000.

    A search is what the screen does: the first page of the batches that hold an id, each with its counts. Forty look
    for an event, thirty for a person (who is in several batches), thirty for a product (which is in all of them).
    """
    from intempt_core.history import History

    with folder() as where:
        began = time.perf_counter()
        opened = {events: History.open(filled(where / f"{events}.sqlite3", events)) for events in (LARGE, SMALL)}
        building = time.perf_counter() - began
        size = (where / f"{LARGE}.sqlite3").stat().st_size
        figures = measure_searches(opened)
    return {**figures, "building_s": building, "large_gb": size / 1e9}


@bench("history.list", at_most=1.5)
def list_batches() -> Figures:
    """The table of batches over 5,000,000 events in 20,000 batches, over the same over 50 batches of that size.

    It is all that the History screen reads: what waits for a person, a page of batches with their counts, of whom and
    of which products they are. Pages at the beginning, in the middle and at the end are asked for in turn, by a process
    that has read none of them before.
    """
    from intempt_core.history import BatchFilter, BatchOrder, History

    taken: dict[int, list[float]] = {MANY: [], FEW: []}
    more: dict[str, float] = {}
    with folder() as where:
        urls = {batches: filled(where / f"{batches}.sqlite3", batches * PER_BATCH, batches) for batches in taken}
        for turn in range(7):
            for batches, url in urls.items():
                history = History.open(url)
                pages = max(1, batches // SHOWN)
                history.queries.target_names()  # opens the connection
                for page in (1 + turn % pages, max(1, pages // 2 - turn % pages), max(1, pages - turn % pages)):
                    began = time.perf_counter()
                    history.queries.undecided()
                    found = history.queries.batches(page=page, size=SHOWN)
                    history.queries.subjects([one.id for one in found.items])
                    taken[batches].append((time.perf_counter() - began) * 1000)
                    if found.total != batches or len(found.items) != SHOWN:
                        raise RuntimeError(f"{found.total} of {batches} batches")
                if turn == 0 and batches == MANY:
                    for name, given, order in (
                        ("name_part_ms", BatchFilter(text="a-1234"), BatchOrder.TIME),
                        ("id_prefix_ms", BatchFilter(text="e12345"), BatchOrder.TIME),
                        ("short_prefix_ms", BatchFilter(text="p"), BatchOrder.TIME),
                        ("by_name_ms", BatchFilter(), BatchOrder.NAME),
                        ("by_events_ms", BatchFilter(), BatchOrder.EVENTS),
                        ("undecided_ms", BatchFilter(undecided=True), BatchOrder.TIME),
                    ):
                        began = time.perf_counter()
                        history.queries.batches(given, size=SHOWN, order=order)
                        more[name] = (time.perf_counter() - began) * 1000
                history.close()
    many, few = statistics.median(taken[MANY]), statistics.median(taken[FEW])
    return {"ratio": many / few, "many_ms": many, "few_ms": few, **more}


def measure_searches(opened: "Mapping[int, History]") -> Figures:
    """Search the large and the small history, by how many events they have, in turns; then close them."""
    from intempt_core.history import BatchFilter

    taken: dict[int, list[Mapping[str, list[float]]]] = {events: [] for events in opened}

    def find(history: "History", text: str) -> float:
        began = time.perf_counter()
        found = history.queries.batches(BatchFilter(text=text), size=SHOWN)
        took = time.perf_counter() - began
        if not found.total:
            raise RuntimeError(f"{text} was not found")
        return took * 1000

    for turn in range(3):  # each asks for other ids
        for events, history in opened.items():
            asked = make_texts(events, random.Random(turn))
            taken[events].append({kind: [find(history, text) for text in asked[kind]] for kind in KINDS})
    for history in opened.values():
        history.close()
    large, small = (find_median(taken[events], *KINDS) for events in (LARGE, SMALL))
    by_kind = {
        f"{kind}_{name}_ms": find_median(taken[events], kind)
        for kind in KINDS
        for name, events in (("large", LARGE), ("small", SMALL))
    }
    return {"ratio": large / small, "large_ms": large, "small_ms": small, **by_kind}


def make_texts(events: int, rng: random.Random) -> dict[str, list[str]]:
    """A hundred ids that are there."""
    return {
        "event": [f"e{rng.randrange(events)}" for _ in range(40)],
        "person": [f"u{rng.randrange(persons(events))}" for _ in range(30)],
        "product": [f"p{rng.randrange(PRODUCTS)}" for _ in range(30)],
    }


def find_median(turns: list[Mapping[str, list[float]]], *kinds: str) -> float:
    """The median turn's median search of these kinds."""
    return statistics.median(statistics.median([took for kind in kinds for took in turn[kind]]) for turn in turns)
