"""What one tab looks at among a file's problems, and the mends that a person decides on. Drawn by ``mends_view.py``."""

from dataclasses import dataclass

from intempt_core.mends import Fix, FixKind
from intempt_core.pointing import CellLocation, find_cell
from pages.parts.session import anew, room, value
from pages.parts.uploading import Judged, uploading


@dataclass
class Looking:
    """The cell that is looked at, and the mend whose difference is shown. Of one upload; the next begins anew."""

    upload: int = 0
    spot: CellLocation | None = None
    shown: Fix | None = None
    said: str = ""
    """Why the cell that was asked for is not shown."""


def looking() -> Looking:
    """What this tab looks at in the file that it has."""
    upload, found = uploading().uploads, room(Looking)
    return found if found.upload == upload else anew(Looking(upload))


def look(row: int, column: str | None = None) -> None:
    """Look at a cell, or at a row (from 0)."""
    found = looking()
    found.spot, found.said = CellLocation(row, column), ""


def seek(judged: Judged, widget: str) -> None:
    """Look at the cell that was typed into the finder; where there is none, a sentence says why."""
    text = str(value(widget) or "").strip()
    found = looking()
    found.said = ""
    if text:
        upload = uploading()
        plan = judged.plan(everything=upload.everything, leave_out=upload.leave_out)
        spot = find_cell(text, judged.mapped, plan)
        if isinstance(spot, str):
            found.said = spot
        else:
            found.spot = spot


def show(mend: Fix | None) -> None:
    """Show what a mend would change, or nothing any more."""
    looking().shown = mend


def do(mend: Fix) -> None:
    """Take a mend whose difference is shown. A double click takes it once."""
    found = looking()
    if found.shown == mend:
        found.shown = None
        uploading().mends += (mend,)


def write(judged: Judged, widget: str, *, alike: bool) -> None:
    """Write what was typed into the cell that is looked at, or into all cells of its column that hold the same."""
    spot, new = looking().spot, str(value(widget) or "")
    if spot is None or spot.column is None:
        return
    old = judged.mapped.table.cell(spot.row, spot.column)
    if new == old:
        return
    if alike:
        step = Fix(FixKind.REPLACE, spot.column, old=old, new=new)
    else:
        step = Fix(FixKind.PUT, spot.column, (spot.row,), old, new)
    uploading().mends += (step,)


def undo(number: int, mend: Fix) -> None:
    """Leave one step out; of a double click the second finds another step in its place, and leaves it."""
    steps = uploading().mends
    if number < len(steps) and steps[number] == mend:
        uploading().mends = (*steps[:number], *steps[number + 1 :])


def undo_all() -> None:
    """The file as it was dropped."""
    uploading().mends = ()
