"""Hostile requests: what a program that means harm writes to a console's port, from a seed, over raw sockets.

They go to every route that the application has, ours and Streamlit's, and beside them: odd methods, paths that leave
their folder, heads that contradict each other, bodies that are too short, too deep, compressed or no text at all.
"""

import base64
import gzip
import io
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from itertools import islice
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

import run
from tests.bench.consoles import Console

ANSWER_SECONDS = 20.0
"""Seconds within which a request that is whole must be answered; longer is hanging."""

PATIENCE_SECONDS = 0.15
"""Seconds that are given to a request that is not whole: a server may wait for its rest."""

MAX_PLAIN_HEAD = 60_000
"""Characters of a head that the server takes for sure."""

CONNECTIONS = 8
REQUESTS_PER_CONNECTION = 40

LIST_ROUTES = """
import json, sys
sys.argv = ["list"]
import app

def walk(routes, before=""):
    for route in routes:
        path = before + getattr(route, "path", "")
        below = getattr(route, "routes", None)
        if below:
            yield from walk(below, path)
        else:
            yield path or "/{path}", sorted(getattr(route, "methods", None) or ["GET"])

print(json.dumps(list(walk(app.app._build_starlette_app().routes))))
"""
"""A program, for a process of its own, that prints path and methods of every route of the console."""


