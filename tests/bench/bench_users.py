"""Screens stay quick for twenty people at one console while a worker sends what they have recorded in PostgreSQL.

What is measured is the time of the console, over the real socket: of a screen asked for, drawn to its end.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.bench_postgres import run_server
from tests.bench.consoles import Console, Tab, console
from tests.bench.fault_scenarios import until
from tests.bench.harness import ROOT, Figures, bench, folder
from tests.bench.track_server import track_server
from tests.postgres import make_database

if TYPE_CHECKING:
    from intempt_core.history import History

SESSIONS = 20
PERIOD_SECONDS = 10.0
"""How often each session does something."""

EVENTS = 100_000
LATENCY_MS, REQUESTS_PER_SECOND = 20, 100
TURNS, CLICKS = 3, 12
WARM_UPS = 6
IDLE_INTERACTIONS = 40
LONGEST_SECONDS = 300
SAMPLES = 20
"""Of so many interactions at the least a 95th percentile is taken."""


@dataclass(frozen=True)
class Deployment:
    """A console, a worker beside it, and the database of both."""

    console: Console
    history: "History"
    environment: Mapping[str, str]
    worker_log: Path


@bench("page.users", at_most=4)
def users() -> Figures:
    """The 95th percentile of 20 sessions' interactions while 100,000 events go, over that of one session when idle.

    Each session does something every 10 s; the idle one does as much as all of them together, so that neither console
    has been asleep. History's list, the batch and Compose come in turns.
    """
    with folder() as where, deploy(where) as at:
        return asyncio.run(_measure(at, where))


@bench("page.consoles", at_most=2)
def consoles() -> Figures:
    """The longest time in s from a click at one console until the other one shows it, in a screen that is open.

    Both are behind nginx with two workers, and show a batch that is being sent: it is paused at one of them and resumed
    at the other, in turns.
    """
    from playwright.sync_api import sync_playwright

    import run
    from tests.arrangement import run_arrangement
    from tests.browser.actions import open_batch, sign_in
    from tests.browser.conftest import FLAGS

    limited = {"CONSOLE_REQUESTS_PER_SECOND": "20"}
    taken: list[float] = []
    with ExitStack() as opened:
        where = opened.enter_context(folder())
        url = opened.enter_context(make_database(opened.enter_context(run_server())))
        at = opened.enter_context(run_arrangement(where, url, limited))
        playwright = opened.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=run.find_installed_chromium(), args=FLAGS)
        opened.callback(browser.close)
        pages = [sign_in(browser, at, one) for one in at.consoles]
        batch = _record(at.history, at.environment, where, EVENTS, "seen", "sandbox")
        for page in pages:
            open_batch(page, batch, "Pause")
        for turn in range(CLICKS):
            name, opposite = ("Resume", "Pause") if turn % 2 else ("Pause", "Resume")
            actor, watcher = pages if turn % 4 < 2 else pages[::-1]
            actor.get_by_role("button", name=name, exact=True).click()
            began = time.monotonic()
            watcher.get_by_role("button", name=opposite, exact=True).wait_for()
            taken.append(time.monotonic() - began)
            actor.get_by_role("button", name=opposite, exact=True).wait_for()
    return {"ratio": max(taken), "longest_s": max(taken), "median_s": statistics.median(taken), "clicks": CLICKS}


@contextmanager
def deploy(where: Path) -> Iterator[Deployment]:
    """One console with one worker on PostgreSQL, and a target that takes a while and is not to be hurried."""
    from intempt_core.history import History, WorkerKind
    from tests.arrangement import WorkerProgram

    with ExitStack() as opened:
        url = opened.enter_context(make_database(opened.enter_context(run_server())))
        target = opened.enter_context(track_server(LATENCY_MS))
        environment = {
            "CONSOLE_DATABASE_URL": url,
            "CONSOLE_DATA": str(where / "data"),
            "CONSOLE_TARGET_SHOP_HOST": target,
            "CONSOLE_TARGET_SHOP_ORG": "acme",
            "CONSOLE_TARGET_SHOP_PROJECT": "shop",
            "CONSOLE_TARGET_SHOP_SOURCE": "1",
            "CONSOLE_TARGET_SHOP_KEY": "bench.bench",
            "CONSOLE_TARGET_SHOP_REQUESTS_PER_SECOND": str(REQUESTS_PER_SECOND),
        }
        running = opened.enter_context(console(where / "data", environment))
        history = opened.enter_context(closing(History.open(url)))
        worker = WorkerProgram.start(where / "worker.log", environment)
        opened.callback(worker.stop)
        until(lambda: history.workers.list_alive([WorkerKind.WORKER]), 60)
        yield Deployment(running, history, environment, worker.log)


async def _measure(at: Deployment, where: Path) -> Figures:
    from intempt_core.history import BatchState

    idle: list[float] = []
    busy: list[float] = []
    seconds: list[float] = []
    idle_p95: list[float] = []
    busy_p95: list[float] = []
    batch = await asyncio.to_thread(_record, at.history, at.environment, where, 1_000, "first")
    await asyncio.to_thread(_wait_until_over, at.history, batch)
    for turn in range(TURNS):
        # Sockets are opened when they are used: one that is not read from answers no ping, and is closed.
        async with Tab.open(at.console) as tab:
            idle.clear()
            for number in range(WARM_UPS + IDLE_INTERACTIONS):
                idle.append(await _interact(tab, number, batch))
                await asyncio.sleep(PERIOD_SECONDS / SESSIONS)
            idle_p95.append(_p95(idle[WARM_UPS:]))
        batch = await asyncio.to_thread(_record, at.history, at.environment, where, EVENTS, f"turn{turn}")
        began = time.monotonic()
        busy.clear()
        ended = asyncio.Event()
        async with AsyncExitStack() as opened:
            tabs = [await opened.enter_async_context(Tab.open(at.console)) for _ in range(SESSIONS)]
            people = [
                asyncio.create_task(_act(tab, batch, place * PERIOD_SECONDS / SESSIONS, ended, busy))
                for place, tab in enumerate(tabs)
            ]
            await asyncio.to_thread(_wait_until_over, at.history, batch)
            seconds.append(time.monotonic() - began)
            ended.set()
            await asyncio.gather(*people)
        if at.history.queries.batch(batch).state is not BatchState.DONE:
            raise RuntimeError(f"The batch is {at.history.queries.batch(batch)}")
        busy_p95.append(_p95(busy))
    errors = sum(log.count('"level": "error"') for log in (at.console.log, at.worker_log.read_text(errors="replace")))
    if errors:
        raise RuntimeError(f"{errors} errors in the logs:\n{at.console.log[-2000:]}")
    at_rest, sending = statistics.median(idle_p95), statistics.median(busy_p95)
    return {
        "ratio": sending / at_rest,
        "sending_p95_ms": sending,
        "idle_p95_ms": at_rest,
        "interactions": len(busy),
        "sending_longest_ms": max(busy),
        "requests_per_s": EVENTS / 50 / statistics.median(seconds),
        "errors": errors,
    }


def _wait_until_over(history: "History", batch: str) -> None:
    until_seconds = time.monotonic() + LONGEST_SECONDS
    while history.queries.batch(batch).is_active:
        if time.monotonic() > until_seconds:
            raise RuntimeError(f"It was not sent in time: {history.queries.batch(batch)}")
        time.sleep(0.2)


async def _act(tab: Tab, batch: str, delay: float, ended: asyncio.Event, taken: list[float]) -> None:
    """What one person does until nothing is sent any more: something every few seconds."""
    number = 0
    while True:
        wait = delay if number == 0 else PERIOD_SECONDS
        try:
            await asyncio.wait_for(ended.wait(), wait)
        except TimeoutError:
            taken.append(await _interact(tab, number, batch))
            number += 1
        else:
            return


async def _interact(tab: Tab, number: int, batch: str) -> float:
    """Ask for a screen; ms until it was drawn."""
    screens = (("history", ""), ("history", f"batch={batch}"), ("", ""))
    return (await tab.run(*screens[number % len(screens)])).ms


def _record(
    history: "History",
    given: Mapping[str, str],
    where: Path,
    events: int,
    name: str,
    target: str = "shop",
) -> str:
    """Let the command line record a file for the workers to send; the batch's id."""
    file = where / f"{name}.csv"
    rows = (f"Product viewed,{name}-{n},u{n % 5_000},p{n % 999},1795348980000\n" for n in range(events))
    file.write_text("name,eventId,userId,productId,timestamp\n" + "".join(rows))
    command = [sys.executable, "-m", "intempt_core", "send", str(file), "--target", target, "--yes"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 6):  # 6: handed over
        raise RuntimeError(done.stderr)
    return history.queries.batches(size=1).items[0].id


def _p95(taken: list[float]) -> float:
    if len(taken) < SAMPLES:
        raise RuntimeError(f"Only {len(taken)} interactions: the events went too quickly.")
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]
