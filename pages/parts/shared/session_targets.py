"""The targets of this tab: those that the console knows, with the keys that were typed here, and the selected one."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

import streamlit as st

from intempt_core.errors import TargetNotFound
from intempt_core.history import BatchSummary
from intempt_core.targets import STORED, Target, derive_target_key
from pages.parts.shared.screen_state import TARGET_WIDGET, get_session
from pages.parts.shared.services import get_services


def list_targets() -> Mapping[str, Target]:
    """The targets that this tab can send to, by name, the sandbox first; stored ones with the keys typed here."""
    known = get_services().targets
    return {**known, **_list_typed(known)}


def _list_typed(known: Mapping[str, Target]) -> dict[str, Target]:
    """The targets with keys that were typed here. A stored one that leads elsewhere by now asks for its key again."""
    found = {}
    for name, typed in get_session().typed_targets.items():
        now = known.get(name)
        if typed.origin != STORED:
            found[name] = typed
        elif now is not None and now.credential is None and derive_target_key(now) == derive_target_key(typed):
            found[name] = replace(now, credential=typed.credential, credential_reference=typed.credential_reference)
    return found


def keep_typed_key(target: Target, key: str) -> None:
    """Keep a key that was typed for a target, in this tab, and where the engine finds it.

    Raises :class:`~intempt_core.errors.CredentialError` where it is none.
    """
    typed = replace(target.with_key(key), credential_reference=f"typed for a session ({uuid4().hex[:8]})")
    get_session().typed_targets[target.name] = typed
    get_services().typed_targets[typed.credential_reference] = typed


def forget_typed_key(name: str) -> None:
    """Forget the key that was typed in this tab; what was confirmed with it is still sent."""
    get_session().typed_targets.pop(name, None)


def get_selected_target() -> Target:
    """The target that is selected in the header; :class:`TargetNotFound` where it was deleted meanwhile."""
    name = st.session_state[TARGET_WIDGET]
    found = list_targets().get(name)
    if found is None:
        raise TargetNotFound(f"Target {name} was deleted meanwhile. Choose another one.")
    return found


def find_batch_target(batch: BatchSummary) -> Target | None:
    """The target that a batch went to, if its feeds can still be read; a key typed in another tab is not lent.

    A stored target is the same one whichever key was typed for it, as long as it leads to the same place.
    """
    found = list_targets().get(batch.target.name)
    if found is None:
        return None
    is_same_place = found.origin == STORED and derive_target_key(found) == batch.target.key
    return found if is_same_place or found.credential_reference == batch.target.credential_reference else None
