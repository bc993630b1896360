"""Which files were uploaded to any of the consoles that share a database, and by which tab.

The files lie in the folder of each console, which a deployment may share. A token is a secret of its tab, so only its
digest is stored.
"""

import secrets
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from intempt_core.history.database import Database
from intempt_core.history.schema import make_storable, upload_tokens, uploads
from intempt_core.uploads import Spool, SpooledFile

TOKEN_KEEP_MS = 7 * 86_400_000
"""How long a tab that is silent may upload files."""

SEEN_AGAIN_MS = 60_000
"""How often it is noted that a tab is there."""


class SharedUploads:
    """The uploads of one database; see :class:`~intempt_core.uploads.UploadRegistry`."""

    def __init__(self, database: Database, spool: Spool, max_tab_bytes: int) -> None:
        self.spool, self.max_tab_bytes = spool, max(max_tab_bytes, spool.max_bytes)
        self._database = database

    def create_token(self) -> str:
        """Make a token for one tab, which every console knows from then on; no other tab ever sees it."""
        token, now = secrets.token_urlsafe(32), self._database.clock()
        with self._database.writing() as connection:
            connection.execute(delete(upload_tokens).where(upload_tokens.c.seen_at < now - TOKEN_KEEP_MS))
            connection.execute(insert(upload_tokens).values(token=_hash(token), seen_at=now))
        return token

    def is_valid(self, token: str) -> bool:
        """Whether a token is of a tab of any of the consoles."""
        mine, now = upload_tokens.c.token == _hash(token), self._database.clock()
        with self._database.reading() as connection:
            seen_at = connection.execute(select(upload_tokens.c.seen_at).where(mine)).scalar()
        if seen_at is not None and seen_at < now - SEEN_AGAIN_MS:
            with self._database.writing() as connection:
                connection.execute(update(upload_tokens).where(mine).values(seen_at=now))
        return seen_at is not None

    def add_file(self, token: str, file: SpooledFile) -> None:
        """Note a file that has arrived whole; where the tab has too many bytes now, its oldest files are let go."""
        with self._database.writing() as connection:
            if not _lock_token(connection, token):
                return  # its tab is gone for a week
            connection.execute(delete(uploads).where(_is_of(token), uploads.c.digest == file.digest))
            now = self._database.clock()
            _insert_file(connection, token, file, now, is_taken=False)
            kept = connection.execute(select(uploads).where(_is_of(token), _IS_KEPT).order_by(*_NEWEST_FIRST)).all()
            removable = _let_go_oldest(connection, token, kept, self.max_tab_bytes)
        for digest in removable:
            self.spool.remove(digest)

    def adopt_file(self, token: str, digest: str) -> SpooledFile | None:
        """Keep a file of another tab for this one too, by its digest; ``None`` where no tab has it any more."""
        with self._database.reading() as connection:
            found = connection.execute(select(uploads).where(uploads.c.digest == digest, _IS_KEPT)).first()
        if found is None or not self.spool.touch(digest):
            return None
        file = _read_file(found)
        with self._database.writing() as connection:
            if _lock_token(connection, token):
                connection.execute(delete(uploads).where(_is_of(token), uploads.c.digest == digest))
                _insert_file(connection, token, file, self._database.clock(), is_taken=True)
        return file

    def take_newest(self, token: str) -> SpooledFile | None:
        """Take the newest file that has arrived under a token; those before it are dropped."""
        waiting = select(uploads).where(_is_of(token), ~uploads.c.is_taken).order_by(*_NEWEST_FIRST)
        with self._database.reading() as connection:
            if connection.execute(waiting.limit(1)).first() is None:
                return None
        with self._database.writing() as connection:
            _lock_token(connection, token)
            found = connection.execute(waiting).first()
            connection.execute(update(uploads).where(_is_of(token)).values(is_taken=True))
        return None if found is None else _read_file(found)

    def list_let_go(self, token: str) -> list[str]:
        """The names of a tab's files that were let go for newer ones."""
        oldest_first = (uploads.c.arrived_at, uploads.c.digest)
        with self._database.reading() as connection:
            found = connection.execute(
                select(uploads.c.name).where(_is_of(token), uploads.c.is_let_go).order_by(*oldest_first)
            )
            return list(found.scalars())

    def was_let_go(self, token: str, digest: str) -> bool:
        """Whether a file was let go for newer ones of its tab."""
        with self._database.reading() as connection:
            asked = select(uploads.c.digest).where(_is_of(token), uploads.c.digest == digest, uploads.c.is_let_go)
            return connection.execute(asked).first() is not None


_IS_KEPT: ColumnElement[bool] = ~uploads.c.is_let_go
_NEWEST_FIRST = (uploads.c.arrived_at.desc(), uploads.c.digest)


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def _is_of(token: str) -> ColumnElement[bool]:
    return uploads.c.token == _hash(token)


def _lock_token(connection: Connection, token: str) -> bool:
    """Let no other console change what a tab has meanwhile; whether the tab is known."""
    asked = select(upload_tokens.c.token).where(upload_tokens.c.token == _hash(token)).with_for_update()
    return connection.execute(asked).first() is not None


def _insert_file(connection: Connection, token: str, file: SpooledFile, now: int, *, is_taken: bool) -> None:
    newest = connection.execute(select(func.max(uploads.c.arrived_at)).where(_is_of(token))).scalar() or 0
    connection.execute(
        insert(uploads).values(
            token=_hash(token),
            digest=file.digest,
            name=make_storable(file.name),
            size=file.size,
            arrived_at=max(now, newest + 1),  # in the order of their arrival, also within a millisecond
            is_taken=is_taken,
            is_let_go=False,
        )
    )


def _let_go_oldest(
    connection: Connection, token: str, kept: Sequence[Row[tuple[object, ...]]], limit: int
) -> list[str]:
    """Let go what is beyond a tab's bytes, and list what no other tab has either."""
    total, removable = 0, []
    for number, row in enumerate(kept):
        total += row.size
        if total > limit and number:
            mine = _is_of(token) & (uploads.c.digest == row.digest)
            connection.execute(update(uploads).where(mine).values(is_let_go=True))
            others = select(uploads.c.token).where(uploads.c.digest == row.digest, _IS_KEPT)
            if connection.execute(others).first() is None:
                removable.append(str(row.digest))
    return removable


def _read_file(row: Row[tuple[object, ...]]) -> SpooledFile:
    return SpooledFile(row.name, row.digest, row.size)
