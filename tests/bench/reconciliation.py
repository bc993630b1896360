"""What truly became of a batch: the sandbox's count, the database's, and the screen's, beside each other."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from pages.parts.shared.formatting import label_state

_STATES = text(
    "SELECT e.event_id, r.state FROM batches b JOIN events e ON e.batch = b.number JOIN requests r ON r.id = e.request"
    " WHERE b.id = :id"
)
_DOUBTED = text(
    "SELECT DISTINCT e.event_id FROM batches b JOIN events e ON e.batch = b.number JOIN attempts a"
    " ON a.request = e.request WHERE b.id = :id AND a.outcome = 'unknown'"
)

WORDS = ("accepted", "rejected", "unknown", "not sent", "pending", "cancelled")


@dataclass(frozen=True)
class Reckoning:
    """Events, in numbers.

    ``lost`` are neither at the sandbox nor known not to be there; ``silent_doubles`` came twice without an unknown
    answer in between; ``reordered`` are persons whose events were processed in another order than they were given;
    ``differing`` sums up where the screen, the database and the sandbox do not say the same.
    """

    events: int
    accepted: int
    unknown: int
    arrived: int
    doubles: int
    lost: int
    silent_doubles: int
    reordered: int
    differing: int

    @property
    def wrong(self) -> int:
        """All that must not be."""
        return self.lost + self.silent_doubles + self.reordered + self.differing

    @property
    def figures(self) -> dict[str, int]:
        """For a benchmark's line."""
        return {"ratio": self.wrong} | {name: getattr(self, name) for name in self.__dataclass_fields__}


def reckon(
    history: Path | str, batch: str | Sequence[str], received: list[tuple[str, str]], screen: str | Sequence[str]
) -> Reckoning:
    """``history`` is a file, or the address of a PostgreSQL database; ``received`` are (event id, person) as they came
    to the sandbox; ``screen`` is all that the batch's page says.

    Of several batches of one file, whose rest a later one sends, an event's state is that of the last one that has it.
    Events are called ``e0``, ``e1``, … in the order in which each person's were given.
    """
    url = history if isinstance(history, str) else f"sqlite:///file:{history}?mode=ro&uri=true"
    mine, doubted = list[tuple[str, str]](), set[str]()
    with create_engine(url, poolclass=NullPool).connect() as connection:
        for one in [batch] if isinstance(batch, str) else batch:
            which = {"id": one}
            mine += [(row.event_id, row.state) for row in connection.execute(_STATES, which)]
            doubted |= set(connection.execute(_DOUBTED, which).scalars())
    states = dict(mine)
    times = Counter(event for event, _ in received)
    by_state = Counter(state for _, state in mine)
    lost = sum(1 for event, state in states.items() if state == "accepted" and not times[event])
    lost += sum(
        1
        for event, state in states.items()
        if state in ("pending", "not sent", "rejected", "cancelled") and times[event]
    )
    lost += len(times.keys() - states.keys())
    silent = sum(1 for event, count in times.items() if count > 1 and event not in doubted)
    arrived_unknown = sum(1 for event, state in states.items() if state == "unknown" and times[event])
    pages = [screen] if isinstance(screen, str) else screen
    shown = {word: sum(_said(page, word) for page in pages) for word in WORDS}
    differing = sum(abs(shown[word] - by_state[word]) for word in WORDS)
    differing += abs(len(times) - by_state["accepted"] - arrived_unknown)
    return Reckoning(
        events=len(states),
        accepted=by_state["accepted"],
        unknown=by_state["unknown"],
        arrived=len(times),
        doubles=sum(count - 1 for count in times.values()),
        lost=lost,
        silent_doubles=silent,
        reordered=_reordered(received, doubted),
        differing=differing,
    )


def _reordered(received: list[tuple[str, str]], doubted: set[str]) -> int:
    """Persons whose events were not processed as they were given: the sandbox processes the first of an id.

    A repeat that comes back after a later event is one too, unless history calls it unknown.
    """
    persons: defaultdict[str, list[int]] = defaultdict(list)
    for event, person in received:
        persons[person].append(int(event[1:]))
    wrong = 0
    for mine in persons.values():
        firsts = list(dict.fromkeys(mine))
        runs = Counter(number for number, _ in groupby(mine))
        again = [f"e{number}" for number, count in runs.items() if count > 1]
        wrong += firsts != sorted(firsts) or any(event not in doubted for event in again)
    return wrong


def _said(screen: str, word: str) -> int:
    """The count in the first badge of a state on the batch's page: ``● 1,204 accepted``."""
    found = re.search(rf"badge\[\S+ ([\d,]+) {re.escape(label_state(word))}\]", screen)
    return int(found[1].replace(",", "")) if found else 0
