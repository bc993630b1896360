"""The targets of all sources: of the environment and the secrets file, read once, and of the console's own store."""

import time
from collections.abc import Mapping, Sequence
from threading import Lock

from intempt_core.errors import HistoryError, TargetIncomplete
from intempt_core.targets.allowed_hosts import AllowedHosts
from intempt_core.targets.stored import StoredTarget, TargetStore, find_target_faults, normalize_target_name
from intempt_core.targets.target import TargetRegistry

FRESH_SECONDS = 1.0
"""How long what was read of the store is taken for current; what this process changes there is seen at once."""


class KnownTargets:
    """The targets that this process knows.

    Attributes:
        described: Those of the environment and the secrets file, and the sandbox. Their names cannot be used here.
        allowed: The hosts to which stored targets may lead.
    """

    def __init__(
        self, described: TargetRegistry, store: TargetStore, allowed: AllowedHosts, environment: Mapping[str, str]
    ) -> None:
        self.described, self.allowed = described, allowed
        self._store, self._environment = store, environment
        self._lock = Lock()
        self._read_at = float("-inf")
        self._stored: tuple[StoredTarget, ...] = ()
        self._registry = described

    @property
    def registry(self) -> TargetRegistry:
        """All targets. While the store cannot be read, those that were read of it last."""
        self._refresh()
        return self._registry

    @property
    def stored(self) -> Sequence[StoredTarget]:
        """The descriptions in the store, those that cannot be used too."""
        self._refresh()
        return self._stored

    def find_stored(self, name: str) -> StoredTarget | None:
        """The description of a name in the store."""
        wanted = normalize_target_name(name)
        return next((one for one in self.stored if normalize_target_name(one.name) == wanted), None)

    def find_faults(self, target: StoredTarget, *, replaces: str = "") -> Mapping[str, str]:
        """What is wrong, by field, with a description that is to take the place of the one called ``replaces``."""
        others = [one.name for one in self.stored if normalize_target_name(one.name) != normalize_target_name(replaces)]
        return find_target_faults(target, self.allowed, [*(one.name for one in self.described.all), *others])

    def has_key(self, variable: str) -> bool:
        """Whether a variable is set where this process runs."""
        return bool(self._environment.get(variable, "").strip())

    def save(self, target: StoredTarget, *, replaces: str = "") -> None:
        """Keep a description. Raises :class:`TargetIncomplete` and :class:`HistoryUnavailable`."""
        if faults := self.find_faults(target, replaces=replaces):
            raise TargetIncomplete(" ".join(faults.values()))
        self._store.save(target, replaces=replaces)
        self._forget()

    def delete(self, name: str) -> None:
        """Delete a description. Raises :class:`HistoryUnavailable`."""
        self._store.delete(name)
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._read_at = float("-inf")

    def _refresh(self) -> None:
        with self._lock:
            if time.monotonic() - self._read_at < FRESH_SECONDS:
                return
            self._read_at = time.monotonic()
            try:
                stored = tuple(self._store.all())
            except HistoryError:
                return  # every screen says what is wrong with history
            if stored != self._stored:
                self._stored = stored
                self._registry = self.described.with_stored(stored, self._environment, self.allowed)
