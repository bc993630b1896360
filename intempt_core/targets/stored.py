"""Targets that are added on the screen: a description in the console's own store, never with a key.

Its key is in an environment variable that it names, or is typed for a session. A description of the environment or of
``secrets.toml`` with the same name counts in its place.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Protocol

from intempt_core.contract import Json, dump_json, is_blank
from intempt_core.errors import CredentialError, TargetIncomplete
from intempt_core.targets.allowed_hosts import AllowedHosts
from intempt_core.targets.parsing import FIELD_PARSERS
from intempt_core.targets.webhook import WEBHOOK_SECRET_MEANING

STORED = "console"
"""The ``origin`` of a target that was added on the screen."""

MAX_STORED_TARGETS = 200
"""Targets that are kept at once."""

TARGET_NAME_LENGTH = 60
"""Characters of a stored target's name."""

KEY_VARIABLE_FIELD = "key_variable"
"""The field of the environment variable that has the key."""

_NAME = re.compile(r"[^\W_](?:[\w .-]*[\w.-])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_TEXT_LENGTH = 500
_LEADING = MappingProxyType({"host": "Targets", "webhook": "Webhooks"})
"""The fields that lead to a host, and what a sentence calls them."""

_OPTIONAL = ("production", "deduplicates", "requests_per_second", "requests_in_flight", "webhook", "webhook_secret")


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """The description of a target as it is stored; its fields are texts as they were typed.

    Attributes:
        name: Its name.
        host: Host, host and port, or the URL before ``/v1``.
        org: The organisation.
        project: The project.
        source: The id of the source.
        key_variable: The environment variable that has the key; empty where it is typed for a session.
        production: Whether its data is a shop's own.
        deduplicates: Whether it ignores an event whose id it has (CONTRACT 3.7).
        feeds: The console's name of a feed → the feed's id there.
        requests_per_second: The most requests in a second; empty for what the settings say.
        requests_in_flight: The most requests in flight; empty for what the settings say.
        webhook: The URL that is told when a batch ended, stopped or was paused; empty where none is.
        webhook_secret: The environment variable of the secret that signs it.
    """

    name: str
    host: str
    org: str
    project: str
    source: str
    key_variable: str = ""
    production: bool = True
    deduplicates: bool = False
    feeds: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    requests_per_second: str = ""
    requests_in_flight: str = ""
    webhook: str = ""
    webhook_secret: str = ""

    def list_fields(self) -> dict[str, Any]:
        """What its description says, field by field, for the parsers that every description goes through."""
        required = {name: getattr(self, name) for name in ("host", "org", "project", "source", "feeds")}
        return required | {name: value for name in _OPTIONAL if (value := getattr(self, name)) != ""}

    def to_json(self) -> str:
        """Its document in the store."""
        return dump_json({one.name: _plain(getattr(self, one.name)) for one in fields(self)}).decode()

    @classmethod
    def from_json(cls, document: Mapping[str, Json]) -> "StoredTarget":
        """The description of a document; keys that it does not know are a later version's and are passed over."""
        known = {one.name for one in fields(cls)}
        return cls(**{key: value for key, value in document.items() if key in known})


class TargetStore(Protocol):
    """The stored targets. Names that differ in letter case, or in ``-``, ``_`` and spaces, are the same."""

    def all(self) -> list[StoredTarget]:
        """Every stored target, by name."""

    def save(self, target: StoredTarget, *, replaces: str = "") -> None:
        """Keep a target under its name; ``replaces`` is the name of the one whose place it takes.

        Raises :class:`~intempt_core.errors.TargetIncomplete` where another one has the name, or there are too many.
        """

    def delete(self, name: str) -> None:
        """Delete a target; one that is not there is no error."""


def normalize_target_name(name: str) -> str:
    """What is the same for names that are the same: letter case makes no difference, nor ``-``, ``_`` or a space."""
    return re.sub(r"[-_\s]+", "_", name.strip().casefold())


def find_target_faults(
    target: StoredTarget, allowed: AllowedHosts, taken: Collection[str] = (), sandbox: str = "sandbox"
) -> dict[str, str]:
    """What is wrong with a description, by field (``feeds.recently-viewed`` of a feed); empty where nothing is.

    ``taken`` are the names of other targets. No sentence repeats a value: it could be a key in the wrong field.
    """
    faults: dict[str, str] = {}
    if sentence := _find_name_fault(target.name, taken, sandbox):
        faults["name"] = sentence
    for name, value in target.list_fields().items():
        if name == "feeds":
            continue
        try:
            parsed = _parse_field(name, value)
            if name in _LEADING:
                allowed.check(parsed, _LEADING[name])
        except TargetIncomplete as error:
            faults[name] = str(error)
    for feed, value in target.feeds.items():
        try:
            FIELD_PARSERS["feeds"]({feed: value})
        except TargetIncomplete as error:
            faults[f"feeds.{feed}"] = str(error)
    if sentence := _find_variable_fault(target.key_variable):
        faults[KEY_VARIABLE_FIELD] = sentence
    if sentence := _find_secret_fault(target):
        faults.setdefault("webhook_secret", sentence)
    return faults


def _parse_field(name: str, value: Any) -> Any:
    if isinstance(value, str) and len(value) > _MAX_TEXT_LENGTH:
        raise TargetIncomplete(f"This is longer than {_MAX_TEXT_LENGTH} characters.")
    try:
        return FIELD_PARSERS[name](value)
    except CredentialError as error:  # of the key, which is no field of a stored target
        raise TargetIncomplete(str(error)) from None


def _find_name_fault(name: str, taken: Collection[str], sandbox: str) -> str:
    if is_blank(name):
        return "This is empty. Give the target a name, such as shop-eu."
    if len(name) > TARGET_NAME_LENGTH or not _NAME.fullmatch(name):
        return f"A name takes up to {TARGET_NAME_LENGTH} letters, digits, spaces and . - _, and begins with a letter."
    if normalize_target_name(name) == sandbox:
        return "This name is the built-in sandbox's. Choose another."
    if normalize_target_name(name) in map(normalize_target_name, taken):
        return "Another target has this name. Choose another."
    return ""


def _find_secret_fault(target: StoredTarget) -> str:
    if target.webhook and not target.webhook_secret:
        return f"This is missing. {WEBHOOK_SECRET_MEANING}"
    return _find_variable_fault(target.webhook_secret)


def _find_variable_fault(variable: str) -> str:
    if not variable:
        return ""
    if "." in variable:
        return "This is no name of a variable; if it is a key, choose to type it for the session."
    if not _VARIABLE.fullmatch(variable) or len(variable) > _MAX_TEXT_LENGTH:
        return "The name of a variable takes letters, digits and _, such as SHOP_EU_KEY; without a $."
    if variable.upper().startswith("CONSOLE_"):
        return "Variables that begin with CONSOLE_ are the console's own settings and targets. Name another."
    return ""


def _plain(value: Any) -> Json:
    return dict(value) if isinstance(value, Mapping) else value
