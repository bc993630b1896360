"""The state of the Targets screen: the form that is open, what is wrong with it, the answers of connection tests.

::

    cards ──add, edit──▶ form ──save──▶ cards
                          │  ▲
                          └──┴── a fault at its field: nothing is stored
"""

import asyncio
from dataclasses import dataclass, field, replace

from intempt_core.contract import FEED_TITLES, now_ms
from intempt_core.errors import ConsoleError, CredentialError
from intempt_core.targets import (
    KEY_VARIABLE_FIELD,
    StoredTarget,
    Target,
    build_stored_target,
    derive_target_key,
    normalize_target_name,
)
from intempt_core.transport import ConnectionTest, check_connection, open_client
from pages.parts.shared.header import PRODUCTION_LABEL, TEST_LABEL
from pages.parts.shared.screen_state import get_screen_state, get_session, make_key, read_widget, set_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import forget_typed_key, keep_typed_key, list_targets

ENVIRONMENTS = (PRODUCTION_LABEL, TEST_LABEL)
"""The choices of a target's environment; the first is preset, since it asks once more before it sends."""

COUNTED, IGNORED = "counted twice", "ignored"
DUPLICATES = (COUNTED, IGNORED)
"""The choices of what a target does with an event id that it already has; the first is preset."""

TEXT_FIELDS = (
    "name",
    "host",
    "org",
    "project",
    "source",
    KEY_VARIABLE_FIELD,
    "requests_per_second",
    "requests_in_flight",
    "webhook",
    "webhook_secret",
)
"""The fields that are typed, but for the feeds and the key."""

KEY_FIELD = "key"
"""The field of the key that is typed for the session."""


@dataclass(frozen=True, slots=True)
class ConnectionAnswer:
    """What came of a connection test.

    Attributes:
        test: The answer.
        asked_at: When it was asked, in epoch milliseconds.
        place: Where the target led then.
    """

    test: ConnectionTest
    asked_at: int
    place: str


@dataclass
class TargetsState:
    """The Targets screen of one tab.

    Attributes:
        editing: The name of the target in the form, empty where one is added; ``None`` while no form is open.
        faults: What is wrong in the form, by field.
        trouble: Why nothing was stored or deleted, where no field is to blame.
        deleting: The name of the target that is about to be deleted; empty while none is.
        done: What was done last, as a sentence.
        key_faults: What is wrong with a key that was typed on a card, by the target's name.
        keys_typed: How often a key was typed.
        answers: The answers of connection tests, by the target's name.
    """

    editing: str | None = None
    faults: dict[str, str] = field(default_factory=dict)
    trouble: str = ""
    deleting: str = ""
    done: str = ""
    key_faults: dict[str, str] = field(default_factory=dict)
    keys_typed: int = 0
    answers: dict[str, ConnectionAnswer] = field(default_factory=dict)

    @property
    def is_adding(self) -> bool:
        """Whether the form of a new target is open."""
        return self.editing == ""


def get_targets_state() -> TargetsState:
    """The state of the screen in this tab."""
    return get_screen_state(TargetsState)


def make_field_key(name: str) -> str:
    """The key of the widget of a field of the form."""
    return make_key("target-form", name.replace(".", "-"))


def make_secret_key(place: str = "target-form") -> str:
    """The widget of a typed key: another one after each use.

    A field that is only set to an empty text keeps in the browser what was typed, or filled in by a password manager,
    where the browser has not told the server of it, or the server's text is the same as before.
    """
    return make_key(place, "secret", get_targets_state().keys_typed)


# ── the form ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_form(name: str = "") -> None:
    """Open the form: of a new target, or of the stored one of a name."""
    found = get_targets_state()
    stored = get_services().known_targets.find_stored(name) if name else None
    found.editing, found.faults, found.trouble, found.done, found.deleting = name, {}, "", "", ""
    for one in TEXT_FIELDS:
        set_widget(make_field_key(one), getattr(stored, one) if stored else "")
    for feed in FEED_TITLES:
        set_widget(make_field_key(f"feeds.{feed}"), stored.feeds.get(feed, "") if stored else "")
    set_widget(make_field_key("production"), PRODUCTION_LABEL if stored is None or stored.production else TEST_LABEL)
    set_widget(make_field_key("deduplicates"), IGNORED if stored and stored.deduplicates else COUNTED)
    found.keys_typed += 1


