"""What people saved in a data folder beside history's file, as tables that are moved like its own."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from intempt_core.errors import CatalogueUnavailable, MappingError, RulesError
from intempt_core.history.history import History
from intempt_core.history.saved.checks import SharedChecks
from intempt_core.history.saved.documents import SavedDocuments
from intempt_core.history.saved.mappings import SharedMappings
from intempt_core.history.saved.team_rules import SharedRules
from intempt_core.history.transfer.copy_lines import prepare_source
from intempt_core.settings import Settings
from intempt_core.validation import parse_catalogue

DOCUMENT_TABLES = frozenset(("mappings", "team_rules", "checks", "catalogues"))
"""Tables that a console by itself has as files."""


@contextmanager
def gather_documents(data: Path) -> Iterator[tuple[sqlite3.Connection, list[str]]]:
    """A database with what is saved in a data folder, and a sentence for each file that cannot be read."""
    settings = Settings(data=data)
    with tempfile.TemporaryDirectory(prefix="move-", dir=data) as folder:
        file = Path(folder) / "documents.sqlite3"
        with closing(History.open(f"sqlite:///{file}")) as history:
            problems = [
                *_copy_mappings(settings, history),
                *_copy_rules(settings, history),
                *_copy_checks(settings, history),
                *_copy_catalogues(settings, history),
            ]
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            prepare_source(connection)
            yield connection, problems


def _copy_mappings(settings: Settings, history: History) -> Iterator[str]:
    saved = SavedDocuments.from_folder(settings).mappings
    yield from saved.problems()
    for mapping in saved.all():
        try:
            SharedMappings(lambda: history).write(mapping)
        except MappingError as error:
            yield f"The mapping “{mapping.name}”: {error}"


def _copy_rules(settings: Settings, history: History) -> Iterator[str]:
    try:
        rules = SavedDocuments.from_folder(settings).rules.get()
    except RulesError as error:
        yield str(error)
        return
    if rules is not None:
        SharedRules(lambda: history).save(rules)


def _copy_checks(settings: Settings, history: History) -> Iterator[str]:
    for file in sorted(settings.checks_folder.glob("*.json")):
        try:
            SharedChecks(lambda: history).write(file.stem, file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            yield f"The checks of earlier files {file} cannot be read: {error}."


def _copy_catalogues(settings: Settings, history: History) -> Iterator[str]:
    """Copy each catalogue under the name of its file, which is that of its target in either store."""
    for file in sorted(settings.catalogues_folder.glob("*.arrow")):
        try:
            history.catalogues.write(file.stem, parse_catalogue(file.read_bytes()))
        except OSError as error:
            yield f"The catalogue {file} cannot be read: {error.strerror}."
        except CatalogueUnavailable as error:
            yield f"{file}: {error}"
