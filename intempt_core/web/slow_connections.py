"""Slow connections: clients that send a head or a body, or take a response, next to nothing at a time.

The server waits for them without end, and Streamlit starts it without a way to say otherwise. Here each connection owes
something within a time: a whole head, some more of its body, to take some more of its response. One that does not is
closed. Of too many that owe something, those that owe it longest are closed, never those that have just come: a client
that is not slow is not delayed by any number of them.
"""

import asyncio
import logging
import socket
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import uvicorn

from intempt_core.logs import write_log
from intempt_core.web.throttle import group_client

if TYPE_CHECKING:
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

LOG_SECONDS = 10.0
"""Seconds between two log lines about connections that were closed."""

TIMEOUT_RESPONSE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SlownessLimits:
    """How slow clients may be, and how many of them there may be.

    Attributes:
        head_seconds: Seconds within which a head arrives, from its first byte or the connection on.
        body_seconds: Seconds within which ``body_bytes`` more of a body arrive, or its end.
        body_bytes: Bytes of a body.
        whole_body_seconds: Seconds within which a body arrives, however large it is.
        response_seconds: Seconds within which a client takes ``response_bytes`` more of what waits for it.
        response_bytes: Bytes of a response.
        connections: Connections without a whole request at the most; of more, those that wait longest are closed.
        young_seconds: Seconds for which a connection is not closed for their number.
        connections_at_once: Connections beyond which also those are closed.
        sweep_seconds: Seconds between two looks at all connections.
    """

    head_seconds: float = 10.0
    body_seconds: float = 10.0
    body_bytes: int = 10_000
    whole_body_seconds: float = 1_800.0
    response_seconds: float = 30.0
    response_bytes: int = 10_000
    connections: int = 256
    young_seconds: float = 1.0
    connections_at_once: int = 768
    sweep_seconds: float = 0.5


SOON_SECONDS = 0.05
"""Seconds until a look at connections that are too many: what they have sent already is read first."""


class _Phase(Enum):
    """What a connection waits for."""

    HEAD = auto()
    BODY = auto()
    RESPONSE = auto()
    NEXT = auto()  # a request is answered, and nothing of the next one has come


class _Connection(asyncio.Protocol):
    """What every HTTP protocol of the server does, and a note of what its client owes since when."""

    watch: "_ConnectionWatch"  # of the class that is made of this one

    if TYPE_CHECKING:  # what the server's own protocol has
        transport: asyncio.Transport
        flow: FlowControl
        cycle: RequestResponseCycle | None
        client: tuple[str, int] | None

    phase = _Phase.HEAD
    since = began = untaken_since = 0.0
    received = untaken = 0
    has_untaken = has_sent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._enter(_Phase.HEAD)
        self.untaken_since = self.since
        self.watch.add(self)

    def data_received(self, data: bytes) -> None:
        """Take what has come, and note whether it is what was owed."""
        super().data_received(data)
        self.has_sent = True
        if self.transport.get_protocol() is not self:  # a web socket's now
            self.watch.discard(self)
            return
        phase = self._read_phase() or _Phase.HEAD
        if phase is not self.phase:
            self._enter(phase)
        elif phase is _Phase.BODY:
            self.received += len(data)
            if self.received >= self.watch.limits.body_bytes:
                self.received, self.since = 0, self.watch.now()

    def on_response_complete(self) -> None:
        """Begin to wait for the next head."""
        super().on_response_complete()  # type: ignore[misc]  # the server's own protocol has it
        answered_early = self.cycle is not None and self.cycle.more_body
        self._enter(self._read_phase() or (_Phase.HEAD if answered_early else _Phase.NEXT))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self.watch.discard(self)

    @property
    def peer(self) -> str:
        """Whom it counts for."""
        return group_client(self.client[0]) if self.client else ""

    def find_fault(self, now: float) -> str:
        """Why it is to be closed; empty where nothing speaks against it."""
        limits = self.watch.limits
        if self._takes_too_little(now):
            return "The response was not taken."
        if not self.waits_for_client:
            return ""
        if self.phase is not _Phase.BODY or self.cycle is None:
            return "The head did not arrive in time." if now - self.since > limits.head_seconds else ""
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self.received, self.since = 0, now  # it is the server that waits
        if now - self.began > limits.whole_body_seconds or now - self.since > limits.body_seconds:
            return "The body did not arrive in time."
        return ""

    @property
    def waits_for_client(self) -> bool:
        """Whether nothing goes on before its client sends more."""
        return self.phase is not _Phase.RESPONSE and not self.has_untaken

    def close(self) -> None:
        """Close it, with a response where one can be given.

        A connection on which nothing was sent gets none: browsers open some in advance, and would show it to a person.
        """
        answered = self.phase is _Phase.BODY and self.cycle is not None and self.cycle.response_started
        if self.has_sent and self.waits_for_client and self.phase is not _Phase.NEXT and not answered:
            self.transport.write(TIMEOUT_RESPONSE)
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _enter(self, phase: _Phase) -> None:
        self.phase, self.received = phase, 0
        self.since = self.began = self.watch.now()

    def _read_phase(self) -> _Phase | None:
        """What the request at hand waits for; ``None`` where there is none."""
        if self.cycle is None or self.cycle.response_complete:
            return None
        return _Phase.BODY if self.cycle.more_body else _Phase.RESPONSE

    def _takes_too_little(self, now: float) -> bool:
        """Whether its client takes next to nothing of the response that waits for it."""
        untaken = self.transport.get_write_buffer_size()
        self.has_untaken = untaken > 0
        if not untaken or abs(untaken - self.untaken) >= self.watch.limits.response_bytes:
            self.untaken, self.untaken_since = untaken, now
        return now - self.untaken_since > self.watch.limits.response_seconds


