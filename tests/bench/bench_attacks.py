"""The attacks of ``docs/security.md`` and ``docs/reliability.md``, each on a fresh console: 0 where it held."""

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.access_attacks import (
    PASSWORD,
    ROUTES,
    UNPROTECTED,
    UNPROTECTED_STARTS,
    WRONG_FRAMES,
    ask_by_other_hosts,
    ask_every_route,
    copy_project,
    find_header_faults,
    list_open_to_others,
    open_sockets_of_other_origins,
    open_to_everybody,
    read_close_code,
    send_unneeded_messages,
    start_in_vain,
)
from tests.bench.attacks import attack, repeat_tests
from tests.bench.consoles import Console, console, screen
from tests.bench.harness import Figures
from tests.bench.repeated_attacks import list_repeated_attacks
from tests.core.web.hostile_requests import attack_with_requests, is_alive, list_routes
from tests.slow_clients import slow_clients, write_body_start, write_head

REQUESTS, SEED = 10_000, 10
"""Hostile requests, and where their generator begins."""

GUESSES, GUESSES_ALLOWED = 60, 5
"""Attempts at the password by one client, and how many of them may be compared."""

FLOOD = 6_000
"""Requests without a key: more than the sandbox keeps of all."""

FLOOD_MB = 256
"""Megabytes by which the data folder may grow meanwhile: what the database writes ahead at the most."""

SLOW_CONNECTIONS, SLOW_SECONDS = 400, 60
"""Connections that send a byte a second, and seconds after which all of them must be closed."""

HONEST_SECONDS = 2.0
"""Seconds by which no attack may delay a request of somebody else."""

KEY = ("sandbox", "sandbox")
TRACK = "/sandbox/v1/o/projects/p/sources/1/track"
EVENT = {"eventId": "e", "userId": "u", "data": {"productId": "p"}}
BODY = {"track": [{"name": "Product viewed", "payload": [EVENT]}]}


def _repeat(tests: Sequence[str], _: Path) -> Figures:
    return repeat_tests(tests)


for _name, _tests in list_repeated_attacks().items():
    attack(_name)(partial(_repeat, _tests))


# ── who may drive it ─────────────────────────────────────────────────────────────────────────────────────────────────


@attack("origins")
def origins(folder: Path) -> Figures:
    """Every route by five methods from ten other origins, and the socket from fifteen."""
    with console(folder / "data") as attacked:
        routes, sockets = ask_every_route(attacked), open_sockets_of_other_origins(attacked)
    let_in = routes.total() - routes[403, False] + sockets.total() - sockets[403]
    return {"held": not let_in, "requests": routes.total(), "sockets": sockets.total(), "let_in": let_in}


@attack("headers")
def headers(folder: Path) -> Figures:
    """Every route by six methods, by pages of its own and of others: responses that lack what browsers have to know."""
    with console(folder / "data") as attacked:
        faults = find_header_faults(attacked)
    return {
        "held": set(faults) == {"none"},
        "responses": faults.total(),
        "lacking": faults.total() - faults["none"],
    }


@attack("hosts")
def hosts(folder: Path) -> Figures:
    """Names at which nothing is served, in requests and handshakes; none; two."""
    with console(folder / "data") as attacked:
        statuses = ask_by_other_hosts(attacked)
    return {
        "held": set(statuses) <= {400, 403},
        "asked": statuses.total(),
        "let_in": statuses.total() - statuses[400] - statuses[403],
    }


@attack("socket_messages")
def socket_messages(folder: Path) -> Figures:
    """Messages that no screen sends, one of which takes Streamlit's caches apart, 20 times each."""
    with console(folder / "data") as attacked:
        before = _ask_health(attacked)["engine"]["owner"]
        answered = send_unneeded_messages(attacked)
        drawn = "Sandbox on this machine" in screen(attacked, "").words
        after = _ask_health(attacked)
        sent = httpx.post(attacked.url + TRACK, json=BODY, auth=KEY).status_code
    same = (after["status"], after["engine"]["owner"]) == ("ok", before)
    return {"held": answered and drawn and same and sent == 201, "messages": 140, "same_engine": same}


