"""What people save beside history: of one console in files of its data folder, of several in the database they share.

It is light to import: a command that checks a file needs no database where none is set.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from intempt_core.mapping import MappingFolder, MappingStore
from intempt_core.settings import Settings
from intempt_core.validation import CatalogueFolder, CatalogueStore, CheckFolder, CheckMemory, RulesFolder, RulesStore

if TYPE_CHECKING:
    from intempt_core.history.history import History


@dataclass(frozen=True)
class SavedDocuments:
    """The stores of what people save.

    Attributes:
        mappings: The saved mappings.
        rules: The team's rules that every screen goes by.
        checks: The last checks of files of each shape.
        catalogues: The product catalogues, one for a target.
    """

    mappings: MappingStore
    rules: RulesStore
    checks: CheckMemory
    catalogues: CatalogueStore

    @classmethod
    def from_settings(cls, settings: Settings, open_history: "Callable[[], History]") -> "SavedDocuments":
        """The stores that the settings say; ``open_history`` is called only where they are in a database."""
        if not settings.database_url:
            return cls.from_folder(settings)
        from intempt_core.history.saved.catalogues import SharedCatalogues  # noqa: PLC0415  see above
        from intempt_core.history.saved.checks import SharedChecks  # noqa: PLC0415
        from intempt_core.history.saved.mappings import SharedMappings  # noqa: PLC0415
        from intempt_core.history.saved.team_rules import SharedRules  # noqa: PLC0415

        return cls(
            MappingStore(SharedMappings(open_history)),
            SharedRules(open_history),
            CheckMemory(SharedChecks(open_history)),
            SharedCatalogues(open_history, settings.catalogues_folder / "copies"),
        )

    @classmethod
    def from_folder(cls, settings: Settings) -> "SavedDocuments":
        """The stores of the data folder, wherever history is."""
        return cls(
            MappingStore(MappingFolder(settings.mappings_folder)),
            RulesFolder(settings.data),
            CheckMemory(CheckFolder(settings.checks_folder)),
            CatalogueFolder(settings.catalogues_folder),
        )