class _ConnectionWatch:
    """The connections of one server, looked at from time to time while there are any."""

    def __init__(self, limits: SlownessLimits, clock: Callable[[], float]) -> None:
        self.limits, self.now = limits, clock
        self._connections: dict[_Connection, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed, self._logged_at = 0, -LOG_SECONDS

    def add(self, connection: _Connection) -> None:
        """Watch a connection."""
        self._connections[connection] = None
        self._look_in(SOON_SECONDS if len(self._connections) > self.limits.connections else self.limits.sweep_seconds)

    def discard(self, connection: _Connection) -> None:
        """Watch a connection no longer."""
        self._connections.pop(connection, None)

    def _look_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Close what is too slow, and of what is too much the oldest."""
        now, waiting = self.now(), []
        self._timer = None
        for connection in list(self._connections):
            if fault := connection.find_fault(now):
                self._close(connection, fault)
            elif connection.waits_for_client:
                waiting.append(connection)
        old = [one for one in waiting if now - one.since >= self.limits.young_seconds]
        closed = _choose_oldest(old, len(waiting) - self.limits.connections)
        young = [one for one in waiting if now - one.since < self.limits.young_seconds]
        closed += _choose_oldest(young, len(waiting) - len(closed) - self.limits.connections_at_once)
        for connection in closed:
            self._close(connection, "Too many connections had sent no whole request.")
        if self._connections:
            self._look_in(self.limits.sweep_seconds)

    def _close(self, connection: _Connection, fault: str) -> None:
        self._closed += 1
        connection.close()
        if self.now() - self._logged_at >= LOG_SECONDS:
            write_log(_LOG, "slow connections closed", level=logging.WARNING, connections=self._closed, reason=fault)
            self._closed, self._logged_at = 0, self.now()


def _choose_oldest(waiting: Iterable[_Connection], count: int) -> list[_Connection]:
    """Choose so many connections: always the oldest of the client that has most."""
    if count <= 0:
        return []
    peers: dict[str, deque[_Connection]] = defaultdict(deque)
    for one in sorted(waiting, key=lambda one: one.since):
        peers[one.peer].append(one)
    chosen: list[_Connection] = []
    while len(chosen) < count and (most := max(peers.values(), key=len, default=None)):
        chosen.append(most.popleft())
    return chosen


def limit_slow_connections(
    config: uvicorn.Config, limits: SlownessLimits | None = None, *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Have a server that is not yet started close slow connections. ``clock`` gives seconds that never jump."""
    if not config.loaded:
        config.load()
    base = config.http_protocol_class
    if not issubclass(base, _Connection):
        watch = _ConnectionWatch(limits or SlownessLimits(), clock)
        config.http_protocol_class = type(f"Watched{base.__name__}", (_Connection, base), {"watch": watch})


def limit_slow_connections_everywhere() -> None:
    """Have every server close slow connections that this process starts from now on, also one that others make."""
    uvicorn.Server.startup = _limit_and_start_up  # type: ignore[assignment]


_start_up = uvicorn.Server.startup


async def _limit_and_start_up(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
    limit_slow_connections(server.config)
    await _start_up(server, sockets)
