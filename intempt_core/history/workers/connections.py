"""Connections that can be cut: a call that waits on a network which says nothing comes back, with an error."""

import os
import socket
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event


class ConnectionCutter:
    """Knows the open connections of an engine to PostgreSQL, and cuts them from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._open: WeakSet[Any] = WeakSet()  # Any: psycopg's connections

        @event.listens_for(engine, "connect")
        def connect(connection: Any, _record: Any) -> None:
            self._open.add(connection)

        engine.dispose()  # those that were opened before are not known

    def cut(self) -> None:
        """Cut every connection: what waits for one fails, and the pool makes new ones."""
        for connection in list(self._open):
            # It may be closed meanwhile.
            with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)
