"""The screens stay quick while the same console sends to its own sandbox."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.consoles import Console, Tab, console
from tests.bench.harness import ROOT, Figures, bench, folder

if TYPE_CHECKING:
    from intempt_core.history.history import History

EVENTS = 100_000
TURNS = 3
IDLE_RUNS = 60


@bench("page.while_sending", at_most=5)
def while_sending() -> Figures:
    """The 95th percentile of a page's server time while 100,000 events go to the mounted sandbox, over it when idle.

    A page is a run of a screen's script, asked for and drawn to its end over the websocket as a browser does: History's
    list, the batch that is being sent, and Compose, in turns.
    """
    with folder() as where, console(where / "data") as running:
        return asyncio.run(_measured(running, where))


async def _measured(running: Console, where: Path) -> Figures:
    from intempt_core.history import BatchState
    from intempt_core.history.history import History
    from intempt_core.settings import Settings

    history = History.open(Settings(data=running.data).history_url)
    idle: list[list[float]] = []
    sending: list[list[float]] = []
    seconds: list[float] = []
    batch = await asyncio.to_thread(_record, running, where / "first.csv", 1_000, "first", history, "--wait")
    async with Tab.open(running) as tab:
        await _pages(tab, batch, lambda done: done < 6)  # everything is imported and compiled then
        for turn in range(TURNS):
            idle.append(await _pages(tab, batch, lambda done: done < IDLE_RUNS))
            batch = await asyncio.to_thread(_record, running, where / f"{turn}.csv", EVENTS, f"t{turn}-", history)
            began = time.monotonic()
            sending.append(await _pages(tab, batch, lambda _: history.queries.batch(batch).is_active))  # noqa: B023  ends before it changes
            seconds.append(time.monotonic() - began)
            if history.queries.batch(batch).state is not BatchState.DONE:
                raise RuntimeError(f"The batch is {history.queries.batch(batch)}")
    history.close()
    at_rest, busy = (statistics.median(map(_p95, turns)) for turns in (idle, sending))
    return {
        "ratio": busy / at_rest,
        "sending_p95_ms": busy,
        "idle_p95_ms": at_rest,
        "sending_median_ms": statistics.median(map(statistics.median, sending)),
        "idle_median_ms": statistics.median(map(statistics.median, idle)),
        "sending_longest_ms": max(map(max, sending)),
        "pages_while_sending": sum(map(len, sending)),
        "events_per_s": EVENTS / statistics.median(seconds),
    }


async def _pages(tab: Tab, batch: str, goes_on: Callable[[int], bool]) -> list[float]:
    """Screens in turns, one after another, for as long as it goes on; ms of each."""
    screens = (("history", ""), ("history", f"batch={batch}"), ("", ""))
    taken: list[float] = []
    while goes_on(len(taken)):
        drawn = await tab.run(*screens[len(taken) % len(screens)])
        taken.append(drawn.ms)
        await asyncio.sleep(0.05)  # a person reads
    return taken


def _record(running: Console, file: Path, events: int, ids: str, history: "History", *more: str) -> str:
    """Let the command line record a file for the console to send; the batch's id. It ends before it is measured."""
    rows = (f"Product viewed,{ids}{n},u{n % 5_000},p{n % 999},1795348980000\n" for n in range(events))
    file.write_text("name,eventId,userId,productId,timestamp\n" + "".join(rows))
    command = [sys.executable, "-m", "intempt_core", "send", str(file), "--target", "sandbox", "--yes", *more]
    environment = {"CONSOLE_DATA": str(running.data), "PATH": ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return history.queries.batches(size=1).items[0].id


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]
