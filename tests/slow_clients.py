"""Clients that send a head or a body next to nothing at a time, as an attacker does who wants to hold a server up."""

import base64
import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

KEY = base64.b64encode(b"sandbox:sandbox").decode()


def write_head(path: str, *headers: str, method: str = "POST") -> bytes:
    """A request's head without the empty line that ends it."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, ""]).encode()


def write_body_start(path: str, length: int, sent: int = 1, *headers: str, method: str = "POST") -> bytes:
    """A whole head that states a body of ``length`` bytes, and the first ``sent`` of them."""
    stated = (f"Content-Length: {length}", "Content-Type: application/json", f"Authorization: Basic {KEY}")
    return write_head(path, *stated, *headers, method=method) + b"\r\n" + b"{" + b" " * (sent - 1)


class SlowClients:
    """Open connections, each of which has sent a beginning and goes on by ``drop`` each ``pause`` seconds."""

    def __init__(self, url: str, beginnings: Sequence[bytes], drop: bytes = b"x", pause: float = 0.5) -> None:
        address = urlsplit(url)
        self._where = address.hostname or "", address.port or 0
        self.opened: list[socket.socket] = []
        for beginning in beginnings:
            self.opened.append(self._open(beginning))
        self._drop, self._pause, self._stopped = drop, pause, threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def _open(self, beginning: bytes) -> socket.socket:
        one = socket.create_connection(self._where, timeout=10)
        one.sendall(beginning)
        one.setblocking(False)
        return one

    def _go_on(self) -> None:
        while not self._stopped.wait(self._pause):
            for one in self.opened:
                try:
                    one.send(self._drop)
                except OSError:
                    continue

    def count_open(self, last: int = 0) -> int:
        """How many the server has not closed: of all, or of the last ones that were opened."""
        asked = self.opened[-last:]
        return len(asked) - sum(map(_is_closed, asked))

    def wait_until_few(self, most: int, seconds: float = 5) -> None:
        """Wait until at most so many are open: those that came last are let be for a second."""
        until = time.monotonic() + seconds
        while self.count_open() > most:
            assert time.monotonic() < until, f"{self.count_open()} are open after {seconds} s"
            time.sleep(0.1)

    def wait_until_closed(self, seconds: float) -> float:
        """Wait until the server has closed all; the seconds that it took, infinite where it took longer."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if not self.count_open():
                return time.monotonic() - began
            time.sleep(0.05)
        return float("inf")

    def close(self) -> None:
        """Close all of them."""
        self._stopped.set()
        self._thread.join()
        for one in self.opened:
            one.close()


def _is_closed(one: socket.socket) -> bool:
    """Whether the server has closed a connection, perhaps after a response."""
    poll = select.poll()
    poll.register(one, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


@contextmanager
def slow_clients(url: str, *beginnings: bytes, drop: bytes = b"x", pause: float = 0.5) -> Iterator[SlowClients]:
    """Slow clients while the block runs."""
    clients = SlowClients(url, beginnings, drop, pause)
    try:
        yield clients
    finally:
        clients.close()
