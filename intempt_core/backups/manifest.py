"""The manifest of a backup: what it holds, by which a restored one is compared."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from intempt_core.errors import BackupError

MANIFEST_NAME = "manifest.json"
"""The file of the manifest, which is written last: a folder without one is no backup."""

FORM = 1
"""The form of backups that this version writes."""

SQLITE, POSTGRESQL = "sqlite", "postgresql"
"""The kinds of databases."""

DATABASE_FILES: Mapping[str, str] = {SQLITE: "history.sqlite3", POSTGRESQL: "history.pgdump"}
"""The file of each kind's database in a backup."""

FILES_FOLDER = "files"
"""The folder of a backup with the files of the data folder."""


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """What a backup holds.

    Attributes:
        form: The form of the backup.
        made_at: When the database was copied, in epoch ms.
        version: The console that made it.
        schema: The version of the database's tables.
        database: The kind of database: ``sqlite`` or ``postgresql``.
        rows: How many rows its largest tables have, by table.
        files: The SHA-256 of every other file of the backup, by its path in it.
    """

    form: int
    made_at: int
    version: str
    schema: str
    database: str
    rows: Mapping[str, int]
    files: Mapping[str, str] = field(repr=False)

    def write(self, folder: Path) -> None:
        """Write it into the folder of its backup. Raises ``OSError``."""
        (folder / MANIFEST_NAME).write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "BackupManifest":
        """The manifest of a folder. Raises :class:`BackupError` where it is no backup of a form that is known."""
        path = folder / MANIFEST_NAME
        try:
            manifest = cls(**json.loads(path.read_bytes()))
            known = manifest.database in DATABASE_FILES and all(
                isinstance(one, Mapping) for one in (manifest.rows, manifest.files)
            )
        except OSError as error:
            raise BackupError(f"{folder} is no backup: {path.name} cannot be read: {error.strerror}.") from None
        except (ValueError, TypeError, RecursionError):
            raise BackupError(f"{path} is damaged, or of another version of the console.") from None
        if manifest.form != FORM or not known:
            raise BackupError(f"{folder} is a backup of another version of the console. Restore it with that one.")
        return manifest

    def check_files(self, folder: Path) -> None:
        """Raise :class:`BackupError` where a file is absent or not as it was written."""
        for name, digest in self.files.items():
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise BackupError(f"{folder / MANIFEST_NAME} names {name}, which is not inside the backup.")
            try:
                found = compute_digest(folder / name)
            except OSError as error:
                raise BackupError(f"{folder / name} cannot be read: {error.strerror}. Nothing was restored.") from None
            if found != digest:
                raise BackupError(f"{folder / name} is not as it was written. Nothing was restored.")


def compute_digest(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits. Raises ``OSError``."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
