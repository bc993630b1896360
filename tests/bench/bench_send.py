"""Sending: what the engine, the records and the order cost, beside clients that have none of them.

Every run of ours is the console's own way: DBOS under it, every outcome in SQLite, a process of its own. It is timed
from the first request's start to the last outcome's mark, as history has them; what was recorded before is reported.
"""

import asyncio
import gc
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.harness import Figures, alternating, bench, folder, fresh, peak_mb
from tests.bench.track_server import track_server

LANES = 16
PER_REQUEST = 50
WIRE_REQUESTS = 3_000
ENGINE_REQUESTS = 4_000
SEQUENTIAL_REQUESTS = 200
LATENCY_MS = 20
WRK_SECONDS = 4
HERE = "tests.bench.bench_send"


@bench("send.wire", at_least=0.9)
def wire() -> Figures:
    """Requests a second, recorded, over those of wrk posting the same bodies over as many connections."""
    intents: list[float] = []
    with track_server(LATENCY_MS) as url:
        ours, wrk = alternating(lambda: dispatched(url, WIRE_REQUESTS, intents), lambda: by_wrk(url))
    return {
        "ratio": ours / wrk,
        "dispatch_requests_s": ours,
        "wrk_requests_s": wrk,
        "intent_s": sorted(intents)[len(intents) // 2],
        "requests": WIRE_REQUESTS,
        "latency_ms": LATENCY_MS,
    }


@bench("send.sequential", at_least=13)
def sequential() -> Figures:
    """Requests a second, recorded, over those of one connection sending one request after another."""
    with track_server(LATENCY_MS) as url:
        ours, one = alternating(lambda: dispatched(url, WIRE_REQUESTS), lambda: one_after_another(url))
    return {"ratio": ours / one, "dispatch_requests_s": ours, "sequential_requests_s": one, "latency_ms": LATENCY_MS}


@bench("send.engine", at_most=1.2)
def engine() -> Figures:
    """Wall time of sending with engine and records, over that of the bare client loop; a server without latency."""
    with track_server() as url:
        ours, bare = alternating(
            lambda: ENGINE_REQUESTS / dispatched(url, ENGINE_REQUESTS),
            lambda: float(fresh(f"{HERE}:bare_loop", url, ENGINE_REQUESTS)),
            times=5,
        )
    return {"ratio": ours / bare, "dispatch_s": ours, "bare_s": bare, "requests": ENGINE_REQUESTS}


@bench("send.memory", at_most=1.3)
def memory() -> Figures:
    """Peak resident memory of the sending process for a million events, over that for ten thousand."""
    peaks: dict[int, float] = {}
    with track_server() as url:
        for events in (10_000, 1_000_000):
            with folder() as data:
                fresh(f"{HERE}:recorded", str(data), url, events // PER_REQUEST)
                peaks[events] = fresh(f"{HERE}:sent", str(data), url)["peak_mb"]
    return {"ratio": peaks[1_000_000] / peaks[10_000], "million_mb": peaks[1_000_000], "ten_thousand_mb": peaks[10_000]}


# ── our side ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def dispatched(url: str, requests: int, intents: list[float] | None = None) -> float:
    """Requests a second of dispatch, each step in a process of its own."""
    with folder() as data:
        intent = fresh(f"{HERE}:recorded", str(data), url, requests)
        if intents is not None:
            intents.append(intent)
        return requests / float(fresh(f"{HERE}:sent", str(data), url)["seconds"])


def bodies(requests: int) -> Iterator[tuple[bytes, list[Any]]]:
    """Request bodies of :data:`PER_REQUEST` events of one person each, and the events."""
    from intempt_core.contract.body import build_request_body
    from intempt_core.contract.issues import Place
    from intempt_core.contract.rules import GivenEvent

    for number in range(requests):
        events = [
            GivenEvent(
                "Product viewed",
                {
                    "eventId": f"evt_{number:08d}_{place:02d}",
                    "userId": f"user_{number:08d}",
                    "sessionId": f"5f0d7c2e-{number:08d}",
                    "timestamp": 1_700_000_000_000 + number * 1000 + place,
                    "data": {"productId": f"SKU_{(number * 7 + place) % 54_043}", "price": "4.76"},
                },
                Place(row=number * PER_REQUEST + place + 1),
            )
            for place in range(PER_REQUEST)
        ]
        yield build_request_body([(event.name, event.body) for event in events]), events


def recorded(data: str, url: str, requests: int, database: str = "") -> float:
    """Write a batch down, as a confirm does; the seconds it took."""
    from intempt_core.dispatch import make_batch_intent
    from intempt_core.history import EventIntent, History, RequestIntent
    from intempt_core.planning.plan import plan_events
    from intempt_core.settings import Settings
    from intempt_core.targets.target import sandbox_target

    def planned() -> Iterator[RequestIntent]:
        for number, (body, events) in enumerate(bodies(requests)):
            rows = [
                EventIntent.from_event(event, number * PER_REQUEST + place + 1) for place, event in enumerate(events)
            ]
            yield RequestIntent(number % LANES + 1, number // LANES, body, rows)

    settings = Settings(data=Path(data), database_url=database)
    history = History.open(settings.history_url)
    intent = make_batch_intent(plan_events([]), sandbox_target(url), owner="bench", rows=requests * PER_REQUEST)
    began = time.perf_counter()
    history.recorder.record(intent, planned())
    took = time.perf_counter() - began
    history.close()
    return took


def sent(data: str, url: str, database: str = "") -> dict[str, float]:
    """Send what was recorded, by the engine; seconds from the first byte to the last outcome, and memory in MB."""
    from sqlalchemy import text

    from intempt_core.dispatch import Dispatcher, SendingEnvironment
    from intempt_core.history import BatchState, History
    from intempt_core.settings import Settings
    from intempt_core.targets.target import sandbox_target

    settings = Settings(data=Path(data), database_url=database)
    history = History.open(settings.history_url)
    (batch,) = history.queue.unfinished()
    dispatcher = Dispatcher(history, SendingEnvironment(settings, lambda _: sandbox_target(url)), owner="bench")
    dispatcher.start(durable=True)
    gc.freeze()  # as the console and the sending process do
    while history.queries.batch(batch.id).state is BatchState.SENDING:
        time.sleep(0.25)
    dispatcher.stop()
    assert history.queries.batch(batch.id).state is BatchState.DONE, history.queries.batch(batch.id).reason
    with history.database.engine.begin() as connection:
        first = connection.execute(text("SELECT min(started_at) FROM attempts")).scalar_one()
        last = connection.execute(text("SELECT max(updated_at) FROM requests")).scalar_one()
    history.close()
    return {"seconds": (last - first) / 1000, "peak_mb": peak_mb()}


# ── theirs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def bare_loop(url: str, requests: int) -> float:
    """Seconds of the same client posting the same bodies over as many connections, and nothing else."""
    from intempt_core.settings import Settings
    from intempt_core.targets.target import sandbox_target
    from intempt_core.transport.exchange import open_client

    target = sandbox_target(url)
    assert target.credential
    headers = {"Authorization": target.credential.authorization, "Content-Type": "application/json"}
    waiting = iter([body for body, _ in bodies(requests)])

    async def all_of_them() -> float:
        async with open_client(Settings()) as client:

            async def one() -> None:
                for body in waiting:
                    answer = await client.http.post(target.track_url, content=body, headers=headers)
                    assert answer.status_code == 201

            began = time.perf_counter()
            await asyncio.gather(*(one() for _ in range(LANES)))
            return time.perf_counter() - began

    return asyncio.run(all_of_them())


def one_after_another(url: str) -> float:
    """Requests a second over one connection that is kept, each after the answer to the one before."""
    from intempt_core.targets.target import sandbox_target

    target = sandbox_target(url)
    assert target.credential
    headers = {"Authorization": target.credential.authorization, "Content-Type": "application/json"}
    address = urlsplit(target.track_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    waiting = [body for body, _ in bodies(SEQUENTIAL_REQUESTS)]
    began = time.perf_counter()
    for body in waiting:
        connection.request("POST", address.path, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 201
    took = time.perf_counter() - began
    connection.close()
    return SEQUENTIAL_REQUESTS / took


SCRIPT = """
local bodies, at = {}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local headers = {["Authorization"] = os.getenv("KEY"), ["Content-Type"] = "application/json"}
request = function()
  at = at % #bodies + 1
  return wrk.format("POST", nil, headers, bodies[at])
end
"""


def by_wrk(url: str) -> float:
    """Requests a second of wrk."""
    with folder() as data:
        (data / "bodies").write_bytes(b"\n".join(body for body, _ in bodies(WIRE_REQUESTS)))
        return post_by_wrk(url, data / "bodies", WRK_SECONDS)


def post_by_wrk(url: str, lines: Path, seconds: int) -> float:
    """Requests a second of wrk, which posts the bodies of a file, one a line, for some seconds."""
    from intempt_core.targets.target import sandbox_target

    target = sandbox_target(url)
    assert target.credential
    with folder() as data:
        (data / "script.lua").write_text(SCRIPT)
        command = ["wrk", "-t1", f"-c{LANES}", f"-d{seconds}s", "-s", str(data / "script.lua"), target.track_url]
        environment = {**os.environ, "BODIES": str(lines), "KEY": target.credential.authorization}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or "Non-2xx" in done.stdout:
        raise RuntimeError(f"wrk failed: {done.stdout}{done.stderr}")
    return float(next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("Requests/sec")))


def main() -> None:
    """For a profiler: send once, in this process."""
    requests = int(sys.argv[1])
    with track_server(float(sys.argv[2])) as url, folder() as data:
        recorded(str(data), url, requests)
        print(requests / sent(str(data), url)["seconds"], "requests/s; bare", end=" ")
        print(requests / bare_loop(url, requests), "requests/s")


if __name__ == "__main__":
    main()
