"""Files of the console's own that two processes may share: each is there whole, or as it was before."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


@contextmanager
def replace_file(file: Path) -> Iterator[Path]:
    """Give the path to write a file at; at the end it takes the place of ``file``, whose folder is made if it lacks.

    Nothing of it stays where writing fails. Raises :class:`OSError`.
    """
    part = file.with_name(f"{uuid4().hex}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(file)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
