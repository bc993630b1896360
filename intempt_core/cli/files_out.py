"""Files that the command line writes: whole or not at all, and never in the place of the file that was read."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from intempt_core.errors import ConsoleError


def check_writable(out: Path, source: Path, what: str, *, consequence: str = "") -> None:
    """Raise :class:`ConsoleError` before the work is done where ``out`` could not be written, or must not be replaced.

    ``what`` names what is to be written, ``source`` is the file that was read, ``consequence`` is a sentence to add.
    """
    consequence = f" {consequence}" if consequence else ""
    if out.parent.is_dir() and out.exists() and source.exists() and out.samefile(source):
        raise ConsoleError(f"{out} is the file to read itself: the {what} would overwrite it.{consequence}")
    if out.is_symlink() or (out.exists() and not out.is_file()):
        raise ConsoleError(f"{out} is no plain file, and the {what} would replace it.{consequence}")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise ConsoleError(f"The {what} could not be written to {out}.{consequence}")


@contextlib.contextmanager
def open_atomic(file: Path, what: str) -> Iterator[BinaryIO]:
    """A file to write into, which gets its name only when all of it is written. Raises :class:`ConsoleError`."""
    name = ""
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as part:
            name = part.name
            yield cast("BinaryIO", part)
            part.flush()
            os.fsync(part.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except OSError as error:
        raise ConsoleError(f"The {what} cannot be written to {file}: {error.strerror}.") from error
    finally:
        if name:
            Path(name).unlink(missing_ok=True)


def write_atomic(file: Path, pieces: Iterator[str], what: str) -> None:
    """Write a text piece by piece."""
    with open_atomic(file, what) as out:
        for piece in pieces:
            out.write(piece.encode())
