"""The team's rules that a console goes by: one file in its data folder, until it is replaced or removed."""

import json
from functools import lru_cache
from pathlib import Path

from intempt_core.errors import RulesError
from intempt_core.mapping import replace_file
from intempt_core.validation.team_rules.rules_file import TeamRules


class RulesStore:
    """The remembered rules of one data folder. Two processes may share it: a file is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "team-rules.json"

    def get(self) -> TeamRules | None:
        """The remembered rules; ``None`` where there are none. Raises :class:`RulesError` where they cannot be read."""
        try:
            kept = self._file.read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise RulesError(f"The remembered rules {self._file} cannot be read: {error}.") from error
        return _parse_kept(kept, str(self._file))

    def save(self, rules: TeamRules) -> None:
        """Remember rules in the place of others. Raises :class:`RulesError` where they cannot be written."""
        try:
            with replace_file(self._file) as part:
                part.write_text(json.dumps({"name": rules.name, "text": rules.text}), "utf-8")
        except OSError as error:
            raise RulesError(
                f"The rules could not be kept in {self._file.parent}: {error.strerror or error}. Free some space there,"
                " or see that the folder may be written."
            ) from error

    def remove(self) -> None:
        """Forget the rules. Raises :class:`RulesError` where that cannot be written."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise RulesError(f"The rules could not be removed: {error.strerror or error}.") from error


@lru_cache(maxsize=8)  # a screen asks for them whenever it is drawn
def _parse_kept(kept: str, place: str) -> TeamRules:
    try:
        given = json.loads(kept)
        name, text = given["name"], given["text"]
    except (ValueError, KeyError, TypeError):
        raise RulesError(f"The remembered rules {place} are damaged. Choose the file again.") from None
    return TeamRules.from_json(text, name)