def list_routes(data: Path) -> list["Route"]:
    """Every route of the console, ours, the sandbox's and Streamlit's."""
    environment = {**os.environ, "CONSOLE_DATA": str(data), "PYTHONPATH": str(run.ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LIST_ROUTES], cwd=run.ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return [Route(path, methods) for path, methods in json.loads(done.stdout.splitlines()[-1])]


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the console: its path, with parameters in braces, and its methods."""

    path: str
    methods: list[str]


@dataclass(frozen=True, slots=True)
class HostileRequest:
    """One request, or several in one piece.

    Attributes:
        sent: Its bytes.
        answers: How many answers it has to get; 0 where it is not whole, and may be cut or waited for.
    """

    sent: bytes
    answers: int

    def __str__(self) -> str:
        return repr(self.sent[:600]) + (f" … {len(self.sent):,} bytes" if len(self.sent) > 600 else "")


# ── the generator ────────────────────────────────────────────────────────────────────────────────────────────────────

METHODS = "GET HEAD POST PUT PATCH DELETE OPTIONS".split()
ODD_METHODS = "TRACE CONNECT PROPFIND SEARCH PURGE BREW get G\tET \x00 GET/ M-SEARCH".split(" ")
VERSIONS = ["HTTP/1.0", "HTTP/2.0", "HTTP/1.1 ", "HTTP/0.9", "http/1.1", "HTTP/1.\xff"]
NAMES = [
    "x", "index.html", "..", ".", "...", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "a%00b", "\x00", "%ff%fe",
    "%f0%9f%92%a9", "é", "日本", "\ud800", "%ED%A0%80", "%", "%g1", "%25", "%252e%252e", "..%5c..%5c",
    "\\\\host\\share",
    "C:\\", "C%3A%5C", "%2f%2fevil.example", "~", "~root", "*", "'", '"', "<script>", "{x}", "a;b=c", "%0d%0aX-A:%20b",
    "-1", "0", "1", "9" * 30, "1e400", "NaN", "null", "recently-viewed", "popular", "favicon.png", "undefined",
    "con", "a" * 255, "a" * 300, "a" * 5_000, "a/" * 400, "%20", "+", "\t", "．．", "x.css", "manifest.json", "static",
]  # fmt: skip
LONE_PATHS = [
    "*", "", "?", "#", "//", "///", "//evil.example/", "/\\evil.example", "/..", "/../../etc/passwd", "/./", "/;", "/%",
    "http://evil.example/", "http://127.0.0.1/", "https://[::1", "evil.example:443", "/static/js/../../index.html",
    "/static/%2e%2e/%2e%2e/server.py", "/static/js", "/static/js/", "/static", "/sandbox", "/sandbox/", "/sandbox//",
    "/media/../app.py", "/app/static/x", "/_stcore", "/_stcore/", "/_stcore/allowed-message-origins", "/nothing",
    "/_stcore/script-health-check", "/_password", "/history", "/upload", "/inspect", "/sandbox/_sandbox",
    "/.git/config",
    "/sandbox/../_stcore/health", "/" + "a" * 60_000, "/" + "%41" * 10_000, "/?" + "a=b&" * 10_000,
    "/sandbox/_sandbox/events?limit=-1", "/sandbox/_sandbox/events?limit=99999999999999999999999",
    "/sandbox/_sandbox/events?before=%ED%A0%80&limit=NaN", "/sandbox/_sandbox/live?" + "x=%00&" * 100,
    "/_stcore/metrics?families=%00&families=cache_memory_bytes", "/_stcore/metrics?families=" + "a" * 5_000,
    "/auth/login?provider=%00", "/oauth2callback?state=x&code=%ff", "/oauth2callback?error=a%0d%0ab",
]  # fmt: skip
QUERIES = [
    "", "", "", "?", "?x", "?x=%00", "?x=%ED%A0%80", "?apiKey=sandbox.sandbox", "?limit=-1", "?limit=1e9",
    "?offset=" + "9" * 40,
    "?" + "&" * 2_000, "?a[]=1&a[]=2", "?\xff", "?after=-9223372036854775809", "?number=0x10", "?since=NaN&since=2",
    "?person=%F0%28%8C%BC", "?name=" + "é" * 500, "?key=%2",
]  # fmt: skip
VALUES = [
    "", " ", "\t", "\x01", "\xff\xfe", "a" * 8_000, "0", "-1", "9" * 40, "1e9", "null", '"', "a, b", "%00", "é", "\x7f",
    ";", "=", ",,,", "(comment", "*/*;q=NaN", "text/html; charset=\x00",
]  # fmt: skip
TYPES = [
    "application/json", "application/json", "application/json", "application/json; charset=utf-16", "APPLICATION/JSON",
    "application/json; charset=nonsense", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain",
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x",
    'multipart/form-data; boundary="x', "multipart/form-data; boundary=" + "x" * 300,
    "multipart/form-data; boundary=\xff",
    "multipart/mixed; boundary=x", "/", "application/", "",
]  # fmt: skip
RANGES = [
    "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=1-0", "bytes=99999999999999999999-", "bytes=-99999999999999999999",
    "bytes=a-b",
    "bytes=0-1,2-3,4-5", "bytes=" + "0-1," * 1_000, "bytes", "bytes=", "bytes=-", "bytes=0-" + "9" * 5_000, "items=0-1",
    "\xff",
    "bytes=0-0,-1", "bytes = 0 - 1", "bytes=1-2-3", "bytes=²-³", "bytes=-1,-1",
]  # fmt: skip
ENCODINGS = ["gzip", "br", "deflate", "gzip;q=0", "identity;q=0, *;q=0", "gzip, gzip, gzip", "*", "\xff", ""]
COOKIES = [
    "_streamlit_xsrf=x", "_streamlit_xsrf=2|x|y|z", "_streamlit_xsrf=2|00000000|00|9999999999999999999999",
    "a=b; " * 500,
    "_streamlit_session=eyJ4IjoxfQ==.x.y", "_streamlit_session=\xff", "=", ";;;", "console_x=x", "a=\x01",
    "_streamlit_user=2|1:0|x",
]  # fmt: skip
JUNK_HEADERS = [
    "X-File-Name: %ff%00", "X-File-Name: " + "a" * 3_000, "X-Upload-Token: \xff", "X-Upload-Token: x",
    "X-Xsrftoken: 2|x|y|z",
    "X-Forwarded-For: 1.2.3.4, \xff", "X-Forwarded-Proto: gopher", "X-Forwarded-Host: evil.example",
    "X-HTTP-Method-Override: PUT",
    "If-None-Match: *", "If-None-Match: \xff", "If-Modified-Since: yesterday",
    "If-Modified-Since: Thu, 99 Foo 9999 99:99:99 GMT",
    "If-Range: \xff", "If-Match: \"x", "Expect: 100-continue", "Expect: 200-ok", "TE: trailers", "Upgrade: h2c",
    "Connection: close",
    "Connection: keep-alive, Upgrade", "Accept: \xff", "Accept: application/x-protobuf",
    "Access-Control-Request-Method: \xff",
    "Access-Control-Request-Headers: " + "a," * 500, "Authorization: Basic", "Authorization: Basic \xff",
    "Authorization: Bearer a.b",
    "Authorization: Basic OjpCOg==", "Authorization: Digest username=\"", "User-Agent: " + "u" * 5_000,
    "X-Intempt-Lib: \xff\x01",
    "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: \xff", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x",
    "Forwarded: for=\"",
    "Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: gzip, gzip", "Content-Encoding: \xff",
    "Content-Range: bytes 0-1/*",
    "x" * 300 + ": y", "Bad Header: x", ": x", "NoColon", " Folded: x", "X-\x00: x", "Transfer-Encoding : chunked",
    "Date: \x0b",
]  # fmt: skip
NUMBERS = ["1e400", "-0", "9" * 400, "1" + "0" * 5_000, "1.5e-400", "0x10", "NaN", "Infinity", "٣", "1_000", "01"]

VALUES_OF_JSON = ["[]", "{}", "null", '""', "[[]]", "[null]", "[{}]", "1e400", '"\\u0000"']
FRAMES = [
    b"", b"", b"\x81\x85\x00\x00\x00\x00hello", b"\xff" * 30, b"\x82\xff" + b"\xff" * 8, b"\x89\x00",
    b"\x82\x80\x00\x00\x00\x00", b"\x88\x80\x00\x00\x00\x00", b"\x02\x82\x00\x00\x00\x00ab",
    b"\xc2\x81\x00\x00\x00\x00a",
]  # fmt: skip
DEPTH = 40_000
EVENT = '{"eventId": "e", "userId": "u", "data": {"productId": "p"}}'
TRACK = '{"track": [{"name": "Product viewed", "payload": [%s]}]}'


class HostileRequests:
    """A generator of requests: the same seed gives the same ones.

    ``host`` is the console's own; ``session`` and ``token`` belong to a tab of it,
    so that an upload goes as far as it can.
    Most requests are right but for one or two things: what is wrong in everything is rejected before it does any harm.
    """

    def __init__(self, seed: int, routes: Sequence[Route], host: str, session: str, token: str) -> None:
        self._random = random.Random(seed)
        self._routes, self._host, self._session, self._token = list(routes), host, session, token
        self._bodies = [
            b"", b"{}", b"[]", b"null", b"0", b'"', b"\xff\xfe", b"\x00" * 100, b"\xef\xbb\xbf{}", b"{" * 100,
            b"[" * DEPTH + b"]" * DEPTH, b'{"a":' * DEPTH + b"0" + b"}" * DEPTH, b'{"track":' * 900 + b"1" + b"}" * 900,
            (TRACK % EVENT).encode(), (TRACK % EVENT).encode()[:-9], (TRACK % EVENT).encode("utf-16"),
            (TRACK % ", ".join([EVENT] * 2_000)).encode(),
            (TRACK % '{"eventId": "\\ud800", "userId": "\xff"}').encode("latin-1"),
            *((TRACK % EVENT.replace('"p"', number)).encode() for number in NUMBERS),
            *((TRACK % EVENT.replace('"e"', number)).encode() for number in NUMBERS),
            *(f'{{"track": {value}}}'.encode() for value in VALUES_OF_JSON),
            *(f'{{"type": "user", "id": {value}, "limit": {value}}}'.encode() for value in (*NUMBERS, *VALUES_OF_JSON)),
            b'{"rules": [{"status": 99}]}', b'{"faults": 1e400}', b'{"rules": "' + b"x" * 120_000 + b'"}',
            b'{"latencyMs": -1}',
            gzip.compress(b"\x00" * 10_000_000), gzip.compress(b"[" * 2_000_000),
            gzip.compress((TRACK % EVENT).encode())[:-7],
            zlib.compress(b"x" * 1_000_000), b"\x1f\x8b" + b"\xff" * 200, _archive_bomb(),
            b"a=b&" * 20_000, b"password=" + b"x" * 70_000, b"password=%00%ff&next=//evil.example", b"%" * 500,
            _make_part("a.csv", "Content-Type: text/csv"), _make_part("a.csv", "Content-Type: text/csv")[:-20],
            _make_part("\x00/../é", "X: y"), _make_part('"', "\x00: \xff"), _make_part("x", "X: " + "y" * 20_000),
            _make_part("x", "Content-Type: text/plain; charset=nonsense").replace(b'; filename="x"', b""),
            b"--x\r\n\r\nno name\r\n--x--\r\n", b"--x\r\n" * 2_000, b"--y\r\n", b"--x--",
            b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 2_000 + b"--x--\r\n",
            self._random.randbytes(5_000),
        ]  # fmt: skip

    def generate(self, count: int) -> Iterator[HostileRequest]:
        """Make so many requests."""
        pick = self._random.random
        for _ in range(count):
            kind = pick()
            if kind < 0.04:
                yield HostileRequest(self._make_noise(), 0)
            elif kind < 0.10:
                yield self._make_handshake()
            elif kind < 0.14:
                several = [self._make_request() for _ in range(3)]
                if all(
                    one.answers and not one.sent.startswith(b"HEAD ") for one in several
                ):  # whose answers have no body
                    yield HostileRequest(b"".join(one.sent for one in several), 3)
                else:
                    yield several[0]
            else:
                yield self._make_request()

    def _make_noise(self) -> bytes:
        noise = [
            b"", b"\r\n" * 50, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\nHost: x\n\n",
            b"GET  / HTTP/1.1\r\n\r\n", b"/ GET\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: " + b"a" * 70_000, b"GET " + b"/a" * 40_000,
            b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5_000,
            self._random.randbytes(self._random.randrange(1, 400)), b"\x00" * 500,
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n12",
        ]  # fmt: skip
        return self._random.choice(noise)

    def _make_handshake(self) -> HostileRequest:
        choice = self._random.choice
        headers = [f"Host: {self._host}", "Upgrade: websocket", "Connection: Upgrade"]
        headers.append(choice(["Sec-WebSocket-Version: 13"] * 4 + ["Sec-WebSocket-Version: 99", "X: y"]))
        headers.append(choice(["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="] * 4 + ["Sec-WebSocket-Key: x", "X: y"]))
        protocols = ["streamlit", "streamlit, \xff, x", ",,", f"streamlit, {self._token}, {self._session}"]
        headers.append(f"Sec-WebSocket-Protocol: {choice(protocols)}")
        headers.append(choice(["Sec-WebSocket-Extensions: permessage-deflate; x=\xff", "X: y", *JUNK_HEADERS]))
        method = choice(["GET"] * 6 + ["POST", "HEAD", "PUT"])
        path = choice(["/_stcore/stream", self._make_path(choice(self._routes))])
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""])
        return HostileRequest(head.encode("latin-1", "replace") + choice(FRAMES), 0)

    def _make_path(self, route: Route) -> str:
        choice, likely = self._random.choice, self._random.random
        if likely() < 0.15:
            return choice(LONE_PATHS)

        def fill(match: re.Match[str]) -> str:
            if match[1] == "session_id" and likely() < 0.7:
                return self._session
            return choice(NAMES) if likely() < 0.6 else "x"

        path = re.sub(r"\{(\w+)(?::\w+)?\}", fill, route.path)
        if likely() < 0.2:
            path += choice(["/", "//", "/..", "%00", "/x", "%2f"])
        return path + choice(QUERIES) if likely() < 0.4 else path

    def _make_request(self) -> HostileRequest:
        choice, likely = self._random.choice, self._random.random
        route = choice(self._routes)
        method = choice(route.methods if likely() < 0.75 else METHODS if likely() < 0.9 else ODD_METHODS)
        path = self._make_path(route)
        body = choice(self._bodies) if method not in ("GET", "HEAD") or likely() < 0.1 else b""
        version = choice(VERSIONS) if likely() < 0.03 else "HTTP/1.1"
        headers = [f"Host: {choice([*VALUES, 'evil.example'])}" if likely() < 0.03 else f"Host: {self._host}"]
        if likely() < 0.5:
            headers.append(
                f"Origin: {choice([*VALUES, 'null'])}" if likely() < 0.05 else f"Origin: http://{self._host}"
            )
        if likely() < 0.8:
            headers.append("Authorization: Basic " + base64.b64encode(b"sandbox:sandbox").decode())
        if body:
            own = "multipart/form-data; boundary=x" if body.startswith(b"--x") else "application/json"
            headers.append(f"Content-Type: {own if likely() < 0.7 else choice(TYPES)}")
        if body[:2] == b"\x1f\x8b" and likely() < 0.7:
            headers.append("Content-Encoding: gzip")
        for name, values in (("Range", RANGES), ("Accept-Encoding", ENCODINGS), ("Cookie", COOKIES)):
            if likely() < 0.1:
                headers.append(f"{name}: {choice(values)}")
        if likely() < 0.6:  # as Streamlit's own pages do
            headers += [f"Cookie: _streamlit_xsrf={self._token}", f"X-Xsrftoken: {self._token}"]
        if likely() < 0.25:
            headers += self._random.sample(JUNK_HEADERS, choice([1, 1, 1, 2, 4]))
        framing, sent = self._frame_body(body)
        headers += framing
        self._random.shuffle(headers)
        head = "\r\n".join([f"{method} {path} {version}", *headers, "", ""])
        raw = (head.encode("utf-8", "surrogatepass") if likely() < 0.5 else head.encode("latin-1", "replace")) + sent
        return HostileRequest(raw, int(_is_whole(method, path, version, headers, body, sent)))

    def _frame_body(self, body: bytes) -> tuple[list[str], bytes]:
        """The headers that say how long a body is, and what is sent of it: in one of ten the two do not fit."""
        likely = self._random.random
        if likely() < 0.9:
            if likely() < 0.8 or not body:
                return ([f"Content-Length: {len(body)}"] if body or likely() < 0.3 else []), body
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            chunked = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces)
            return ["Transfer-Encoding: chunked"], chunked + b"0\r\n\r\n"
        lengths = [
            f"Content-Length: {len(body) + 10}", f"Content-Length: {len(body) // 2}", "Content-Length: -1",
            "Content-Length: " + "9" * 25,
            "Content-Length: 0x10", "Content-Length: +1", "Content-Length: 1, 1", "Content-Length: ",
            "Content-Length: 1e3",
            "Content-Length: 99999999999", "Content-Length: " + "9" * 5_000, "Content-Length: ²",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity", "Transfer-Encoding: \xff", "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: x",
        ]  # fmt: skip
        if likely() < 0.7:
            return [self._random.choice(lengths)], body
        if likely() < 0.5:
            return [f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"], body
        chunks = [
            b"zz\r\nx\r\n0\r\n\r\n", b"-1\r\n\r\n", b"fffffffffffffffff\r\nx", b"5\r\nab",
            b"1;" + b"x" * 20_000 + b"\r\na\r\n0\r\n\r\n", b"0\r\nX-Trailer: \xff\r\n\r\n",
            b"0\r\n" + b"A: b\r\n" * 3_000 + b"\r\n", b"\r\n",
        ]  # fmt: skip
        return ["Transfer-Encoding: chunked"], self._random.choice(chunks)


def _is_whole(method: str, path: str, version: str, headers: Sequence[str], body: bytes, sent: bytes) -> bool:
    """Whether nothing in a request leaves open where it ends, so that an answer must come."""
    if method not in METHODS or version != "HTTP/1.1" or not re.fullmatch(r"/[\x21-\x7e]*", path):
        return False
    fields = [(name.lower().strip(), value) for name, _, value in (line.partition(": ") for line in headers)]
    if not all(re.fullmatch(r"[a-z0-9-]+", name) and re.fullmatch(r"[\t\x20-\x7e]*", text) for name, text in fields):
        return False
    if {"upgrade", "expect", "connection", "sec-websocket-key"} & {name for name, _ in fields}:
        return False
    if len("".join(headers) + path) > MAX_PLAIN_HEAD:
        return False
    framing = [(name, value) for name, value in fields if name in ("content-length", "transfer-encoding")]
    if framing == [("transfer-encoding", "chunked")]:
        return sent.endswith(b"0\r\n\r\n")
    return framing == ([("content-length", str(len(body)))] if framing or body else [])


def _make_part(filename: str, header: str) -> bytes:
    """A form of one file, whose boundary is x."""
    place = f'Content-Disposition: form-data; name="f"; filename="{filename}"'
    return f"--x\r\n{place}\r\n{header}\r\n\r\n\xff\x00 content\r\n--x--\r\n".encode("latin-1")


def _archive_bomb() -> bytes:
    """A gzip of a gzip of 50 MB of zeros."""
    out = io.BytesIO()
    with gzip.open(out, "wb", 9) as packed:
        for _ in range(50):
            packed.write(b"\x00" * 1_000_000)
    return gzip.compress(out.getvalue())


# ── the attack ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class AttackResult:
    """What became of requests.

    Attributes:
        statuses: How many answers there were by status; 0 counts connections that were closed without one.
        failures: Requests that were answered with 5xx.
        hung: Whole requests that were not answered in time.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[tuple[int, HostileRequest]] = field(default_factory=list)
    hung: list[HostileRequest] = field(default_factory=list)


def attack_with_requests(console: Console, routes: Sequence[Route], count: int, seed: int) -> AttackResult:
    """Send hostile requests to a console, over several connections at once, each used for as long as it is kept."""
    result, lock = AttackResult(), threading.Lock()
    with open_session(console) as (session, token):
        requests = HostileRequests(seed, routes, f"127.0.0.1:{console.port}", session, token).generate(count)

        def take() -> list[HostileRequest]:
            with lock:
                return list(islice(requests, REQUESTS_PER_CONNECTION))

        def work() -> None:
            while some := take():
                _send_all(console.port, some, result, lock)

        with ThreadPoolExecutor(CONNECTIONS) as threads:
            for ended in [threads.submit(work) for _ in range(CONNECTIONS)]:
                ended.result()
    return result


@contextmanager
def open_session(console: Console) -> Iterator[tuple[str, str]]:
    """A tab of a console for as long as the block lasts: its session's id, and the token that its uploads carry.

    Where the console asks for a password there is no tab, and what is given fits nothing.
    """
    stream = console.url.replace("http", "ws", 1) + "/_stcore/stream"
    try:
        with urlopen(f"{console.url}/_stcore/health", timeout=30) as answer:
            cookies = SimpleCookie(answer.headers.get("Set-Cookie", ""))
    except HTTPError:
        yield "s", "t"
        return
    with connect(stream, subprotocols=[Subprotocol("streamlit")], proxy=None, max_size=None) as tab:
        asked = BackMsg()
        asked.rerun_script.page_name = ""
        tab.send(asked.SerializeToString())
        message, session = ForwardMsg(), ""
        while message.WhichOneof("type") != "script_finished":  # what is not taken would hold back its pings
            message = ForwardMsg.FromString(tab.recv(timeout=60))
            session = session or message.new_session.initialize.session_id
        yield session, cookies["_streamlit_xsrf"].value


def _send_all(port: int, requests: Sequence[HostileRequest], result: AttackResult, lock: threading.Lock) -> None:
    connection: socket.socket | None = None
    for request in requests:
        if connection is None:
            connection = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        statuses, kept = _exchange(connection, request)
        with lock:
            result.statuses.update(status for status in statuses if status >= 0)
            result.failures += [(status, request) for status in statuses if status >= 500]
            if -1 in statuses:
                result.hung.append(request)
        if not kept:
            connection.close()
            connection = None
    if connection is not None:
        connection.close()


def _exchange(connection: socket.socket, request: HostileRequest) -> tuple[list[int], bool]:
    """The statuses that a request gets (0: closed without one; -1: none in time), and whether more can follow."""
    connection.settimeout(ANSWER_SECONDS if request.answers else PATIENCE_SECONDS)
    reader = _AnswerReader(connection, request.sent.startswith(b"HEAD "))
    with suppress(ConnectionError, TimeoutError):
        connection.sendall(request.sent)
    statuses: list[int] = []
    for _ in range(max(request.answers, 1)):
        try:
            status, kept = reader.read()
        except TimeoutError:
            return [*statuses, -1] if request.answers else statuses, False
        except (OSError, ValueError):
            return [*statuses, 0], False
        statuses.append(status)
        if not kept:
            return statuses, False
    return statuses, bool(request.answers)


class _AnswerReader:
    """Reads answers of a connection, one after another."""

    def __init__(self, connection: socket.socket, without_bodies: bool) -> None:
        self._connection, self._without_bodies = connection, without_bodies
        self._held = b""

    def read(self) -> tuple[int, bool]:
        """The status of the next answer, and whether the connection is kept after it."""
        status = 100
        while status < 200 and status != 101:  # an answer may be announced
            head = self._read_until(b"\r\n\r\n").decode("latin-1").lower()
            status = int(head.split(None, 2)[1])
        length = re.search(r"\r\ncontent-length: *(\d+)", head)
        if status in (101, 204, 304) or self._without_bodies:
            pass
        elif "\r\ntransfer-encoding: chunked" in head:
            while size := int(self._read_until(b"\r\n"), 16):
                self._read(size + 2)
            self._read(2)
        elif length:
            self._read(int(length[1]))
        else:
            return status, False
        return status, "\r\nconnection: close" not in head and status != 101

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._held:
            self._receive()
        found, _, self._held = self._held.partition(end)
        return found

    def _read(self, size: int) -> None:
        while len(self._held) < size:
            self._receive()
        self._held = self._held[size:]

    def _receive(self) -> None:
        got = self._connection.recv(65_536)
        if not got:
            raise ConnectionResetError
        self._held += got


def is_alive(console: Console) -> bool:
    """Whether a console still answers an ordinary request, and how long it took is bounded."""
    began = time.monotonic()
    with urlopen(f"{console.url}/healthz", timeout=10) as answer:
        return answer.status == 200 and console.process.poll() is None and time.monotonic() - began < 10
