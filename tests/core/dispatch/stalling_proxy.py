"""A TCP proxy between a worker and its database that a test cuts, stalls and heals."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class StallingProxy:
    """Passes bytes on, unless it is stalled; whatever it holds back arrives when it goes on.

    Attributes:
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows, self._accepts = threading.Event(), threading.Event()
        self._flows.set()
        self._accepts.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        """Pass nothing on; connections stay open, and new ones are taken."""
        self._flows.clear()

    def cut(self) -> None:
        """Reset every connection, and take none."""
        self._accepts.clear()
        self._close_all()

    def heal(self) -> None:
        """Go on."""
        self._accepts.set()
        self._flows.set()

    def close(self) -> None:
        """End it."""
        self._server.close()
        self.heal()
        self._close_all()

    def _close_all(self) -> None:
        with self._lock:
            closing, self._open = self._open, set()
        for one in closing:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if not self._accepts.is_set():
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._open.update((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def stalling(port: int) -> Iterator[StallingProxy]:
    """A proxy in front of a port."""
    proxy = StallingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
