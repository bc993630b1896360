"""From a wheel to the first screen that can be used, beside what Streamlit itself takes for that."""

import itertools
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.consoles import free_port
from tests.bench.harness import ROOT, Figures, alternating, bench, folder
from tests.wheels import build, copy_tree, make_environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser

INSTALLATIONS = 3
WAIT_SECONDS = 120

PIP = (
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-input",
    "-c",
    str(ROOT / "constraints.txt"),
)


@bench("install.first_screen", at_most=1.5)
def first_screen() -> Figures:
    """From ``pip install WHEEL[console]`` in a fresh environment to Compose, ready for a person, over the same of
    ``pip install streamlit`` and the page of ``streamlit hello``. pip has all packages in its cache, for both.
    """
    from playwright.sync_api import sync_playwright

    import run
    from tests.browser.conftest import FLAGS

    with folder() as where, sync_playwright() as playwright:
        (wheel,) = build(copy_tree(where / "tree"), where / "built", "wheel")
        sides = (
            (f"{wheel}[console]", "event-console", "Compose"),
            (f"streamlit=={_read_streamlit_version()}", "streamlit", "Welcome to Streamlit! 👋"),
        )
        warming = make_environment(where / "warming")
        for package, _, _ in sides:
            subprocess.run([warming / "python", *PIP, "--dry-run", package], check=True)
        browser = playwright.chromium.launch(executable_path=run.find_installed_chromium(), args=FLAGS)
        numbers = itertools.count()
        ours, theirs = alternating(
            *(lambda side=side: _install_and_open(browser, where / f"{next(numbers)}", *side) for side in sides),
            times=INSTALLATIONS,
        )
        browser.close()
    return {"ratio": ours / theirs, "console_s": ours, "hello_s": theirs}


def _read_streamlit_version() -> str:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return next(line.split("==")[1].split()[0] for line in lines if line.startswith("streamlit=="))


def _install_and_open(browser: "Browser", place: Path, package: str, program: str, heading: str) -> float:
    """Install a package into a fresh environment and open what it starts; seconds until a person can use it."""
    from playwright.sync_api import Error

    from tests.browser.screens import STILL

    place.mkdir()
    programs = make_environment(place / "environment")
    context = browser.new_context()
    page = context.new_page()
    began = time.perf_counter()
    subprocess.run([programs / "python", *PIP, package], check=True)
    port = free_port()  # now: another program could have taken it while pip was at work
    with subprocess.Popen(
        [programs / program, *_list_arguments(program, port)],
        cwd=place,
        env={"PATH": "/usr/bin:/bin", "HOME": str(place)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            while time.perf_counter() - began < WAIT_SECONDS:
                try:
                    page.goto(f"http://127.0.0.1:{port}")
                    break
                except Error:  # it does not listen yet
                    time.sleep(0.02)
            page.get_by_role("heading", name=heading, level=1).wait_for(timeout=WAIT_SECONDS * 1000)
            page.wait_for_function(f"() => document.querySelector({STILL!r})")
            return time.perf_counter() - began
        finally:
            server.terminate()
            server.wait(20)
            context.close()


def _list_arguments(program: str, port: int) -> Sequence[str]:
    if program == "event-console":
        return ["--server.port", str(port)]
    quiet = ("--server.headless=true", "--server.showEmailPrompt=false", "--browser.gatherUsageStats=false")
    return ["hello", f"--server.port={port}", "--server.address=127.0.0.1", *quiet]
