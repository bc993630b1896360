"""The pytest plugin: what a test costs that uses ``track_api``, and how long its server takes to start."""

import json
import os
import statistics
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

from tests.bench.harness import ROOT, Figures, bench, folder, fresh

HERE = "tests.bench.bench_plugin"
TESTS = 100

RECORDER = """
import json, pytest
taken = {}
def pytest_runtest_logreport(report):
    taken[report.nodeid] = taken.get(report.nodeid, 0) + report.duration
def pytest_sessionfinish():
    with open("taken.json", "w") as file:
        json.dump(list(taken.values()), file)
"""

EMPTY = """
import pytest
@pytest.mark.parametrize("number", range({tests}))
def test_nothing(number):
    pass
"""

USING = """
import base64, http.client, json, pytest
@pytest.mark.parametrize("number", range({tests}))
def test_event(track_api, number):
    event = {{"eventId": "e1", "userId": "u1", "data": {{"productId": "A1"}}}}
    connection = http.client.HTTPConnection(track_api.host)
    connection.request("POST", track_api.url.removeprefix(track_api.base_url), json.dumps(
        {{"track": [{{"name": "Added to cart", "payload": [event]}}]}}), {{"Content-Type": "application/json",
        "Authorization": "Basic " + base64.b64encode(track_api.key.replace(".", ":").encode()).decode()}})
    assert connection.getresponse().status == 201
    connection.close()
    track_api.expect("Added to cart", userId="u1", data={{"productId": "A1"}})
    assert track_api.feed("recently-added-to-cart", userId="u1") == ["A1"]
    track_api.expect_nothing_else()
"""


@bench("plugin.cost")
def cost() -> Figures:
    """A test that sends an event, expects it, reads a feed and expects nothing else, over one that does nothing."""
    using, empty = (_median_ms(code) for code in (USING, EMPTY))
    return {"ratio": using / empty, "track_api_ms": using, "empty_ms": empty, "tests": TESTS}


@bench("plugin.start", at_most=1)
def start() -> Figures:
    """Seconds from the first use of the fixture in a fresh process until its server responds, imports included."""
    runs = [fresh(f"{HERE}:measure_start") for _ in range(5)]
    whole, imported, processor = (statistics.median(run[number] for run in runs) for number in range(3))
    return {"ratio": whole, "seconds": whole, "of_it_imports_s": imported, "processor_s": processor}


def measure_start() -> tuple[float, float, float]:
    """Start the server once, in this process: seconds, those of imports among them, and those of the processor."""
    began, busy = time.perf_counter(), time.process_time()
    from intempt_core.testing.process_sandbox import run_process_sandbox

    imported = time.perf_counter() - began
    with run_process_sandbox() as server:
        server.open_project("a test").events()
        return time.perf_counter() - began, imported, time.process_time() - busy


def _median_ms(code: str) -> float:
    """The median of a hundred tests in ms: setup, call and teardown."""
    with folder() as place:
        (place / "pytest.ini").write_text("[pytest]\n")
        (place / "conftest.py").write_text(RECORDER)
        (place / "test_own.py").write_text(code.format(tests=TESTS))
        installed = entry_points(group="pytest11", name="event-console")
        plugin = [] if installed else ["-p", "intempt_core.testing.pytest_plugin"]
        call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(call, cwd=place, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stdout)
        taken: list[float] = json.loads(Path(place / "taken.json").read_text())
        return statistics.median(taken) * 1000
