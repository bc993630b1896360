"""The team's rules that several consoles go by, kept in the database that they share."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from intempt_core.validation import TeamRules, parse_kept_rules, write_kept_rules

if TYPE_CHECKING:
    from intempt_core.history.history import History

_KEY = "team-rules"


class SharedRules:
    """The rules of one database; see :class:`~intempt_core.validation.RulesStore`."""

    def __init__(self, open_history: "Callable[[], History]") -> None:
        self._open_history = open_history

    def get(self) -> TeamRules | None:
        """The rules; ``None`` where there are none. Raises :class:`~intempt_core.errors.RulesError`."""
        found = self._open_history().team_rules.read(_KEY)
        return None if found is None else parse_kept_rules(found[1], f"“{found[0]}”")

    def save(self, rules: TeamRules) -> None:
        """Go by these rules in the place of others."""
        self._open_history().team_rules.write(_KEY, rules.name, write_kept_rules(rules), replaces=_KEY, most=1)

    def remove(self) -> None:
        """Go by no rules."""
        self._open_history().team_rules.delete(_KEY)
