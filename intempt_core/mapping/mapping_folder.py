"""The folder in which a console by itself keeps its mappings, a file each."""

from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from intempt_core.errors import MappingError
from intempt_core.mapping.saved import SavedMapping, read_mapping_file
from intempt_core.mapping.whole_file import replace_file

_PLAIN_NAME_LENGTH = 60
_DEVICE_NAMES = {"con", "prn", "aux", "nul"} | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
"""Names that Windows has for devices, whatever their suffix."""


class MappingFolder:
    """The mappings of one folder; see :class:`~intempt_core.mapping.MappingDocuments`.

    Two processes may share it: a file is there whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_all(self) -> tuple[list[SavedMapping], list[str]]:
        """Every mapping that can be read, and a sentence for each file that is none."""
        files, problems = self._read_files()
        return list(files.values()), problems

    def write(self, saved: SavedMapping) -> None:
        """Keep a mapping under its name. Raises :class:`MappingError` where it cannot be written."""
        try:
            with replace_file(self._path_of(saved.name)) as part:
                part.write_text(saved.to_json(), "utf-8")
            self._remove_files(saved.name, keep=self._path_of(saved.name))
        except OSError as error:
            raise MappingError(
                f"The mapping could not be saved in {self.folder}: {error.strerror or error}. "
                "Free some space there, or see that the folder may be written."
            ) from error

    def delete(self, name: str) -> None:
        """Delete a mapping. Raises :class:`MappingError` where that cannot be written."""
        try:
            self._remove_files(name)
        except OSError as error:
            raise MappingError(f"“{name}” could not be deleted: {error.strerror or error}.") from error

    def _remove_files(self, name: str, keep: Path | None = None) -> None:
        """Remove the files of a name: an earlier version may have given it another one, or a person copied it."""
        for file, saved in self._read_files()[0].items():
            if saved.name == name and file != keep:
                file.unlink(missing_ok=True)

    def _path_of(self, name: str) -> Path:
        """The file of a name; one that not every system takes for a file gets a digest of the name."""
        plain = quote(name, safe=" ").replace(".", "%2E")
        if plain != name or plain in _DEVICE_NAMES or name != name.lower() or len(name) > _PLAIN_NAME_LENGTH:
            plain = f"{plain[:_PLAIN_NAME_LENGTH]}-{blake2b(name.encode(), digest_size=8).hexdigest()}"
        return self.folder / f"{plain}.json"

    def _read_files(self) -> tuple[dict[Path, SavedMapping], list[str]]:
        found, problems = {}, []
        try:
            files = sorted(self.folder.glob("*.json"))
        except OSError:
            files = []
        for file in files:
            try:
                found[file] = read_mapping_file(file)
            except MappingError as error:
                problems.append(str(error))
        return found, problems
