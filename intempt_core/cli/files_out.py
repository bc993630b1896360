"""Files that the command line writes: whole or not at all, and never in the place of the file that was read."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from intempt_core.errors import ConsoleError


def check_writable(out: Path, source: Path | None, what: str, *, consequence: str = "", force: bool = True) -> None:
    """Raise :class:`ConsoleError` before the work is done where ``out`` could not be written, or must not be replaced.

    ``what`` names what is to be written, ``source`` is the file that was read, ``consequence`` is a sentence to add.
    Without ``force`` no file is replaced.
    """
    consequence = f" {consequence}" if consequence else ""
    if source is not None and out.parent.is_dir() and out.exists() and source.exists() and out.samefile(source):
        raise ConsoleError(f"{out} is the file to read itself: the {what} would overwrite it.{consequence}")
    if not force and out.is_file():
        raise ConsoleError(f"{_describe_existing(out, what)}{consequence}")
    if out.is_symlink() or (out.exists() and not out.is_file()):
        raise ConsoleError(f"{out} is no plain file, and the {what} would replace it.{consequence}")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise ConsoleError(f"The {what} could not be written to {out}.{consequence}")


@contextlib.contextmanager
def open_atomic(file: Path, what: str, *, force: bool = True) -> Iterator[BinaryIO]:
    """A file to write into, which gets its name only when all of it is written. Raises :class:`ConsoleError`.

    Without ``force`` it replaces no file, not even one that appeared in the meantime.
    """
    name = ""
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".event-console.", delete=False) as part:
            name = part.name
            yield cast("BinaryIO", part)
            part.flush()
            os.fsync(part.fileno())
        Path(name).chmod(0o644)
        if force:
            Path(name).replace(file)
        else:
            _move_to_new_name(Path(name), file)
    except FileExistsError:
        raise ConsoleError(_describe_existing(file, what)) from None
    except OSError as error:
        held = isinstance(error, PermissionError) and file.exists()
        hint = " If another program has the file open, close it there." if held else ""
        raise ConsoleError(f"The {what} cannot be written to {file}: {error.strerror}.{hint}") from error
    finally:
        if name:
            with contextlib.suppress(PermissionError):
                Path(name).unlink(missing_ok=True)


def _move_to_new_name(part: Path, file: Path) -> None:
    """Give a file a name that no other file has. Raises ``FileExistsError`` where there is one."""
    try:
        file.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # not every file system has links: the name is reserved first
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        part.replace(file)


def _describe_existing(file: Path, what: str) -> str:
    return f"{file} is there already. Say --force to replace it by the {what}, or name another file."


def write_atomic(file: Path, pieces: Iterator[str], what: str, *, force: bool = True) -> None:
    """Write a text piece by piece; ``force`` is as in :func:`open_atomic`."""
    with open_atomic(file, what, force=force) as out:
        for piece in pieces:
            out.write(piece.encode())
