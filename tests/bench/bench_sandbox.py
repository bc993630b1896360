"""The sandbox: how many events it takes in, beside a route that parses the same bodies and stores nothing."""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.harness import ROOT, Figures, alternating, bench

HERE = "tests.bench.bench_sandbox"
EVENTS, CONNECTIONS, SECONDS = 50, 16, 5
TRACK = "/v1/acme/projects/shop/sources/1487580005268456192/track"
AUTHORIZATION = "Basic " + base64.b64encode(b"sandbox:sandbox").decode()

LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "{authorization}"
local template = [[{template}]]
local number = 0
request = function()
    number = number + 1
    return wrk.format(nil, nil, nil, (template:gsub("@", tostring(number))))
end
"""
"""Bodies that no request sent before: each has its number in its ids."""


@bench("sandbox.ingest", at_least=0.25)
def ingest() -> Figures:
    """Events per second that are taken, deduplicated and stored, over those that are only parsed."""
    ours, bare = alternating(lambda: _rate("sandbox"), lambda: _rate("bare"))
    return {"ratio": ours / bare, "sandbox_events_per_s": ours, "bare_events_per_s": bare}


def _rate(server: str) -> float:
    """Events per second, from the first request until the last event can be listed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _serving(server, Path(folder)) as url:
        script = Path(folder) / "bodies.lua"
        script.write_text(LUA.format(authorization=AUTHORIZATION, template=_template()))
        call = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), url + TRACK]
        began = time.perf_counter()
        said = subprocess.run(call, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in said:
            raise RuntimeError(f"{server} rejected requests:\n{said}")
        taken = int(re.findall(r"(\d+) requests in", said)[0]) * EVENTS
        if server == "sandbox":
            asked = urllib.request.Request(f"{url}/_sandbox/events?limit=1", headers={"Authorization": AUTHORIZATION})
            with urllib.request.urlopen(asked, timeout=120) as answer:
                stored = json.load(answer)
            if stored["processed"] < taken:  # wrk leaves a last request a connection uncounted
                raise RuntimeError(f"{taken} events were taken, and the sandbox knows {stored}")
        return taken / (time.perf_counter() - began)


def _template() -> str:
    """A body of 50 events, ``@`` where the request's number goes: 25 persons, 400 products, about 11 kB."""
    payload = [
        {
            "eventId": f"evt-@-{number}",
            "userId": f"user-@-{number % 25}",
            "sessionId": f"4d3b30da-a5e4-49df-b1a8-{number % 25:012}",
            "timestamp": 1_714_631_904_000 + number,
            "data": {"productId": f"58{number:05}", "price": 12.5, "category": "1487580005268456287"},
        }
        for number in range(EVENTS)
    ]
    return json.dumps({"track": [{"name": "Product viewed", "payload": payload}]}, separators=(",", ":"))


@contextmanager
def _serving(server: str, folder: Path) -> Iterator[str]:
    """Its address. The sandbox is started as anybody starts it."""
    ours = ["-m", "intempt_core", "sandbox", "--port", "0"]
    call = [sys.executable, *(ours if server == "sandbox" else ["-m", HERE])]
    environment = {**os.environ, "CONSOLE_DATA": str(folder)}
    with subprocess.Popen(call, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            (address,) = re.findall(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
            yield address
        finally:
            process.terminate()


def _serve_bare() -> None:
    """A bare route on the same server."""
    import orjson
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from intempt_core.sandbox.http.server import _open_listener

    async def track(request: Request) -> Response:
        orjson.loads(await request.body())
        return Response(b"{}", 201, media_type="application/json")

    made = Starlette(routes=[Route(TRACK, track, methods=["POST"])])
    with _open_listener(0) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
        uvicorn.Server(uvicorn.Config(made, log_config=None, access_log=False, lifespan="off", ws="none")).run(
            sockets=[listener]
        )


if __name__ == "__main__":
    _serve_bare()
