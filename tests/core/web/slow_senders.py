"""Slow senders: many connections that send a byte a second, of a head or of a body, and never end."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

DRIP_SECONDS = 1.0
"""Seconds between two bytes of one connection."""


class SlowSenders:
    """Connections to a port of this machine; each sends ``begin``, then one byte of ``drip`` a second."""

    def __init__(self, port: int, count: int, begin: bytes, drip: bytes) -> None:
        self._begin, self._drip = begin, drip
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self.refused = 0
        for _ in range(count):
            try:
                opened = socket.create_connection(("127.0.0.1", port), timeout=5)
                opened.sendall(begin)
            except OSError:
                self.refused += 1
                continue
            opened.setblocking(False)
            self._selector.register(opened, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    @property
    def open(self) -> int:
        """How many connections the server has not closed."""
        return len(self._selector.get_map() or ())

    def close(self) -> None:
        """Close what is left."""
        self._stop.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            self._drop(key.fileobj)
        self._selector.close()

    def _send(self) -> None:
        sent = 0
        while not self._stop.is_set():
            until = time.monotonic() + DRIP_SECONDS
            while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
                for key, _ in self._selector.select(min(left, 0.1)) if self.open else ():
                    self._read(key.fileobj)
                if not self.open:
                    self._stop.wait(min(left, 0.1))
            byte = self._drip[sent % len(self._drip) :][:1]
            sent += 1
            for key in list(self._selector.get_map().values()):
                self._send_byte(key.fileobj, byte)

    def _read(self, opened: object) -> None:
        assert isinstance(opened, socket.socket)
        try:
            is_closed = not opened.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            is_closed = True
        if is_closed:
            self._drop(opened)

    def _send_byte(self, opened: object, byte: bytes) -> None:
        assert isinstance(opened, socket.socket)
        try:
            opened.send(byte)
        except BlockingIOError:
            return
        except OSError:
            self._drop(opened)

    def _drop(self, opened: object) -> None:
        assert isinstance(opened, socket.socket)
        with suppress(KeyError):
            self._selector.unregister(opened)
        opened.close()


@contextmanager
def send_slowly(port: int, count: int, begin: bytes, drip: bytes) -> Iterator[SlowSenders]:
    """Send slowly over so many connections for as long as the block lasts."""
    senders = SlowSenders(port, count, begin, drip)
    try:
        yield senders
    finally:
        senders.close()
