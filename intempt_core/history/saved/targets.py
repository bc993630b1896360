"""The targets that were added on a screen, without their keys."""

import json

from intempt_core.errors import TargetIncomplete
from intempt_core.history.database import Database
from intempt_core.history.saved.named_documents import NamedDocuments, WriteResult
from intempt_core.history.schema import targets
from intempt_core.targets import MAX_STORED_TARGETS, StoredTarget, normalize_target_name


class SavedTargets:
    """The stored targets of one database; see :class:`~intempt_core.targets.TargetStore`."""

    def __init__(self, database: Database) -> None:
        self._documents = NamedDocuments(database, targets)

    def all(self) -> list[StoredTarget]:
        """Every stored target, by name."""
        return [StoredTarget.from_json(json.loads(document)) for _, document in self._documents.read_all()]

    def save(self, target: StoredTarget, *, replaces: str = "") -> None:
        """Keep a target under its name, as :meth:`~intempt_core.targets.TargetStore.save` says."""
        key, former = normalize_target_name(target.name), normalize_target_name(replaces)
        match self._documents.write(key, target.name, target.to_json(), replaces=former, most=MAX_STORED_TARGETS):
            case WriteResult.TAKEN:
                raise TargetIncomplete(f"There is a target {target.name} already. Choose another name.")
            case WriteResult.FULL:
                raise TargetIncomplete(f"{MAX_STORED_TARGETS} targets are stored, and no more. Delete some first.")
            case WriteResult.WRITTEN:
                return

    def delete(self, name: str) -> None:
        """Delete a target; one that is not there is no error."""
        self._documents.delete(normalize_target_name(name))
