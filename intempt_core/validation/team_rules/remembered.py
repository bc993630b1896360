"""The team's rules that a console goes by, until they are replaced or removed: one file in its data folder."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from intempt_core.errors import RulesError
from intempt_core.mapping import replace_file
from intempt_core.validation.team_rules.rules_file import TeamRules


class RulesStore(Protocol):
    """What keeps the rules: a data folder, or a database that several consoles share."""

    def get(self) -> TeamRules | None:
        """The remembered rules; ``None`` where there are none. Raises :class:`RulesError` where they cannot be read."""

    def save(self, rules: TeamRules) -> None:
        """Remember rules in the place of others. Raises :class:`RulesError` where they cannot be written."""

    def remove(self) -> None:
        """Forget the rules. Raises :class:`RulesError` where that cannot be written."""


class RulesFolder:
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
        return parse_kept_rules(kept, str(self._file))

    def save(self, rules: TeamRules) -> None:
        """Remember rules in the place of others. Raises :class:`RulesError` where they cannot be written."""
        try:
            with replace_file(self._file) as part:
                part.write_text(write_kept_rules(rules), "utf-8")
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


def write_kept_rules(rules: TeamRules) -> str:
    """Rules as the document in which they are remembered."""
    return json.dumps({"name": rules.name, "text": rules.text})


@lru_cache(maxsize=8)  # a screen asks for them whenever it is drawn
def parse_kept_rules(kept: str, place: str) -> TeamRules:
    """The rules in the document of a place. Raises :class:`RulesError` where they are damaged."""
    try:
        given = json.loads(kept)
        name, text = given["name"], given["text"]
    except (ValueError, KeyError, TypeError):
        raise RulesError(f"The remembered rules {place} are damaged. Choose the file again.") from None
    return TeamRules.from_json(text, name)
