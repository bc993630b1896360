"""The screens are quick: at the first start, at each interaction, and while the console sends to its own sandbox."""

import asyncio
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.consoles import Console, Tab, console, screen, start
from tests.bench.harness import ROOT, Figures, alternating, bench, folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from intempt_core.history.history import History

EVENTS = 100_000
TURNS = 3
IDLE_RUNS = 60

QUIET_SERVER = (
    "--server.headless=true", "--server.showEmailPrompt=false", "--server.address=127.0.0.1",
    "--browser.gatherUsageStats=false", "--server.fileWatcherType=none", "--logger.hideWelcomeMessage=true",
)  # fmt: skip
"""What the console's own configuration says too, for a project without one."""


BARE_APP = """\
import streamlit as st

st.title("Bare")
{widgets}
"""
"""What a console is measured against: a page with as many widgets, which does nothing."""

STARTS = 3
INTERACTIONS = 40


@bench("page.first", at_most=1.5)
def first() -> Figures:
    """From the start of the server to the first screen that can be used, over the same of a one-line Streamlit app.

    In a browser that is open, with nothing in its cache; each start has a data folder of its own.
    """
    from playwright.sync_api import sync_playwright

    import run
    from tests.browser.conftest import FLAGS

    with folder() as where, sync_playwright() as playwright:
        bare = where / "bare"
        bare.mkdir()
        (bare / "app.py").write_text(BARE_APP.format(widgets=""))
        browser = playwright.chromium.launch(executable_path=run.find_installed_chromium(), args=FLAGS)
        numbers = itertools.count()
        ours, theirs = alternating(
            lambda: _start_and_open(browser, where / f"ours{next(numbers)}", ROOT, "Compose"),
            lambda: _start_and_open(browser, where / f"bare{next(numbers)}", bare, "Bare"),
            times=STARTS,
        )
        browser.close()
    return {"ratio": ours / theirs, "console_s": ours, "bare_s": theirs}


def _start_and_open(browser: "Browser", data: Path, project: Path, heading: str) -> float:
    """Start a server and open it; seconds until its first screen is drawn and waits for a person."""
    from playwright.sync_api import Error

    from tests.browser.screens import STILL

    context = browser.new_context()
    page = context.new_page()
    began = time.perf_counter()
    running = start(data, {}, *QUIET_SERVER, wait=False, project=project)
    try:
        while time.perf_counter() - began < 60:
            try:
                page.goto(running.url)
                break
            except Error:  # it does not listen yet
                time.sleep(0.02)
        page.get_by_role("heading", name=heading, level=1).wait_for()
        page.wait_for_function(f"() => document.querySelector({STILL!r})")
        return time.perf_counter() - began
    finally:
        running.stop()
        context.close()


@bench("page.rerun", at_most=2)
def rerun() -> Figures:
    """The median server time of an interaction on Compose, over that on a bare page of as many widgets.

    An interaction is a text typed into the first field, and the run of the script that follows, to its end.
    """
    with folder() as where, console(where / "data") as ours:
        widgets = screen(ours, "").widgets
        bare = where / "bare"
        bare.mkdir()
        fields = "\n".join(f'st.text_input("Field {number}", key="field-{number}")' for number in range(len(widgets)))
        (bare / "app.py").write_text(BARE_APP.format(widgets=fields))
        with console(where / "bare-data", None, *QUIET_SERVER, project=bare) as theirs:
            our_ms, bare_ms = alternating(
                lambda: asyncio.run(_interact(ours)), lambda: asyncio.run(_interact(theirs)), times=TURNS
            )
    return {"ratio": our_ms / bare_ms, "compose_ms": our_ms, "bare_ms": bare_ms, "widgets": len(widgets)}


async def _interact(running: Console) -> float:
    """The median ms of a run after a text was typed, in a tab of its own."""
    async with Tab.open(running) as tab:
        drawn = await tab.run("")
        field = next(id_ for kind, id_ in drawn.widgets if kind == "text_input")
        for number in range(5):  # what is compiled and cached at first is
            await tab.run("", typed={field: f"first{number}"})
        return statistics.median([(await tab.run("", typed={field: f"t{n}"})).ms for n in range(INTERACTIONS)])


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
    if done.returncode not in (0, 1, 6):  # 6: handed to the console
        raise RuntimeError(done.stderr)
    return history.queries.batches(size=1).items[0].id


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]