@attack("text_frames")
def text_frames(folder: Path) -> Figures:
    """Text, and bytes that are no message, on the web socket."""
    with console(folder / "data") as attacked:
        codes = [read_close_code(attacked, frame) for frame, _ in WRONG_FRAMES]
        after = _ask_health(attacked)["status"]
    return {
        "held": codes == [code for _, code in WRONG_FRAMES] and after == "ok" and "Traceback" not in attacked.log,
        "frames": len(codes),
        "tracebacks": attacked.log.count("Traceback"),
    }


@attack("bind_without_password")
def bind_without_password(folder: Path) -> Figures:
    """Ways to listen where other machines reach it, without a password."""
    project = copy_project(folder / "project")
    ends = [
        start_in_vain(project, folder / f"data{number}", *arguments, **environment)
        for number, (arguments, environment) in enumerate(UNPROTECTED_STARTS)
    ]
    return {
        "held": all(code == 1 and UNPROTECTED in said and not answered for code, said, answered in ends),
        "ways": len(ends),
        "bytes_answered": sum(len(answered) for _, _, answered in ends),
    }


@attack("password_guessing")
def password_guessing(folder: Path) -> Figures:
    """Guesses one after another, the right one last: it is not even compared by then."""
    with console(folder / "data", {"CONSOLE_PASSWORD": PASSWORD}) as attacked:
        guesses = [*(f"guess {number}" for number in range(GUESSES - 1)), PASSWORD]
        statuses = Counter(
            httpx.post(f"{attacked.url}/_password", data={"password": guess}).status_code for guess in guesses
        )
    return {
        "held": statuses[303] == 0 and statuses[429] >= GUESSES - GUESSES_ALLOWED - 1,
        "guesses": GUESSES,
        "compared": GUESSES - statuses[429],
        "let_in": statuses[303],
    }


@attack("password_forging")
def password_forging(folder: Path) -> Figures:
    """Every route and the socket without the password, and with cookies that nobody was given."""
    signed_in = base64.b64encode(json.dumps({"signed_in": True}).encode()).decode()
    with console(folder / "data", {"CONSOLE_PASSWORD": PASSWORD}) as attacked:
        key = hashlib.sha256((attacked.data / "password.key").read_bytes()).hexdigest()
        name = f"console_{key[:12]}"  # it may be known: it is in every answer
        cookies = [
            "",
            f"{name}={signed_in}",
            f"{name}={signed_in}.aaaa.bbbb",
            f"{name}=",
            f"_streamlit_session={signed_in}",
        ]
        open_routes = [
            path
            for path in ROUTES
            for cookie in cookies
            if not path.startswith("/sandbox/") and path != "/healthz"
            and httpx.get(attacked.url + path, headers={"Cookie": cookie}).status_code != 401
        ]  # fmt: skip
        open_sockets = sum(_opens_socket(attacked, cookie) for cookie in cookies)
        health = httpx.get(f"{attacked.url}/healthz").json()
    return {
        "held": not open_routes and not open_sockets and set(health) == {"status"},
        "cookies": len(cookies),
        "open": len(open_routes) + open_sockets,
    }


@attack("file_modes")
def file_modes(folder: Path) -> Figures:
    """Files of the data folder that others may open, left by earlier programs; a file of the command line."""
    data = folder / "data"
    with console(data) as first:
        screen(first, "history")
    open_to_everybody(data)
    events = folder / "events.csv"
    events.write_text("name,userId,data.productId,eventId\nProduct viewed,u1,p1,e1\n")
    with console(data):
        left = list_open_to_others(data)
    _send(events, folder / "other", "sandbox")
    return {
        "held": not left and not list_open_to_others(folder / "other"),
        "open_to_others": len(left) + len(list_open_to_others(folder / "other")),
    }


@attack("keyless_flood")
def keyless_flood(folder: Path) -> Figures:
    """Requests without a key, more than are kept of all, some with large heads: what had a key stays, and the disk."""
    with console(folder / "data") as attacked, httpx.Client(base_url=attacked.url) as http:
        for number in range(20):
            body = json.loads(json.dumps(BODY).replace('"e"', f'"e{number}"'))
            http.post(TRACK, json=body, auth=KEY).raise_for_status()
        rows = http.get("/sandbox/_sandbox/live", params={"limit": 1000}, auth=KEY).json()["rows"]
        kept = {row["request"] for row in rows}
        before = _measure_folder(attacked.data)
        _flood(attacked)
        time.sleep(2)
        there = [http.get(f"/sandbox/_sandbox/requests/{one}", auth=KEY).status_code == 200 for one in sorted(kept)]
        grown = (_measure_folder(attacked.data) - before) / 1e6
    lost = 20 - sum(there)
    return {"held": not lost and grown < FLOOD_MB, "requests": FLOOD, "lost": lost, "grown_mb": grown}


