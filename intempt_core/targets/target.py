"""Targets: where events are sent, and what describes it.

A target is described in ``.streamlit/secrets.toml`` or in the environment, field by field; where both name a field,
the environment wins::

    [targets.shop]                      CONSOLE_TARGET_SHOP_HOST=api.intempt.com
    host = "api.intempt.com"            CONSOLE_TARGET_SHOP_KEY=…
    org = "acme"                        CONSOLE_TARGET_SHOP_FEEDS=recently-viewed=123,recently-purchased=124
    project = "shop"
    source = "1481727395731910656"      # an id is text (CONTRACT 1.2)
    key = "…"                           # CONTRACT 1.5
    production = true                   # unless said: yes, but for this machine and the vendor's staging
    deduplicates = false                # unless said: no (CONTRACT 3.7)
    feeds = { recently-viewed = "123" } # our feed → its id there (CONTRACT 5.1)
    requests_per_second = 20            # no more; unless said: what the settings say
    requests_in_flight = 4              # no more; unless said: what the settings say
    webhook = "https://hooks.example/x" # is told when a batch ended, stopped or was paused
    webhook_secret = "SHOP_WEBHOOK"     # the environment variable of the secret that signs it

Further targets are added on a screen and stored (``stored``); a name that is described here counts before theirs.

A description that cannot be used becomes a sentence, and leaves the other targets usable. No sentence repeats a given
value: a key that was pasted into the wrong field would be in it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from intempt_core.contract import FEED_TITLES
from intempt_core.errors import CredentialError, TargetError, TargetIncomplete, TargetNotFound
from intempt_core.settings import KEY_VARIABLE
from intempt_core.targets.allowed_hosts import AllowedHosts
from intempt_core.targets.credential import Credential
from intempt_core.targets.parsing import FIELD_PARSERS, TRACK_PATH, encode_segment, is_production
from intempt_core.targets.stored import STORED, StoredTarget, find_target_faults, normalize_target_name
from intempt_core.targets.webhook import WEBHOOK_SECRET_MEANING

SANDBOX = "sandbox"
"""The name of the target that needs no description; no other may have it."""

TARGET_VARIABLE_PREFIX = "CONSOLE_TARGET_"
"""How a variable begins that describes a target; the name follows, then ``_HOST``, ``_ORG``, …"""

REQUIRED_FIELDS = ("host", "org", "project", "source")
"""The fields that a description must have."""

TARGET_FIELDS = (
    *REQUIRED_FIELDS,
    "key",
    "production",
    "deduplicates",
    "feeds",
    "requests_per_second",
    "requests_in_flight",
    "webhook",
    "webhook_secret",
)
"""The fields that a description may have."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where events are sent, and what the server there promises.

    Attributes:
        name: The name under which it is described.
        base: The URL before ``/v1``, without a trailing slash.
        org: The organisation, as plain text; percent-encoded only in URLs (CONTRACT 1.2), as are the next two.
        project: The project.
        source: The source.
        credential: The key; without one nothing can be sent.
        origin: What describes it: ``sandbox``, ``secrets.toml``, ``environment``, ``console`` (its own store),
            ``typed`` or ``command line``.
        credential_reference: Where the key is kept, never what it is.
        deduplicates: Whether it ignores an event whose id it has (CONTRACT 3.7).
        production: Whether its data is a shop's own, so that sending asks once more.
        feeds: The console's name of a feed → the feed's id there, as plain text.
        requests_per_second: The most requests in a second; 0 for what the settings say.
        requests_in_flight: The most requests whose response is still to come; 0 for what the settings say.
        webhook: The URL that is told when a batch ended, stopped or was paused; empty where none is.
        webhook_secret: The environment variable of the secret that signs it.
    """

    name: str
    base: str
    org: str
    project: str
    source: str
    credential: Credential | None = field(repr=False)
    origin: str
    credential_reference: str
    deduplicates: bool = False
    production: bool = True
    feeds: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    requests_per_second: float = 0.0
    requests_in_flight: int = 0
    webhook: str = field(default="", repr=False)
    webhook_secret: str = ""

    @property
    def title(self) -> str:
        """The name as screens show it."""
        return "Sandbox" if self.name == SANDBOX else self.name

    @property
    def host(self) -> str:
        """Host, with its port where one is given."""
        return urlsplit(self.base).netloc

    @property
    def webhook_host(self) -> str:
        """The host of its webhook, which is all of it that is shown; empty where it has none."""
        return urlsplit(self.webhook).netloc

    @property
    def track_url(self) -> str:
        """The URL to which events are posted (CONTRACT 1.1)."""
        return f"{self._project_url}/sources/{encode_segment(self.source)}/track"

    def feed_url(self, feed: str) -> str:
        """The URL of a feed (CONTRACT 5.1); :class:`TargetIncomplete` where the feed's id there is not known."""
        if feed not in self.feeds:
            title = FEED_TITLES.get(feed, "this feed")
            raise TargetIncomplete(
                f"{self.title} has no feed id for {title}. Add it to the target's description, below feeds."
            )
        return f"{self._project_url}/feeds/{encode_segment(self.feeds[feed])}/data"

    @property
    def default_policy(self) -> str:
        """What a lane does after an unknown outcome, unless a person chooses: ``resend`` or ``stop`` (CONTRACT 3.7)."""
        return "resend" if self.deduplicates else "stop"

    def with_key(self, text: str) -> "Target":
        """This target with a key that was typed for one session; :class:`CredentialError` where it is none."""
        return _attach_credential(self, Credential.parse(text), "typed for this session")

    @property
    def _project_url(self) -> str:
        return f"{self.base}/v1/{encode_segment(self.org)}/projects/{encode_segment(self.project)}"


