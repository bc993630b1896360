"""Results on disk: an object whose arrays lie in files without a name, and are mapped when it is loaded.

So a process hands a table of gigabytes to another without copying it, and memory holds only the pages that are looked
at. What is no array is pickled: a result is only ever made and loaded by processes of this console, and no file of it
can be opened by another program.
"""

import io
import mmap
import os
import pickle
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from intempt_core.readers import MappedFile, OpenFile

_ALIGNMENT = 64
"""Bytes to a multiple of which an array is put in its file, as Arrow wants it."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Where the bytes of an array are: which file, from which offset on, and how many."""

    file: int
    start: int
    size: int


class StoredResult:
    """An object on disk.

    Attributes:
        head: Everything of it but its arrays.
        files: The files in which its arrays lie.
    """

    def __init__(self, head: bytes, files: Sequence[OpenFile]) -> None:
        self.head = head
        self.files = tuple(files)
        self._mapped: weakref.WeakSet[MappedFile] = weakref.WeakSet()

    def load(self) -> Any:
        """The object, its arrays mapped. Any: of the type that was stored."""
        mapped = [MappedFile.from_file(file) for file in self.files]
        for one in mapped:
            self._mapped.add(one)
        spans, body = pickle.loads(self.head)  # noqa: S301  made by a process of this console
        buffers = [
            memoryview(mapped[span.file])[span.start : span.start + span.size] if span.size else memoryview(b"")
            for span in spans
        ]
        return _ResultUnpickler(io.BytesIO(body), mapped, buffers).load()

    def release_memory(self) -> None:
        """Hand back the memory of pages that were looked at, even where the object is still in use."""
        for one in list(self._mapped):
            one.release()

    def file_sizes(self) -> dict[tuple[int, int], int]:
        """The bytes that its files have on disk, by the identity of each: several results may share one."""
        stats = [os.fstat(file.fileno()) for file in self.files]
        return {(stat.st_dev, stat.st_ino): stat.st_size for stat in stats}


def store_result(value: object, folder: Path | None = None) -> StoredResult:
    """Put an object on disk. Arrays that lie in a :class:`MappedFile` which is part of it stay where they are.

    ``folder`` is where the file for the others is made. Raises :class:`OSError` where the disk has no space for it.
    """
    body = io.BytesIO()
    pickler = _ResultPickler(body)
    pickler.dump(value)
    files = [one.file for one in pickler.mapped]
    with tempfile.TemporaryFile(dir=folder) as own:
        spans = _write_buffers(pickler, own, len(files))
        if own.tell():
            own.flush()
            files.append(OpenFile.copy(own))
    return StoredResult(pickle.dumps((spans, body.getvalue())), files)


class _ResultPickler(pickle.Pickler):
    """Pickles an object, and sets apart its arrays and the files in which they lie."""

    def __init__(self, body: IO[bytes]) -> None:
        self.buffers: list[pickle.PickleBuffer] = []
        self.mapped: list[MappedFile] = []
        super().__init__(body, protocol=5, buffer_callback=self.buffers.append)

    def persistent_id(self, value: object) -> int | None:
        """The number of a mapped file; ``None`` for anything else."""
        if not isinstance(value, mmap.mmap):
            return None
        if not isinstance(value, MappedFile):
            raise TypeError("A memory map that is no MappedFile cannot be stored.")
        number = next((number for number, one in enumerate(self.mapped) if one is value), None)
        if number is None:
            self.mapped.append(value)
            return len(self.mapped) - 1
        return number


class _ResultUnpickler(pickle.Unpickler):
    """Makes the object again, of files that are mapped here."""

    def __init__(self, body: IO[bytes], mapped: Sequence[MappedFile], buffers: Sequence[memoryview]) -> None:
        super().__init__(body, buffers=buffers)
        self._mapped = mapped

    def persistent_load(self, number: int) -> MappedFile:
        """The mapped file of a number."""
        return self._mapped[number]


def _write_buffers(pickler: _ResultPickler, own: IO[bytes], number: int) -> list[_Span]:
    """Write the arrays that lie in no mapped file; where each of all is."""
    places = [(_address_of(memoryview(one)), len(one)) for one in pickler.mapped]
    spans = []
    for buffer in pickler.buffers:
        with buffer.raw() as raw:
            if not raw.nbytes:
                spans.append(_Span(0, 0, 0))
                continue
            start = _address_of(raw)
            for file, (begin, size) in enumerate(places):
                if begin <= start and start + raw.nbytes <= begin + size:
                    spans.append(_Span(file, start - begin, raw.nbytes))
                    break
            else:
                own.write(bytes(-own.tell() % _ALIGNMENT))
                spans.append(_Span(number, own.tell(), raw.nbytes))
                own.write(raw)
    return spans


def _address_of(raw: memoryview) -> int:
    return int(np.frombuffer(raw, np.uint8).ctypes.data)
