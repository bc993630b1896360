"""What history held when it was last used, kept in a file beside it: an empty history in its place is then noticed."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

LOSS_SHOWN_MS = 86_400_000
"""How long a loss is said after it was noticed, also over restarts: a day."""


@dataclass(frozen=True, slots=True)
class RememberedContent:
    """What history held.

    Attributes:
        newest: number of the newest batch; 0 where there was none.
        at: when that was known, in epoch ms.
        lost: number of the newest batch of the history that was there before this one; 0 where none was.
        lost_at: when it was noticed that it is gone, in epoch ms; 0 where it is not.
    """

    newest: int = 0
    at: int = 0
    lost: int = 0
    lost_at: int = 0


class ContentMemory:
    """Remembers what the history in one file holds. What cannot be read or written is as if it were not known.

    ``traces`` are files that are only there where a history was too.
    """

    def __init__(self, file: Path, traces: Iterable[Path] = ()) -> None:
        self._file = file
        self._traces = (file.with_name(file.name + "-wal"), *traces)
        self._path = file.with_suffix(".known.json")
        self._known = self._read()

    def remember(self, newest: int, now: int) -> None:
        """Keep the number of the newest batch, where that is news."""
        if newest > self._known.newest:
            self._write(replace(self._known, newest=newest, at=now))

    def notice_new_file(self, now: int) -> bool:
        """Note that a new history is begun; whether there was one before, which is gone."""
        there_was_one = self._known.newest > 0 or any(map(_has_content, self._traces))
        if there_was_one:
            self._write(RememberedContent(0, now, self._known.newest, now))
        return there_was_one

    def describe_loss(self, now: int) -> str:
        """What was lost lately, and what to do, as sentences; empty where nothing was."""
        known = self._known
        if not known.lost_at or not 0 <= now - known.lost_at < LOSS_SHOWN_MS:
            return ""
        when = datetime.fromtimestamp(known.lost_at / 1000, UTC)
        had = f" (its newest batch had the number {known.lost:,})" if known.lost else ""
        return (
            f"History is a new one since {when:%Y-%m-%d %H:%M} UTC: {self._file} was gone or empty then, where there"
            f" was one before{had}. If that was not meant, stop the console and put a copy back in its place. Until"
            " then what was sent before is not recognised as sent."
        )

    def _read(self) -> RememberedContent:
        try:
            return RememberedContent(
                **{name: int(value) for name, value in json.loads(self._path.read_bytes()).items()}
            )
        except (OSError, ValueError, TypeError, AttributeError):
            return RememberedContent()

    def _write(self, known: RememberedContent) -> None:
        self._known = known
        unfinished = self._path.with_suffix(".unfinished")
        with suppress(OSError):
            unfinished.write_text(json.dumps(asdict(known)))
            unfinished.replace(self._path)


def _has_content(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False
