"""Saved mappings: kept by name, and recognised by a file's header.

Each is a mapping file (ARCHITECTURE, mapping file): two keys more say its name and the header that it was made for.
What is exported, imported, kept and given to the command line is one form. They lie in a folder of the data, or in the
database that several consoles share.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from intempt_core.contract import suggest_nearest
from intempt_core.errors import MappingError
from intempt_core.mapping.model import RESERVED_COLUMNS, Mapping

MAPPING_NAME_LENGTH = 80
"""Characters of a name, at the most."""

MAX_MAPPING_BYTES = 10_000_000
"""A mapping file that is larger is none."""


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A mapping with its name and the header of the file that it was made for.

    Attributes:
        name: Its name.
        header: The columns of that file.
        mapping: The mapping.
    """

    name: str
    header: tuple[str, ...]
    mapping: Mapping

    def to_json(self) -> str:
        """The mapping file, with name and header."""
        given = {"name": self.name, "header": list(self.header), **json.loads(self.mapping.to_json())}
        return json.dumps(given, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str = "") -> "SavedMapping":
        """A mapping file; ``name`` is taken where it has none. Raises :class:`MappingError` with a sentence."""
        mapping = Mapping.from_json(text)
        given = json.loads(text)
        return cls(given.get("name") or name, tuple(given.get("header") or mapping.columns), mapping)


@dataclass(frozen=True, slots=True)
class RecognisedMapping:
    """A saved mapping that fits a file.

    Attributes:
        saved: The mapping.
        exact: Whether it was made for the very header of the file.
        new_columns: Columns of the file that it does not know.
    """

    saved: SavedMapping
    exact: bool
    new_columns: tuple[str, ...]


class MappingDocuments(Protocol):
    """What keeps mappings by name: a folder, or a database that several consoles share."""

    def read_all(self) -> tuple[list[SavedMapping], list[str]]:
        """Every mapping that can be read, and a sentence for each that cannot."""

    def write(self, saved: SavedMapping) -> None:
        """Keep a mapping under its name, in the place of one that has the name already."""

    def delete(self, name: str) -> None:
        """Delete the mapping of a name; one that is not there is no error."""


class MappingStore:
    """The saved mappings of a console, or of all that share a database."""

    def __init__(self, documents: MappingDocuments) -> None:
        self.documents = documents

    def all(self) -> list[SavedMapping]:
        """Every mapping that can be read, by name."""
        found = {saved.name: saved for saved in self.documents.read_all()[0]}
        return sorted(found.values(), key=lambda saved: saved.name.casefold())

    def problems(self) -> list[str]:
        """A sentence for each that is no mapping."""
        return self.documents.read_all()[1]

    def get(self, name: str) -> SavedMapping:
        """The mapping of a name. Raises :class:`MappingError` with the nearest name."""
        known = {saved.name: saved for saved in self.all()}
        if name not in known:
            has = suggest_nearest(name, known) if known else "None is saved yet."
            raise MappingError(f"No mapping is saved as “{name}”. {has}")
        return known[name]

    def save(self, saved: SavedMapping) -> None:
        """Keep a mapping under its name, in the place of one that has the name already.

        Raises :class:`MappingError` where the name or the mapping is none, or where it cannot be written.
        """
        _check_mapping_name(saved.name)
        saved.mapping.check()
        self.documents.write(saved)

    def rename(self, old: str, new: str) -> None:
        """Give a mapping another name. Raises :class:`MappingError`, also where the new name is taken."""
        found = self.get(old)
        if new == old:
            return
        if any(saved.name == new for saved in self.all()):
            raise MappingError(f"A mapping is saved as “{new}” already. Choose another name, or delete that one first.")
        self.save(SavedMapping(new, found.header, found.mapping))
        self.delete(old)

    def delete(self, name: str) -> None:
        """Delete a mapping; one that does not exist is no error."""
        self.documents.delete(name)

    def recognise(self, header: Sequence[str]) -> list[RecognisedMapping]:
        """The mappings that fit a header, those first that were made for it, then those that know most of it.

        A mapping fits where every column that it maps is there.
        """
        there = set(header).difference(RESERVED_COLUMNS)
        found = []
        for saved in self.all():
            if saved.mapping.columns and saved.mapping.columns.keys() <= there.union(RESERVED_COLUMNS):
                known = {*saved.header, *saved.mapping.columns}.difference(RESERVED_COLUMNS)
                new = tuple(column for column in header if column in there - known)
                found.append(RecognisedMapping(saved, known == there, new))
        return sorted(found, key=lambda one: (not one.exact, len(one.new_columns), one.saved.name))

    def find_equal(self, mapping: Mapping) -> SavedMapping | None:
        """The saved mapping that is this one, if there is one."""
        return next((saved for saved in self.all() if saved.mapping == mapping), None)


def read_mapping_file(file: Path) -> SavedMapping:
    """Read a mapping file; its name is what it says, or that of the file. Raises :class:`MappingError`."""
    try:
        if file.stat().st_size > MAX_MAPPING_BYTES:
            raise MappingError(f"{file} has {file.stat().st_size:,} bytes: it is no mapping.")
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise MappingError(f"The mapping {file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"The mapping {file} is not UTF-8 (byte {error.start:,}).") from error
    try:
        return SavedMapping.from_json(text, file.stem)
    except MappingError as error:
        raise MappingError(f"{file.name}: {error}") from error


def _check_mapping_name(name: str) -> None:
    if not name.strip() or name != name.strip():
        raise MappingError("A saved mapping needs a name, without white space around it, such as “cosmetics”.")
    if len(name) > MAPPING_NAME_LENGTH or not name.isprintable():
        raise MappingError(f"The name of a saved mapping is printable and has up to {MAPPING_NAME_LENGTH} characters.")
