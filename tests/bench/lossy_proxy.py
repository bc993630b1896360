"""A faulty way to a sandbox: some of what goes through it is rejected, lost, answered late or not at all."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from tests.core.transport.fault_server import Behaviour, Connection, Received, hostile, http

TOO_MANY = "429"
BROKEN = "500"
BROKEN_AFTER = "500 after it was stored"
SILENT = "no answer after it was stored"
RESET = "reset after it was stored"
SLOW = "an answer that drips"
FAULTS = (TOO_MANY, BROKEN, BROKEN_AFTER, SILENT, RESET, SLOW)


@contextlib.contextmanager
def faulty(
    sandbox: str, faults: Sequence[str], share: float = 0.1, seed: int = 7
) -> "Iterator[tuple[str, Counter[str]]]":
    """A server before a sandbox; each of ``faults`` meets ``share`` of all requests. Its URL, and what was caused."""
    caused: Counter[str] = Counter()
    with hostile(_between(sandbox, faults, share, random.Random(seed), caused)) as server:
        yield server.url, caused


def _between(
    sandbox: str, faults: Sequence[str], share: float, rng: random.Random, caused: "Counter[str]"
) -> Behaviour:
    host, port = urlsplit(sandbox).hostname or "", urlsplit(sandbox).port or 80

    async def behave(connection: Connection) -> None:
        while True:
            received = await connection.request()
            connection.server.received.clear()  # it counts nothing; the sandbox does
            place = int(rng.random() / share)
            fault = faults[place] if place < len(faults) else ""
            caused[fault] += 1
            if fault == TOO_MANY:
                await connection.send(http(429, b"{}", "Retry-After: 0"))
                continue
            if fault == BROKEN:
                await connection.send(http(500, b"{}"))
                continue
            answer = await _passed_on(host, port, received)
            if fault == BROKEN_AFTER:
                answer = http(500, b"{}")
            elif fault == SILENT:
                await asyncio.sleep(5)
                return
            elif fault == RESET:
                connection.reset()
                return
            elif fault == SLOW:
                for byte in answer[:-1]:
                    await connection.send(bytes([byte]))
                    await asyncio.sleep(0.002)
                answer = answer[-1:]
            await connection.send(answer)

    return behave


async def _passed_on(host: str, port: int, received: Received) -> bytes:
    """The sandbox's own answer; where it is not there, the way ends here too."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        given = received.headers | {"host": f"{host}:{port}", "connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        writer.write(f"{received.method} {received.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + received.body)
        answer = await reader.read()
    finally:
        writer.close()
    status, _, body = answer.partition(b"\r\n\r\n")
    return http(int(status.split(b" ")[1]), body, "Content-Type: application/json")
