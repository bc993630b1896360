"""What one tab looks at among a file's problems, and the mends that a person decides on. Drawn by ``mends_view.py``."""

from dataclasses import dataclass

from intempt_core.fixes import Fix, FixKind
from intempt_core.planning import CellLocation, find_cell
from pages.parts.shared.screen_state import get_screen_state, read_widget, replace_screen_state
from pages.parts.upload.state import CheckedFile, get_upload_state


@dataclass
class FixesState:
    """The cell that is looked at, and the mend whose difference is shown. Of one upload; the next begins anew."""

    upload: int = 0
    location: CellLocation | None = None
    previewed_fix: Fix | None = None
    message: str = ""
    """Why the cell that was asked for is not shown."""


def load_fixes_state() -> FixesState:
    """What this tab looks at in the file that it has."""
    upload, found = get_upload_state().uploads, get_screen_state(FixesState)
    return found if found.upload == upload else replace_screen_state(FixesState(upload))


def select_cell(row: int, column: str | None = None) -> None:
    """Look at a cell, or at a row (from 0)."""
    found = load_fixes_state()
    found.location, found.message = CellLocation(row, column), ""


def go_to_cell(checked: CheckedFile, widget: str) -> None:
    """Look at the cell that was typed into the finder; where there is none, a sentence says why."""
    text = str(read_widget(widget) or "").strip()
    found = load_fixes_state()
    found.message = ""
    if text:
        upload = get_upload_state()
        plan = checked.plan(everything=upload.everything, exclude_accepted=upload.exclude_accepted)
        spot = find_cell(text, checked.mapped, plan)
        if isinstance(spot, str):
            found.message = spot
        else:
            found.location = spot


def preview_table_fix(fix: Fix | None) -> None:
    """Show what a mend would change, or nothing any more."""
    load_fixes_state().previewed_fix = fix


def accept_table_fix(fix: Fix) -> None:
    """Take a mend whose difference is shown. A double click takes it once."""
    found = load_fixes_state()
    if found.previewed_fix == fix:
        found.previewed_fix = None
        get_upload_state().fixes += (fix,)


def write_cell(checked: CheckedFile, widget: str, *, alike: bool) -> None:
    """Write what was typed into the cell that is looked at, or into all cells of its column that hold the same."""
    spot, new = load_fixes_state().location, str(read_widget(widget) or "")
    if spot is None or spot.column is None:
        return
    old = checked.mapped.table.cell(spot.row, spot.column)
    if new == old:
        return
    if alike:
        step = Fix(FixKind.REPLACE, spot.column, old=old, new=new)
    else:
        step = Fix(FixKind.PUT, spot.column, (spot.row,), old, new)
    get_upload_state().fixes += (step,)


def undo_table_fix(number: int, fix: Fix) -> None:
    """Leave one step out; of a double click the second finds another step in its place, and leaves it."""
    steps = get_upload_state().fixes
    if number < len(steps) and steps[number] == fix:
        get_upload_state().fixes = (*steps[:number], *steps[number + 1 :])


def undo_all_fixes() -> None:
    """The file as it was dropped."""
    get_upload_state().fixes = ()
