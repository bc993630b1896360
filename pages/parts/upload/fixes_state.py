"""The state of fixing a file: the selected cell, the previewed fix, and the callbacks of ``fixes_view``."""

from dataclasses import dataclass

from intempt_core.fixes import Fix, FixKind
from intempt_core.planning import CellLocation, find_cell
from pages.parts.shared.screen_state import get_screen_state, read_widget, replace_screen_state
from pages.parts.upload.state import CheckedFile, get_upload_state


@dataclass
class FixesState:
    """The selected cell and the previewed fix of one upload.

    Attributes:
        upload: The number of the upload; for another one the state is made again.
        location: The selected cell.
        previewed_fix: The fix whose changes are shown.
        message: Why the cell that was typed into the finder is not shown.
    """

    upload: int = 0
    location: CellLocation | None = None
    previewed_fix: Fix | None = None
    message: str = ""


def load_fixes_state() -> FixesState:
    """This tab's state for the current upload."""
    upload, found = get_upload_state().uploads, get_screen_state(FixesState)
    return found if found.upload == upload else replace_screen_state(FixesState(upload))


def select_cell(row: int, column: str | None = None) -> None:
    """Select a cell, or a row (from 0)."""
    found = load_fixes_state()
    found.location, found.message = CellLocation(row, column), ""


def go_to_cell(checked: CheckedFile, widget: str) -> None:
    """Select the cell that was typed into the finder, or say in a sentence why there is none."""
    text = str(read_widget(widget) or "").strip()
    found = load_fixes_state()
    found.message = ""
    if text:
        upload = get_upload_state()
        plan = checked.plan(upload)
        location = find_cell(text, checked.mapped, plan)
        if isinstance(location, str):
            found.message = location
        else:
            found.location = location


def preview_table_fix(fix: Fix | None) -> None:
    """Preview a fix, or none."""
    load_fixes_state().previewed_fix = fix


def accept_table_fix(fix: Fix) -> None:
    """Apply the previewed fix, once for a double click."""
    found = load_fixes_state()
    if found.previewed_fix == fix:
        found.previewed_fix = None
        get_upload_state().fixes += (fix,)


def write_cell(checked: CheckedFile, widget: str, *, alike: bool) -> None:
    """Write what was typed into the selected cell, or into all cells of its column with the same value."""
    location, new = load_fixes_state().location, str(read_widget(widget) or "")
    if location is None or location.column is None:
        return
    old = checked.mapped.table.cell(location.row, location.column)
    if new == old:
        return
    if alike:
        step = Fix(FixKind.REPLACE, location.column, old=old, new=new)
    else:
        step = Fix(FixKind.PUT, location.column, (location.row,), old, new)
    get_upload_state().fixes += (step,)


def undo_table_fix(number: int, fix: Fix) -> None:
    """Undo one fix; the second half of a double click finds another fix there, and does nothing."""
    steps = get_upload_state().fixes
    if number < len(steps) and steps[number] == fix:
        get_upload_state().fixes = (*steps[:number], *steps[number + 1 :])


def undo_all_fixes() -> None:
    """Undo all fixes: the file is as it was uploaded."""
    get_upload_state().fixes = ()
