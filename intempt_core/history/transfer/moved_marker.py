"""What is left beside a history's file that was moved to another database: who opens the file is told where it is."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from intempt_core.errors import HistoryUnavailable


@dataclass(frozen=True, slots=True)
class MoveNote:
    """Where a history was moved.

    Attributes:
        to: the database, without user and password.
        at: when, in epoch ms.
    """

    to: str
    at: int


def locate_move_note(file: Path) -> Path:
    """Where the note beside a history's file is."""
    return file.with_suffix(".moved.json")


def write_move_note(file: Path, note: MoveNote) -> None:
    """Leave a note beside a history's file. Raises ``OSError``."""
    locate_move_note(file).write_text(json.dumps(asdict(note)))


def check_not_moved(file: Path) -> None:
    """Raise :class:`~intempt_core.errors.HistoryUnavailable` where a history was moved: it goes on elsewhere."""
    path = locate_move_note(file)
    if not path.exists():
        return
    to, when = "another database", ""
    with suppress(OSError, ValueError, TypeError):
        note = MoveNote(**json.loads(path.read_bytes()))
        to, when = note.to, f" at {datetime.fromtimestamp(note.at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    raise HistoryUnavailable(
        f"History ({file}) was moved to {to}{when}. Set CONSOLE_DATABASE_URL to that database, with its user and"
        f" password. To go on with the file all the same, delete {path.name} beside it: what was unfinished would then"
        " be sent from both."
    )