@attack("slow_heads")
def slow_heads(folder: Path) -> Figures:
    """Connections that send a byte of a head a second and never end it."""
    with console(folder / "data") as attacked:
        return _measure_slow(attacked, write_head("/", "X-Slow: ", method="GET").removesuffix(b"\r\n"))


@attack("slow_bodies")
def slow_bodies(folder: Path) -> Figures:
    """The same of a large body to the sandbox, with its key."""
    with console(folder / "data") as attacked:
        return _measure_slow(attacked, write_body_start(TRACK, 9_000_000))


@attack("slow_forms")
def slow_forms(folder: Path) -> Figures:
    """The same of a password, which anybody may send."""
    with console(folder / "data", {"CONSOLE_PASSWORD": PASSWORD}) as attacked:
        form = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 60000", "")
        return _measure_slow(attacked, write_head("/_password", *form))


@attack("hostile_requests")
def hostile_requests(folder: Path) -> Figures:
    """10,000 requests that mean harm to every route: 5xx, hanging, tracebacks, and whether it goes on."""
    routes = list_routes(folder / "listed")
    with console(folder / "data") as attacked:
        result = attack_with_requests(attacked, routes, REQUESTS, SEED)
        alive = is_alive(attacked)
    return {
        "held": alive and not result.failures and not result.hung and "Traceback" not in attacked.log,
        "requests": REQUESTS,
        "answers": result.statuses.total(),
        "5xx": len(result.failures),
        "hung": len(result.hung),
        "tracebacks": attacked.log.count("Traceback"),
    }


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ask_health(at: Console) -> dict[str, Any]:
    return dict(httpx.get(f"{at.url}/healthz", timeout=20).json())


def _opens_socket(at: Console, cookie: str) -> bool:
    url = at.url.replace("http", "ws", 1) + "/_stcore/stream"
    try:
        connect(url, origin=Origin(at.url), additional_headers={"Cookie": cookie}, proxy=None).close()
    except InvalidStatus:
        return False
    return True


def _send(file: Path, data: Path, target: str) -> None:
    command = [sys.executable, "-m", "intempt_core", "send", str(file), "--target", target, "--yes"]
    subprocess.run(command, env={**os.environ, "CONSOLE_DATA": str(data)}, capture_output=True, check=True)


def _measure_folder(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _flood(at: Console) -> None:
    """Send requests without a key, fifty at a time; every tenth has a head of 30 KB."""
    lines = f"POST {TRACK} HTTP/1.1\r\nHost: 127.0.0.1:{at.port}\r\nContent-Length: 0\r\n"
    small, large = f"{lines}\r\n".encode(), f"{lines}X-Padding: {'x' * 30_000}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", at.port), timeout=60) as raw, raw.makefile("rb") as answers:
        for _ in range(FLOOD // 50):
            raw.sendall((small * 9 + large) * 5)
            rejected = 0
            while rejected < 50:
                line = answers.readline()
                if not line:
                    raise ConnectionResetError("the console closed the connection")
                rejected += line.startswith(b"HTTP/1.1 4") or b"}HTTP/1.1 4" in line


def _measure_slow(at: Console, beginning: bytes) -> Figures:
    """Hold connections open while others ask; how long these wait, and whether the slow ones were closed in time."""
    taken = []
    with (
        slow_clients(at.url, *[beginning] * SLOW_CONNECTIONS, pause=1.0) as slow,
        httpx.Client(base_url=at.url) as http,
    ):
        until = time.monotonic() + SLOW_SECONDS
        while time.monotonic() < until and slow.count_open():
            for ask in (partial(http.get, "/healthz"), partial(http.post, TRACK, json=BODY, auth=KEY)):
                began = time.monotonic()
                ask(timeout=60)
                taken.append(time.monotonic() - began)
            time.sleep(0.2)
        left = slow.count_open()
    return {
        "held": not left and max(taken) <= HONEST_SECONDS,
        "connections": SLOW_CONNECTIONS,
        "open_at_the_end": left,
        "slowest_honest_s": max(taken),
        "honest": len(taken),
    }