def sandbox_target(base: str) -> Target:
    """The target of a sandbox served below ``base`` (``http://127.0.0.1:8501/sandbox``); its key is no secret."""
    return Target(
        name=SANDBOX,
        base=base.rstrip("/"),
        org="sandbox",
        project="sandbox",
        source="1001",
        credential=Credential("sandbox", "sandbox"),
        origin="sandbox",
        credential_reference="built in",
        deduplicates=True,  # CONTRACT 3.7
        production=False,
        feeds=MappingProxyType({str(feed): str(feed) for feed in FEED_TITLES}),
    )


def check_same_sandbox(target: Target, base: str) -> None:
    """Raise :class:`TargetNotFound` where a target is a sandbox, and another one than that with this ``base``.

    Of processes that share a database each could serve its own: what is recorded for one is sent to no other.
    """
    if target.origin == SANDBOX and target.base != base:
        raise TargetNotFound(
            f"This batch goes to the sandbox at {base}, and this process knows the one at {target.base}. Set"
            " CONSOLE_SANDBOX to the address of one, the same for every console and worker."
        )


def describe_missing_key(target: Target) -> str:
    """Why a target without a key has none, and what to do, as sentences."""
    if target.origin != STORED:
        return f"The key of target {target.name} is missing or has the wrong form (prefix.secret)."
    if target.credential_reference.startswith("$"):
        return (
            f"The key of target {target.name} is read from {target.credential_reference}, which is not set here or has"
            " the wrong form (prefix.secret). Set it and start again."
        )
    return (
        f"The key of target {target.name} is typed on the Targets screen for a session, and is not here. Type it there,"
        " or name an environment variable for it."
    )


def derive_target_key(target: Target) -> str:
    """Derive the key under which history and catalogues are kept: one for a place, whatever its target's name."""
    return SANDBOX if target.origin == SANDBOX else target.track_url


class TargetRegistry:
    """All targets of this console, and what is wrong with descriptions that cannot be used.

    Attributes:
        all: The sandbox first, then the others by name.
        problems: Sentences, each with the table or the variable that it is about.
        stored_problems: Of targets of the console's store that cannot be used: name → why, as a sentence.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        problems: Iterable[str] = (),
        stored_problems: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.all = tuple(targets)
        self.problems = tuple(problems)
        self.stored_problems = stored_problems

    @classmethod
    def from_sources(
        cls, secrets: Mapping[str, Any], environment: Mapping[str, str], sandbox_base: str
    ) -> "TargetRegistry":
        """The targets of a ``secrets.toml`` (as read) and an environment, and the sandbox."""
        problems: list[str] = []
        descriptions: dict[str, _TargetDescription] = {}
        _collect_from_secrets(secrets, descriptions, problems)
        _collect_from_environment(environment, descriptions, problems)
        found = []
        for description in sorted(descriptions.values(), key=lambda description: description.name.casefold()):
            target, sentences = _build_target(description)
            if "key" not in description.fields:
                sentences.append("key is missing; until one is typed, nothing can be sent there.")
            if "webhook" in description.fields and "webhook_secret" not in description.fields:
                sentences.append(f"webhook_secret is missing, so the webhook is told nothing. {WEBHOOK_SECRET_MEANING}")
            problems += [f"Target {description.name}: {sentence}" for sentence in sentences]
            found += [target] if target else []
        return cls([sandbox_target(sandbox_base), *found], problems)

    def with_stored(
        self, stored: Iterable[StoredTarget], environment: Mapping[str, str], allowed: AllowedHosts
    ) -> "TargetRegistry":
        """These targets and those of the console's store, whose keys are in the environment; a name of these counts."""
        above = {normalize_target_name(target.name): target for target in self.all}
        found, problems = [], dict[str, str]()
        for one in stored:
            if (other := above.get(normalize_target_name(one.name))) is not None:
                where = {SANDBOX: "It is the built-in sandbox's", "environment": "The environment describes one of it"}
                taken = where.get(other.origin, f"{other.origin} describes one of it")
                problems[one.name] = f"This name is taken. {taken}, and that one counts. Rename this one or delete it."
                continue
            faults = find_target_faults(one, allowed)
            target = None if faults else build_stored_target(one, environment)
            if target is None:
                problems[one.name] = " ".join(f"{name}: {sentence}" for name, sentence in faults.items())
            else:
                found.append(target)
        found.sort(key=lambda target: target.name.casefold())
        return TargetRegistry([*self.all, *found], self.problems, problems)

    def get(self, name: str) -> Target:
        """The target of that name, else :class:`TargetNotFound`. Case makes no difference, nor ``-`` or ``_``."""
        for target in self.all:
            if normalize_target_name(target.name) == normalize_target_name(name):
                return target
        for target in self.all:
            name = target.credential.mask_text(name) if target.credential else name
        known = ", ".join(target.name for target in self.all)
        stored = (f"Target {target}: {problem}" for target, problem in self.stored_problems.items())
        faults = "".join(f" {problem}" for problem in (*self.problems, *stored))
        raise TargetNotFound(f"There is no target “{name[:100]}” that can be used. There is: {known}.{faults}")


