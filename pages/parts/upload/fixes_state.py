"""The state of fixing a file: the selected cell, the previewed fix, and the callbacks of ``fixes_view``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intempt_core.fixes import Fix, FixKind, SuggestedFix
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
        previews_all: Whether the changes of all certain fixes are shown.
        page: Which rows the grid shows, and which page of them; the selected cell is given up with it.
        page_cells: The rows (from 0) of that page, each with the column to look at first.
        moves: How often a row was selected other than by a click into the grid, which then is drawn with it selected.
        message: Why the cell that was typed into the finder is not shown.
    """

    upload: int = 0
    location: CellLocation | None = None
    previewed_fix: Fix | None = None
    previews_all: bool = False
    page: tuple[object, ...] = ()
    page_cells: tuple[tuple[int, str | None], ...] = ()
    moves: int = 0
    message: str = ""


def load_fixes_state() -> FixesState:
    """This tab's state for the current upload."""
    upload, found = get_upload_state().uploads, get_screen_state(FixesState)
    return found if found.upload == upload else replace_screen_state(FixesState(upload))


def select_cell(row: int, column: str | None = None) -> None:
    """Select a cell, or a row (from 0)."""
    found = load_fixes_state()
    found.location, found.message = CellLocation(row, column), ""


def show_page(page: tuple[object, ...], cells: Sequence[tuple[int, str | None]]) -> None:
    """Note which rows the grid shows; the first of another page is selected, so that the panel is never empty."""
    found = load_fixes_state()
    found.page_cells = tuple(cells)
    if found.page != page or found.location is None:
        found.page = page
        found.location = CellLocation(*cells[0]) if cells else None


def move_to_row(step: int) -> None:
    """Select the next row of the page (``step`` 1), or the one before (-1)."""
    found = load_fixes_state()
    now = -1 if found.location is None else found.location.row
    others = [cell for cell in found.page_cells if (cell[0] - now) * step > 0]
    if others:
        select_cell(*(others[0] if step > 0 else others[-1]))
        found.moves += 1


def can_move(step: int) -> bool:
    """Whether there is a next row on the page, or one before."""
    found = load_fixes_state()
    now = -1 if found.location is None else found.location.row
    return any((row - now) * step > 0 for row, _ in found.page_cells)


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
            found.moves += 1


def preview_table_fix(fix: Fix | None) -> None:
    """Preview a fix, or none."""
    found = load_fixes_state()
    found.previewed_fix, found.previews_all = fix, False


def accept_table_fix(fix: Fix) -> None:
    """Apply the previewed fix, once for a double click."""
    found = load_fixes_state()
    if found.previewed_fix == fix:
        found.previewed_fix = None
        get_upload_state().fixes += (fix,)


def write_cells(checked: CheckedFile, row: int, widgets: Mapping[str, str]) -> None:
    """Write what was typed for cells of a row (from 0), by column; a cell that was left as it is stays."""
    table = checked.mapped.table
    for column, widget in widgets.items():
        old, new = table.cell(row, column), str(read_widget(widget) or "")
        if new != old:
            get_upload_state().fixes += (Fix(FixKind.PUT, column, (row,), old, new),)


def write_alike(checked: CheckedFile, row: int, column: str, widget: str) -> None:
    """Write what was typed for a cell into all cells of its column with the same value."""
    old, new = checked.mapped.table.cell(row, column), str(read_widget(widget) or "")
    if new != old:
        get_upload_state().fixes += (Fix(FixKind.REPLACE, column, old=old, new=new),)


def list_certain_fixes(checked: CheckedFile) -> list[SuggestedFix]:
    """The suggested fixes that need no decision: those of which it is not said when they are right."""
    return [one for one in checked.suggestions if not one.reason]


def preview_all_fixes(*, shown: bool) -> None:
    """Show what all certain fixes would change, or nothing."""
    found = load_fixes_state()
    found.previews_all, found.previewed_fix = shown, None


def accept_all_fixes(fixes: tuple[Fix, ...]) -> None:
    """Apply the previewed fixes together, once for a double click; they are undone as one."""
    found, upload = load_fixes_state(), get_upload_state()
    if found.previews_all:
        found.previews_all = False
        upload.fixes += fixes
        upload.fix_groups += (fixes,)


def undo_fix_group(group: tuple[Fix, ...]) -> None:
    """Undo fixes that were applied together."""
    upload = get_upload_state()
    if group in upload.fix_groups:
        upload.fixes = tuple(step for step in upload.fixes if step not in group)
        upload.fix_groups = tuple(one for one in upload.fix_groups if one != group)


def undo_table_fix(number: int, fix: Fix) -> None:
    """Undo one fix; the second half of a double click finds another fix there, and does nothing."""
    steps = get_upload_state().fixes
    if number < len(steps) and steps[number] == fix:
        get_upload_state().fixes = (*steps[:number], *steps[number + 1 :])


def undo_all_fixes() -> None:
    """Undo all fixes: the file is as it was uploaded."""
    get_upload_state().fixes = get_upload_state().fix_groups = ()
