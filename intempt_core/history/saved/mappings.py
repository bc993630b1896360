"""The saved mappings of several consoles, kept in the database that they share, each as its mapping file."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from intempt_core.errors import MappingError
from intempt_core.history.saved.named_documents import WriteResult
from intempt_core.mapping import SavedMapping

if TYPE_CHECKING:
    from intempt_core.history.history import History

MAX_MAPPINGS = 2_000
"""Most mappings that are kept."""


class SharedMappings:
    """The mappings of one database; see :class:`~intempt_core.mapping.MappingDocuments`."""

    def __init__(self, open_history: "Callable[[], History]") -> None:
        self._open_history = open_history

    def read_all(self) -> tuple[list[SavedMapping], list[str]]:
        """Every mapping that can be read, and a sentence for each that cannot: a later console may have written it."""
        found, problems = [], []
        for name, document in self._open_history().mappings.read_all():
            try:
                found.append(SavedMapping.from_json(document, name))
            except MappingError as error:
                problems.append(f"The mapping “{name}”: {error}")
        return found, problems

    def write(self, saved: SavedMapping) -> None:
        """Keep a mapping under its name. Raises :class:`MappingError` where there are too many."""
        document = json.dumps(json.loads(saved.to_json()))  # in ASCII: a header may hold what no database stores
        written = self._open_history().mappings.write(
            saved.name, saved.name, document, replaces=saved.name, most=MAX_MAPPINGS
        )
        if written is WriteResult.FULL:
            raise MappingError(f"{MAX_MAPPINGS:,} mappings are saved, and no more are kept. Delete some first.")

    def delete(self, name: str) -> None:
        """Delete a mapping; one that is not there is no error."""
        self._open_history().mappings.delete(name)
