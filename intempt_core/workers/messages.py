"""Messages between the console and a process of its own: bytes and open files, over a socket that both inherit."""

import pickle
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from intempt_core.errors import ConsoleError
from intempt_core.readers import OpenFile

OUT_OF_MEMORY_EXIT = 77
"""Exit code of a process that has taken more memory than it may."""

_HEADER = struct.Struct("!QI")
"""Bytes of the message, and how many files come with it."""

_NO_FILES = "Windows hands no open files from process to process."
_MAX_FILES = 64
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """What the process is asked to do.

    Attributes:
        task: A :class:`~intempt_core.workers.file_tasks.FileTask`.
        settings: The console's settings.
        heads: The heads of the results that the task is given.
        file_counts: How many files each of them has.
        folder: The folder for files without a name.
        memory_limit: Resident bytes that it may take.
    """

    task: Any
    settings: Any
    heads: tuple[bytes, ...]
    file_counts: tuple[int, ...]
    folder: Path
    memory_limit: int


@dataclass(frozen=True, slots=True)
class TaskReply:
    """What came of it.

    Attributes:
        head: The head of the result, whose files come with the message; empty where there is none.
        kind: The class of the error that was raised in its place, where people can be told.
        sentence: That error, for people; empty where there is none.
        facts: What the error holds beside it, such as the line of the file.
        error: The kind of an error that nobody expected, and where in the code it was raised; no text of the file.
    """

    head: bytes = b""
    kind: type[ConsoleError] = ConsoleError
    sentence: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @classmethod
    def from_error(cls, error: ConsoleError) -> Self:
        """The reply that says what was raised: an error with a constructor of its own cannot be pickled as it is."""
        return cls(kind=type(error), sentence=str(error), facts=vars(error))

    def rebuild_error(self) -> ConsoleError:
        """The error that was raised, with all that it holds."""
        error = self.kind.__new__(self.kind, self.sentence)
        vars(error).update(self.facts)
        return error


def send_message(connection: socket.socket, message: object, files: Sequence[OpenFile] = ()) -> None:
    """Send an object and some open files. Raises :class:`OSError` where the other process is gone."""
    if sys.platform == "win32":
        raise OSError(_NO_FILES)
    body = pickle.dumps(message)
    socket.send_fds(connection, [_HEADER.pack(len(body), len(files))], [file.fileno() for file in files])
    connection.sendall(body)


def receive_message(connection: socket.socket) -> tuple[Any, list[OpenFile]]:
    """Receive an object and the files that come with it. Any: the two processes agree on its type.

    Raises :class:`EOFError` where the other process is gone.
    """
    if sys.platform == "win32":
        raise OSError(_NO_FILES)
    head, descriptors, _, _ = socket.recv_fds(connection, _HEADER.size, _MAX_FILES)
    files = [OpenFile(descriptor) for descriptor in descriptors]
    if not head:
        raise EOFError("The other process has ended.")
    size, _ = _HEADER.unpack(head + _receive(connection, _HEADER.size - len(head)))
    return pickle.loads(_receive(connection, size)), files  # noqa: S301  from a process of this console


def _receive(connection: socket.socket, size: int) -> bytes:
    held = bytearray()
    while len(held) < size:
        piece = connection.recv(min(size - len(held), _CHUNK_BYTES))
        if not piece:
            raise EOFError("The other process has ended.")
        held += piece
    return bytes(held)