def build_stored_target(stored: StoredTarget, environment: Mapping[str, str]) -> Target | None:
    """The target of a stored description without faults, with the key of its variable where that has one."""
    fields = {name: _FieldValue(value, name) for name, value in stored.list_fields().items()}
    target, _ = _build_target(_TargetDescription(stored.name, STORED, fields))
    if target is None or not stored.key_variable:
        return target
    try:
        credential = Credential.parse(environment.get(stored.key_variable, ""))
        return _attach_credential(target, credential, f"${stored.key_variable}")
    except CredentialError:
        return replace(target, credential_reference=f"${stored.key_variable}")


def read_secrets_file(file: Path) -> Mapping[str, Any]:
    """Read ``.streamlit/secrets.toml``; an absent file is an empty one. Raises :class:`TargetError`."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):  # the error's own message could repeat a key
        raise TargetError(f"{file} cannot be read as TOML, so no target in it is known.") from None


def parse_track_url(url: str, environment: Mapping[str, str]) -> Target:
    """Parse a full track URL (CONTRACT 1.1, any prefix before ``/v1``) into a target; :data:`KEY_VARIABLE` has its key.

    A key in the URL itself (``?apiKey=``) is rejected although the API takes it: it would be in every log (CONTRACT
    1.5). Raises :class:`TargetIncomplete` for any other URL, :class:`CredentialError` where there is no usable key.
    """
    form = "It takes the form https://HOST/v1/ORG/projects/PROJECT/sources/SOURCE/track."
    address, mark, query = url.strip().partition("?")
    if "apikey=" in query.casefold():
        raise TargetIncomplete(
            f"The URL holds a key, and a URL is written down in many places. Leave ?apiKey= out and put the key into "
            f"${KEY_VARIABLE}; if the URL was shared, change the key."
        )
    if mark:
        raise TargetIncomplete(f"The track URL has a question mark; it takes no query. {form}")
    match = re.match(r"(?P<site>https?://[^/]+)(?P<path>/.*)\Z", address, re.DOTALL | re.IGNORECASE)
    parts = TRACK_PATH.fullmatch(match["path"]) if match else None
    if not match or not parts:
        raise TargetIncomplete(f"This is no track URL. {form}")
    try:
        org, project, source = (unquote(part, errors="strict") for part in parts.groups()[1:])
    except UnicodeDecodeError:
        raise TargetIncomplete("The track URL has percent-encoded bytes that are no UTF-8.") from None
    given = {"host": match["site"] + parts["prefix"], "org": org, "project": project, "source": source}
    fields = {field: _FieldValue(value, f"The URL's {field}") for field, value in given.items()}
    target, problems = _build_target(_TargetDescription("url", "command line", fields))
    if problems or not target:
        raise TargetIncomplete(" ".join(problems))
    key = environment.get(KEY_VARIABLE, "")
    if not key.strip():
        raise CredentialError(f"${KEY_VARIABLE} is not set. A target given as a URL takes its key from there.")
    try:
        return _attach_credential(replace(target, name=target.host), Credential.parse(key), f"${KEY_VARIABLE}")
    except CredentialError as error:
        raise CredentialError(f"${KEY_VARIABLE}: {error}") from None


# ── descriptions ─────────────────────────────────────────────────────────────────────────────────────────────────────

_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _FieldValue:
    value: Any  # what TOML, the environment or a form gave
    where: str


@dataclass(frozen=True, slots=True)
class _TargetDescription:
    name: str
    origin: str
    fields: dict[str, _FieldValue]


def _collect_from_secrets(secrets: Mapping[str, Any], into: dict[str, _TargetDescription], problems: list[str]) -> None:
    tables = secrets.get("targets", {})
    if not isinstance(tables, Mapping):
        problems.append("secrets.toml: targets is no table. A target is described below [targets.NAME].")
        return
    for name, table in tables.items():
        where = f"secrets.toml, [targets.{name}]"
        if not _NAME_PATTERN.fullmatch(name):
            problems.append("secrets.toml: a target's name takes letters, digits, - and _ only.")
        elif normalize_target_name(name) == SANDBOX:
            problems.append(f"{where}: this name is the built-in sandbox's. Choose another.")
        elif not isinstance(table, Mapping):
            problems.append(f"secrets.toml: targets.{name} is no table. A target is described below [targets.NAME].")
        elif normalize_target_name(name) in into:
            other = into[normalize_target_name(name)].name
            problems.append(f"{where}: this is the same name as {other}; the first one counts.")
        else:
            unknown = [key for key in table if key not in TARGET_FIELDS]
            if unknown:
                problems.append(f"{where}: {len(unknown)} of its keys not known. It takes {', '.join(TARGET_FIELDS)}.")
            given = {
                key: _FieldValue(table[key], f"secrets.toml: targets.{name}.{key}")
                for key in TARGET_FIELDS
                if key in table
            }
            into[normalize_target_name(name)] = _TargetDescription(name, "secrets.toml", given)


def _collect_from_environment(
    environment: Mapping[str, str], into: dict[str, _TargetDescription], problems: list[str]
) -> None:
    for variable in sorted(environment):
        value = environment[variable].strip()
        if not variable.startswith(TARGET_VARIABLE_PREFIX) or not value:
            continue
        rest = variable.removeprefix(TARGET_VARIABLE_PREFIX)
        ending = next((field for field in TARGET_FIELDS if rest.endswith(f"_{field.upper()}")), "")
        name = rest.removesuffix(f"_{ending.upper()}")
        if not ending or not _NAME_PATTERN.fullmatch(name):
            endings = ", ".join(f"_{field.upper()}" for field in TARGET_FIELDS)
            problems.append(f"{variable}: not known. It takes {TARGET_VARIABLE_PREFIX}NAME and one of {endings}.")
        elif normalize_target_name(name) == SANDBOX:
            problems.append(f"{variable}: this name is the built-in sandbox's. Choose another.")
        else:
            shown = name.lower().replace("_", "-")
            description = into.setdefault(normalize_target_name(name), _TargetDescription(shown, "environment", {}))
            description.fields[ending] = _FieldValue(value, f"${variable}")


def _build_target(description: _TargetDescription) -> tuple[Target | None, list[str]]:
    """The described target, ``None`` where it cannot be used at all, and what is wrong with its description."""
    given = description.fields
    problems = [f"{name} is missing." for name in REQUIRED_FIELDS if name not in given]
    values: dict[str, Any] = {}
    for name, read in FIELD_PARSERS.items():
        try:
            if name in given:
                values[name] = read(given[name].value)
        except (TargetIncomplete, CredentialError) as error:
            problems.append(f"{given[name].where}: {error}")
    credential = values.pop("key", None)
    if len(values) < len({*REQUIRED_FIELDS, *given} - {"key"}):
        return None, problems  # a wrong key alone leaves a target to which one may be typed
    base = values.pop("host")
    values.setdefault("production", is_production(base))
    target = Target(
        description.name, base, credential=None, origin=description.origin, credential_reference="none", **values
    )
    try:
        return (_attach_credential(target, credential, given["key"].where) if credential else target), problems
    except CredentialError as error:
        return None, [*problems, str(error)]


def _attach_credential(target: Target, credential: Credential, reference: str) -> Target:
    shown = (target.name, target.base, target.org, target.project, target.source, *target.feeds.values())
    shown += (target.webhook, target.webhook_secret)
    if any(credential.is_in(text) or credential.is_in(unquote(text)) for text in shown):
        raise CredentialError("The key is in another field too, where it would be shown. Remove it there.")
    return replace(target, credential=credential, credential_reference=reference)
