"""The files of a call: names and patterns become paths, and standard input becomes a file for as long as it is read.

A shell that does not expand a pattern (one in quotes, or Windows) leaves that to us, so that a call means the same on
every platform.
"""

import contextlib
import glob
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from intempt_core.cli.output import print_message
from intempt_core.errors import ReadError
from intempt_core.readers import FORMATS, FileFormat

FORMS: dict[str, FileFormat] = {one.suffixes[0].removeprefix("."): one for one in FORMATS}
"""Each format by the usual ending of its files, as ``--form`` has it."""

STANDARD_INPUT = "-"
"""What a call names standard input by."""

STANDARD_INPUT_NAME = "standard input"
"""What standard input is called in what is printed."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file with the name by which it is shown.

    Attributes:
        path: Where its bytes are.
        name: What it is called, without its folder.
        form: What it has to be, as a key of :data:`FORMS`; ``None`` where it may be anything.
        is_spooled: Whether it is a copy of standard input.
    """

    path: Path
    name: str
    form: str | None = None
    is_spooled: bool = False

    @property
    def shown(self) -> Path:
        """The path as a person knows it."""
        return Path(self.name) if self.is_spooled else self.path


def expand_names(given: Sequence[str]) -> list[str]:
    """Every file that a call names, each once, in the call's order; those of a pattern by their names.

    A name that is there as it is is no pattern. Raises :class:`ReadError` for a pattern that no file matches.
    """
    found: dict[str, None] = {}
    for name in given:
        if name == STANDARD_INPUT or not glob.has_magic(name) or Path(name).exists():
            found[name] = None
            continue
        matching = sorted(path for path in glob.glob(name, recursive=True) if Path(path).is_file())  # noqa: PTH207
        if not matching:
            raise ReadError(f"No file matches “{name}”. Look at its folder and its ending, or name the file itself.")
        found |= dict.fromkeys(matching)
    return list(found)


def expand_name(given: str) -> str:
    """The one file of a name or a pattern. Raises :class:`ReadError` where it is not one."""
    found = expand_names([given])
    if len(found) > 1:
        raise ReadError(
            f"“{given}” matches {len(found):,} files, and one is sent at a time: {', '.join(found[:3])}"
            f"{', …' if len(found) > 3 else ''}. Name the one that is meant."
        )
    return found[0]


@contextlib.contextmanager
def open_named_file(name: str, form: str | None = None) -> Iterator[NamedFile]:
    """A file of a call. Standard input is copied to a file of its own, which is deleted at the end, however that comes.

    ``form`` says how standard input is to be read where its bytes leave a doubt. Raises :class:`ReadError` where it
    cannot be read.
    """
    if name != STANDARD_INPUT:
        yield NamedFile(Path(name), Path(name).name)
        return
    with tempfile.TemporaryDirectory(prefix="event-console-", ignore_cleanup_errors=True) as folder:  # private
        shown = STANDARD_INPUT_NAME + (f".{form}" if form else "")
        path = Path(folder) / "input"
        _copy_standard_input(path)
        yield NamedFile(path, shown, form, is_spooled=True)


def _copy_standard_input(path: Path) -> None:
    if sys.stdin.isatty():
        print_message("Reading standard input. End it with Ctrl+D (on Windows Ctrl+Z and Enter).")
    try:
        with path.open("wb") as out:
            shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
    except OSError as error:
        raise ReadError(f"Standard input cannot be read: {error.strerror or error}.") from None
