"""The team's own rules on every screen that checks: one file, chosen once and remembered for all."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.errors import RulesError
from intempt_core.validation import RulesStore, TeamRules, escape_invisible
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.screen_state import get_screen_state, make_key
from pages.parts.shared.services import get_services


@dataclass
class RulesChoice:
    """The choice of a file of rules in one tab.

    Attributes:
        files_chosen: How many files were chosen, for the key of the next file input.
        trouble: Why the last one cannot be used, as a sentence.
    """

    files_chosen: int = 0
    trouble: str = ""


def open_rules_store() -> RulesStore:
    """The store of this console's rules."""
    return get_services().saved.rules


def get_team_rules() -> TeamRules | None:
    """The remembered rules; ``None`` where there are none, or they cannot be read, which the choice of them says."""
    try:
        return open_rules_store().get()
    except RulesError:
        return None


def show_rules_choice(screen: str, trouble: str = "", notes: Sequence[str] = ()) -> None:
    """The file of the team's rules: which one is asked, and the ways to choose another one, or none.

    ``trouble`` is why the chosen rules do not go together with the file on the screen, which says so itself as well;
    ``notes`` are what they never ask of it.
    """
    choice, shown_there = get_screen_state(RulesChoice), bool(trouble)
    try:
        rules = open_rules_store().get()
    except RulesError as error:
        rules, trouble, shown_there = None, str(error), False
    if choice.trouble:
        trouble, shown_there = choice.trouble, False
    label = f"The team's rules: {escape_markdown(rules.name)}" if rules else "The team's rules"
    with st.popover(label, key=make_key(screen, "rules")):
        if trouble:
            st.markdown(":red-badge[■ cannot be used]")
            st.text(escape_invisible(trouble))
        st.text(
            "A file of your own rules, JSON Schema by event name (docs/rules.md). What they find is shown beside the"
            " contract's, in violet, and counted by itself."
        )
        if rules is not None:
            count = format_count(len(rules.kinds), "rule")
            st.text(f"{rules.name}: {count}. Upload, Compose and Inspect check by them.")
            for note in [*rules.notes, *notes]:
                st.text(escape_invisible(note))
            st.button("Remove these rules", key=make_key(screen, "rules-remove"), on_click=_remove_rules)
        widget = make_key(screen, "rules-file", choice.files_chosen)
        st.file_uploader(
            "Another file in their place" if rules else "A file of rules",
            ["json"],
            key=widget,
            on_change=_choose_rules,
            args=(widget,),
            max_upload_size=1,
        )
    if trouble and not shown_there:
        st.text(escape_invisible(trouble))
    if notes and not trouble:
        more = f" (and {len(notes) - 1:,} more, in “The team's rules”)" if len(notes) > 1 else ""
        st.text(escape_invisible(f"{notes[0]}{more}"))


def _choose_rules(widget: str) -> None:
    choice, file = get_screen_state(RulesChoice), st.session_state.get(widget)
    if file is None:
        return
    choice.files_chosen += 1
    try:
        text = file.getvalue().decode("utf-8-sig")
        open_rules_store().save(TeamRules.from_json(text, file.name))
        choice.trouble = ""
    except UnicodeDecodeError as error:
        choice.trouble = f"{file.name} is not UTF-8 (byte {error.start:,}). Save it as UTF-8."
    except RulesError as error:
        choice.trouble = str(error)


def _remove_rules() -> None:
    choice = get_screen_state(RulesChoice)
    try:
        open_rules_store().remove()
        choice.trouble = ""
    except RulesError as error:
        choice.trouble = str(error)
