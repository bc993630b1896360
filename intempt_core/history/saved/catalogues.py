"""The product catalogues of several consoles: kept in the database that they share, and read from files beside each.

A catalogue has up to millions of products, and is asked for whenever a screen is drawn. So each machine has a copy of
it in a folder, named after the stamp that every change of it gets; only the stamp is looked up, now and then.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import delete, insert, select

from intempt_core.errors import CatalogueUnavailable, HistoryUnavailable
from intempt_core.history.database import Database
from intempt_core.history.dialects.locks import lock_table
from intempt_core.history.schema import catalogues
from intempt_core.validation import CatalogueFolder, ProductCatalogue, dump_catalogue, hash_target_key, parse_catalogue

if TYPE_CHECKING:
    from intempt_core.history.history import History

LOOK_AGAIN_SECONDS = 1.0
"""How long a stamp is believed: what another console changes is seen that much later."""


class CatalogueDocuments:
    """The catalogues of one database, each as the content of its file; a key is the digest of a target's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read_stamp(self, key: str) -> str:
        """What is different after every change of a target's catalogue; empty where it has none."""
        with self._database.reading() as connection:
            found = connection.execute(select(catalogues.c.stamp).where(catalogues.c.key == key)).scalar()
            return str(found or "")

    def read(self, key: str, stamp: str) -> bytes | None:
        """The content of a target's catalogue, where it still has this stamp."""
        columns = catalogues.c
        with self._database.reading() as connection:
            return connection.execute(
                select(columns.content).where(columns.key == key, columns.stamp == stamp)
            ).scalar()

    def write(self, key: str, catalogue: ProductCatalogue) -> str:
        """Make it a target's catalogue, in the place of an earlier one; returns its stamp."""
        stamp = uuid4().hex
        row = {
            "key": key,
            "name": catalogue.name,
            "rows": catalogue.rows,
            "loaded_at": catalogue.loaded_at,
            "stamp": stamp,
            "content": dump_catalogue(catalogue),
        }
        with self._database.writing() as connection:
            lock_table(connection, catalogues)
            connection.execute(delete(catalogues).where(catalogues.c.key == key))
            connection.execute(insert(catalogues).values(row))
        return stamp

    def delete(self, key: str) -> None:
        """Remove a target's catalogue; where it has none that is no error."""
        with self._database.writing() as connection:
            connection.execute(delete(catalogues).where(catalogues.c.key == key))


class SharedCatalogues:
    """The catalogues of one database, with copies in a folder; see :class:`~intempt_core.validation.CatalogueStore`."""

    def __init__(
        self,
        open_history: "Callable[[], History]",
        folder: Path,
        *,
        look_again_seconds: float = LOOK_AGAIN_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_history, self._copies = open_history, CatalogueFolder(folder)
        self._look_again_seconds, self._monotonic = look_again_seconds, monotonic
        self._stamps: dict[str, tuple[float, str]] = {}

    def get(self, target: str) -> ProductCatalogue | None:
        """A target's catalogue, if one is loaded. Raises :class:`CatalogueUnavailable`."""
        stamp = self._find_stamp(target)
        return self._get_copy(target, stamp) if stamp else None

    def save(self, target: str, catalogue: ProductCatalogue) -> None:
        """Make it a target's catalogue, replacing an earlier one. Raises :class:`CatalogueUnavailable`."""
        try:
            stamp = self._open_history().catalogues.write(hash_target_key(target), catalogue)
        except HistoryUnavailable as error:
            raise CatalogueUnavailable(f"The catalogue cannot be kept: {error}") from None
        self._note_stamp(target, stamp)

    def remove(self, target: str) -> None:
        """Remove a target's catalogue, if it has one. Raises :class:`CatalogueUnavailable`."""
        try:
            self._open_history().catalogues.delete(hash_target_key(target))
        except HistoryUnavailable as error:
            raise CatalogueUnavailable(f"The catalogue cannot be removed: {error}") from None
        self._note_stamp(target, "")

    def _find_stamp(self, target: str) -> str:
        read_at, stamp = self._stamps.get(target, (0.0, ""))
        if target in self._stamps and self._monotonic() - read_at < self._look_again_seconds:
            return stamp
        try:
            stamp = self._open_history().catalogues.read_stamp(hash_target_key(target))
        except HistoryUnavailable as error:
            raise CatalogueUnavailable(f"The catalogue cannot be read: {error}") from None
        self._note_stamp(target, stamp)
        return stamp

    def _note_stamp(self, target: str, stamp: str) -> None:
        former = self._stamps.get(target, (0.0, ""))[1]
        self._stamps[target] = self._monotonic(), stamp
        if former and former != stamp:
            self._copies.remove(_name_copy(target, former))

    def _get_copy(self, target: str, stamp: str) -> ProductCatalogue | None:
        """The copy of a catalogue, fetched where it is not there yet."""
        copy = _name_copy(target, stamp)
        try:
            found = self._copies.get(copy)
        except CatalogueUnavailable:  # a copy that is damaged is fetched again
            found = None
        if found is not None:
            return found
        try:
            content = self._open_history().catalogues.read(hash_target_key(target), stamp)
        except HistoryUnavailable as error:
            raise CatalogueUnavailable(f"The catalogue cannot be read: {error}") from None
        if content is None:  # it was replaced just now
            self._stamps.pop(target, None)
            return None
        self._copies.save(copy, parse_catalogue(content))
        return self._copies.get(copy)


def _name_copy(target: str, stamp: str) -> str:
    return f"{target}\n{stamp}"
