"""Attacks on who may drive a console, over its own port: what tests and benchmarks carry out alike, and count."""

import itertools
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

import run
from intempt_core.web.response_headers import HEADERS
from tests.bench.consoles import Console, free_port

PASSWORD = "a long password"

ROUTES = [
    "/", "/history", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/stream",
    "/_stcore/upload_file/x/y", "/_stcore/bidi-components/x/y", "/_stcore/script-health-check", "/media/x",
    "/component/x",    "/static/x", "/_upload", "/healthz", "/sandbox", "/sandbox/v1/o/projects/p/sources/1/track",
    "/sandbox/_sandbox/events", "/sandbox/openapi.json", "/auth/login", "/oauth2callback", "/nothing",
]  # fmt: skip

OTHER_HOSTS = ("evil.example", "127.0.0.1.evil.example", "localhost.", "10.0.0.5", "[::2]", "", "a b")
"""Host names at which no console answers, unless it is told to."""

UNPROTECTED = "other machines reach it, and nothing would ask who is there."
"""The sentence with which a console ends that others would reach without a password."""

UNPROTECTED_STARTS: list[tuple[list[str], dict[str, str]]] = [
    (["--server.address", "0.0.0.0"], {}),  # noqa: S104
    (["--server.address", "::"], {}),
    (["--server.address", ""], {}),
    ([], {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}),  # noqa: S104
    (["--server.address", "0.0.0.0"], {"CONSOLE_BIND": "0.0.0.0", "CONSOLE_PASSWORD": "  "}),  # noqa: S104
]
"""Options and variables under which others would reach a console that asks for nothing."""

# ── heads and handshakes as no library would write them ──────────────────────────────────────────────────────────────


def send_head(at: Console, *lines: str) -> int:
    """The status that a head gets, written as no library would; 0 where the connection is cut."""
    with socket.create_connection(("127.0.0.1", at.port), timeout=10) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        answer = raw.makefile("rb").readline().split()
    return int(answer[1]) if len(answer) > 1 else 0


def read_socket_status(at: Console, *headers: str, host: str = "") -> int:
    """The status of a handshake with these headers."""
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    host = host or f"127.0.0.1:{at.port}"
    return send_head(at, "GET /_stcore/stream HTTP/1.1", f"Host: {host}", *upgrade, key, *headers)


# ── origins and hosts ────────────────────────────────────────────────────────────────────────────────────────────────


def list_other_origins(port: int) -> list[str]:
    """Origins that are not a console's own, well formed and not."""
    return [
        f"http://localhost:{port + 1}", f"http://127.0.0.1:{port - 1}", "http://127.0.0.1", f"https://127.0.0.1:{port}",
        "http://evil.example", f"http://evil.example:{port}", "null", "", "http://[bad", "http://127.0.0.1:99999",
        "\xff", f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}, http://evil.example", "file://",
        "x" * 10_000,
    ]  # fmt: skip


def ask_every_route(at: Console) -> Counter[tuple[int, bool]]:
    """Ask every route by every method from other origins: the status, and whether CORS lets the page read it."""

    def ask(asked: tuple[str, str, str]) -> tuple[int, bool]:
        path, method, origin = asked
        headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        response = http.request(method, path, headers=headers)
        return response.status_code, any(name.startswith("access-control-allow") for name in response.headers)

    methods = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
    every = itertools.product(ROUTES, methods, list_other_origins(at.port)[:10])
    with httpx.Client(base_url=at.url, auth=("sandbox", "sandbox")) as http, ThreadPoolExecutor(16) as threads:
        return Counter(threads.map(ask, every))