def close_form() -> None:
    """Close the form; nothing of it is kept."""
    found = get_targets_state()
    found.editing, found.faults, found.trouble = None, {}, ""
    found.keys_typed += 1


def save_form() -> None:
    """Store the target of the form, or keep what is wrong with it at its field. The key's field is always cleared."""
    found = get_targets_state()
    key = (read_widget(make_secret_key(), "") or "").strip()
    set_widget(make_secret_key(), "")
    found.keys_typed += 1
    former = found.editing or ""
    given = _read_form()
    found.trouble, found.done = "", ""
    try:
        found.faults = dict(get_services().known_targets.find_faults(given, replaces=former))
        if not found.faults and key and (fault := _find_key_fault(given, key)):
            found.faults = {KEY_FIELD: fault}
        if found.faults:
            return
        get_services().known_targets.save(given, replaces=former)
    except ConsoleError as error:
        found.trouble = str(error)
        return
    _take_over_key(former, given.name, key)
    found.editing, found.done = None, f"{given.name} is saved."
    get_session().next_target = given.name


def _read_form() -> StoredTarget:
    texts = {one: (read_widget(make_field_key(one), "") or "").strip() for one in TEXT_FIELDS}
    feeds = {feed: (read_widget(make_field_key(f"feeds.{feed}"), "") or "").strip() for feed in FEED_TITLES}
    return StoredTarget(
        **texts,
        production=read_widget(make_field_key("production")) != TEST_LABEL,
        deduplicates=read_widget(make_field_key("deduplicates")) == IGNORED,
        feeds={feed: there for feed, there in feeds.items() if there},
    )


def _find_key_fault(given: StoredTarget, key: str) -> str:
    """What is wrong with a typed key, also where it is in another field too, which would be stored."""
    target = build_stored_target(given, {})
    try:
        if target is not None:
            target.with_key(key)
    except CredentialError as error:
        return str(error)
    return ""


def _take_over_key(former: str, name: str, key: str) -> None:
    """Give a saved target the key that was typed with it, or the one that it had before under its former name."""
    typed = get_session().typed_targets
    before = typed.pop(former, None) if former else None
    target = get_services().targets.get(name)
    if target is None:
        return
    if key:
        keep_typed_key(target, key)
    elif before is not None and derive_target_key(before) == derive_target_key(target):
        typed[name] = replace(target, credential=before.credential, credential_reference=before.credential_reference)


# ── cards ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def use_typed_key(name: str) -> None:
    """Use the key that was typed on a target's card, for this tab. Its field is always cleared."""
    found = get_targets_state()
    place = make_key("target-key", name)
    key = read_widget(make_secret_key(place), "") or ""
    set_widget(make_secret_key(place), "")
    found.keys_typed += 1
    found.key_faults.pop(name, None)
    target = get_services().targets.get(name)
    if target is None:
        return
    try:
        keep_typed_key(target, key)
    except CredentialError as error:
        found.key_faults[name] = str(error)


def ask_to_delete(name: str) -> None:
    """Ask whether a target is to be deleted; an empty name takes the question back."""
    found = get_targets_state()
    found.deleting, found.trouble, found.done = name, "", ""


def delete_target(name: str) -> None:
    """Delete a stored target."""
    found = get_targets_state()
    found.deleting = ""
    try:
        get_services().known_targets.delete(name)
    except ConsoleError as error:
        found.trouble = str(error)
        return
    forget_typed_key(name)
    found.answers.pop(name, None)
    found.done = f"{name} is deleted. What was sent to it stays in History."
    if found.editing and normalize_target_name(found.editing) == normalize_target_name(name):
        close_form()


def ask_target(name: str) -> None:
    """Test the connection to a target, without sending an event, and keep the answer."""
    target = list_targets().get(name)
    if target is not None:
        answer = ConnectionAnswer(_test_connection(target), now_ms(), derive_target_key(target))
        get_targets_state().answers[name] = answer


def find_answer(target: Target) -> ConnectionAnswer | None:
    """The answer of the last connection test, unless the target leads elsewhere by now."""
    found = get_targets_state().answers.get(target.name)
    return found if found is not None and found.place == derive_target_key(target) else None


def _test_connection(target: Target) -> ConnectionTest:
    async def check() -> ConnectionTest:
        async with open_client(get_services().settings) as client:
            return await check_connection(client, target)

    return asyncio.run(check())
