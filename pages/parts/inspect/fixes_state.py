"""From a problem to its place in the text, and the fixes of the text: previewed, applied, undone."""

from collections.abc import Sequence

from intempt_core.fixes import TextFix, apply_text_fixes, find_format_fix, list_fixes
from intempt_core.targets import Target
from pages.parts.inspect.state import MAX_UNDO_STEPS, PASTE_WIDGET, InspectState, read_paste
from pages.parts.shared.screen_state import get_screen_state, set_widget


def focus_problem(number: int) -> None:
    """Scroll to the line of a problem in the text."""
    found = get_screen_state(InspectState)
    if found.payload is not None:
        found.focus, found.focus_count = found.payload.line_column(found.places[number])[0], found.focus_count + 1


def select_preview(numbers: Sequence[int]) -> None:
    """Preview the fixes of these problems, or of none."""
    get_screen_state(InspectState).preview = tuple(numbers)


def list_previewed_fixes() -> list[TextFix]:
    """The fixes that are previewed."""
    found = get_screen_state(InspectState)
    return list(list_fixes(found.problems[number] for number in found.preview).values())


def apply_previewed_fixes(target: Target) -> None:
    """Apply the previewed fixes to the text; they can be undone."""
    _apply_fixes(target, list_previewed_fixes())


def format_text(target: Target) -> None:
    """Format the JSON in the text, which can be undone."""
    found = get_screen_state(InspectState)
    fix = find_format_fix(found.payload) if found.payload is not None else None
    if fix is None:
        found.note = "There is nothing to format: the JSON is formatted, or is in the quotes of a copied request."
        return
    _apply_fixes(target, [fix])


def _apply_fixes(target: Target, fixes: Sequence[TextFix]) -> None:
    found = get_screen_state(InspectState)
    if found.payload is None:
        return
    text = apply_text_fixes(found.payload, fixes)
    if text is None:
        found.preview, found.note = (), "The fix would change the command around the body: fix it by hand."
        return
    found.undo_texts, found.fixed_text = [*found.undo_texts[-MAX_UNDO_STEPS + 1 :], found.payload.text], text
    _read_changed_text(target, text)


def undo_last_fix(target: Target) -> None:
    """Restore the text as it was before the last fix."""
    found = get_screen_state(InspectState)
    if found.undo_texts:
        found.fixed_text = found.undo_texts.pop()
        _read_changed_text(target, found.fixed_text)


def _read_changed_text(target: Target, text: str) -> None:
    found = get_screen_state(InspectState)
    case = found.case
    set_widget(PASTE_WIDGET, text)
    read_paste(target)
    found.case = case  # the text is the body of the same case file still