def find_header_faults(at: Console) -> Counter[str]:
    """Ask every route by every method, by pages of its own and of others: what the headers of a response lack."""

    def ask(asked: tuple[str, str, str]) -> str:
        path, method, origin = asked
        response = http.request(method, path, headers={"Origin": origin, "Content-Type": "application/json"})
        policy = response.headers.get("content-security-policy", "")
        is_page = response.status_code == 200 and response.headers.get("content-type", "").startswith("text/html")
        as_expected = (
            {name: response.headers.get(name) for name in HEADERS} == HEADERS
            and "unsafe" not in policy
            and policy.startswith("default-src 'none'; ")
            and ("script-src 'self' blob: 'sha256-" in policy) == is_page
            and "frame-ancestors 'none'" in policy
            and response.headers.get("cache-control") == "no-store"
        )
        return "none" if as_expected else f"{method} {path} {response.status_code}: {dict(response.headers)}"

    routes = [path for path in ROUTES if path != "/oauth2callback"]  # without a sign-in it logs an error
    every = itertools.product(routes, ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"), (at.url, "http://a.example"))
    with httpx.Client(base_url=at.url, auth=("sandbox", "sandbox")) as http, ThreadPoolExecutor(16) as threads:
        return Counter(threads.map(ask, every))


def open_sockets_of_other_origins(at: Console) -> Counter[int]:
    """Open a socket from each of the other origins: how often which status."""
    return Counter(read_socket_status(at, f"Origin: {origin}") for origin in list_other_origins(at.port))


def ask_by_other_hosts(at: Console) -> Counter[int]:
    """Ask by names at which nothing is served, by none and by two: how often which status."""
    own, found = f"Host: 127.0.0.1:{at.port}", Counter[int]()
    for name in (*OTHER_HOSTS, f"evil.example:{at.port}"):
        found[send_head(at, "GET / HTTP/1.1", f"Host: {name}")] += 1
        found[read_socket_status(at, host=name or " ")] += 1
    found[send_head(at, "GET / HTTP/1.0")] += 1
    found[send_head(at, "GET / HTTP/1.1", own, own)] += 1
    return found


# ── the socket's messages ────────────────────────────────────────────────────────────────────────────────────────────


def open_socket(at: Console) -> ClientConnection:
    """A socket as a program of this machine opens it."""
    url = at.url.replace("http", "ws", 1) + "/_stcore/stream"
    return connect(url, subprotocols=[Subprotocol("streamlit")], proxy=None, max_size=None)


def build_message(kind: str) -> bytes:
    """A message that holds nothing but its kind."""
    made = BackMsg()
    setattr(made, kind, True)
    return bytes(made.SerializeToString())


def send_unneeded_messages(at: Console, times: int = 20) -> bool:
    """Send each message that no screen sends, so many times; whether the socket still answers one that screens send."""
    install = BackMsg()
    install.backend_operation_request.install_skills.SetInParent()
    kinds = ("clear_cache", "set_run_on_save", "load_git_info", "debug_disconnect_websocket", "debug_shutdown_runtime")
    with open_socket(at) as opened:
        for _ in range(times):
            for unneeded in (*map(build_message, kinds), install.SerializeToString(), b""):
                opened.send(unneeded)
        opened.send(build_message("app_heartbeat"))
        return bool(opened.recv(timeout=10))


WRONG_FRAMES: list[tuple[str | bytes, int]] = [
    ("text", 1003),
    (build_message("clear_cache").decode("latin-1"), 1003),
    (b"\xff" * 40, 1002),
    (b"\x0a\xff\xff\xff\xff\x0f", 1002),
    (b"\x5a\x7f", 1002),
]
"""Frames that are no message, and the code with which their socket is closed."""


def read_close_code(at: Console, frame: str | bytes) -> int:
    """The code with which a socket is closed after a frame; 0 where it is cut without one."""
    with open_socket(at) as opened:
        opened.send(frame)
        try:
            receive_until_closed(opened)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0
    return 0


def receive_until_closed(opened: ClientConnection) -> None:
    """Receive until the socket is closed, which raises."""
    while True:
        opened.recv(timeout=10)


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


def copy_project(folder: Path) -> Path:
    """A copy of the console, whose configuration may be changed."""
    without = shutil.ignore_patterns("__pycache__", "secrets.toml")
    for name in ("intempt_core", "pages", ".streamlit"):
        shutil.copytree(run.ROOT / name, folder / name, ignore=without)
    shutil.copy(run.ROOT / "app.py", folder)
    return folder


def start_in_vain(project: Path, data: Path, *arguments: str, **environment: str) -> tuple[int, str, bytes]:
    """Start a console that must not start: its exit code, what it says, and what its port answered meanwhile."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *arguments]
    given = {**os.environ, "CONSOLE_DATA": str(data), **environment}
    answered = b""
    with subprocess.Popen(command, cwd=project, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=0.5) as asking:
                    asking.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    answered += asking.recv(1000)
            except OSError:
                time.sleep(0.05)
        process.kill()
        assert process.stdout is not None
        return process.wait(), process.stdout.read().decode(), answered


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def list_open_to_others(folder: Path) -> list[str]:
    """What of a folder, itself included, other users could open."""
    return [str(path) for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def open_to_everybody(folder: Path) -> None:
    """Let others open everything of a folder, as earlier programs left it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
