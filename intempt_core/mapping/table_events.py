"""A file and its mapping together: a table seen as events, and the mapping to begin with."""

from intempt_core.errors import MappingError
from intempt_core.mapping.document_events import MappedDocuments
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.mapped_table import MappedTable
from intempt_core.mapping.model import Mapping, exact_mapping, suggest_nearest
from intempt_core.readers import Table


def map_table(table: Table, mapping: Mapping, id_salt: str | None = None) -> EventSource:
    """See a table as events. Raises :class:`MappingError` where the mapping does not fit the file.

    Where neither column nor constant gives ``eventId``, ids are made; ``id_salt`` makes other ids for a new run.
    """
    mapping.check()
    for column in mapping.columns:
        if column not in table.columns:
            raise MappingError(f"{table.name} has no column “{column}”. {suggest_nearest(column, table.header)}")
    return MappedDocuments(table) if is_unmapped_json(table, mapping) else MappedTable(table, mapping, id_salt)


def is_unmapped_json(table: Table, mapping: Mapping) -> bool:
    """Whether a file's events are sent as they came: they are JSON, and nothing is mapped."""
    return table.documents is not None and not mapping.columns and not mapping.constants


def choose_initial_mapping(table: Table) -> Mapping:
    """Choose the mapping to begin with: nothing is guessed; JSON events that have their name in place stay."""
    documents = table.documents
    return Mapping({}) if documents and 2 * documents.named_count >= table.rows else exact_mapping(table.header)
