"""Mending on the screen: what would help, as a difference before it is taken; what was mended, to undo; one cell."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from intempt_core.events import INVISIBLE_CHARACTERS, BLANK_CHARACTERS
from intempt_core.exports import export_fixed_csv
from intempt_core.issues import ISSUE_KINDS
from intempt_core.mends import ColumnChange, Fix, FixKind, preview_fix
from intempt_core.pointing import CellLocation, locate_in_event, locate_in_request
from pages.parts import mending
from pages.parts.house import house
from pages.parts.look import badge, counted, escaped
from pages.parts.mending import looking
from pages.parts.session import key
from pages.parts.taking import download, link
from pages.parts.uploading import Judged, uploading

PAGE = 50
"""Cells of one page of a difference."""


def mended(judged: Judged) -> None:
    """What was changed of the file, step by step; each can be undone, whatever came after it."""
    if not judged.mends:
        return
    steps = list(zip(judged.mends, judged.mended, strict=True))
    with st.container(border=True, key="upload-mended", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{counted(len(steps), 'mend')}**", width="stretch")
            download(
                "mended.csv",
                lambda: export_fixed_csv(judged.mapped),
                "mended.csv",
                "text/csv",
                key="upload-mended-csv",
            )
            st.button("Undo all", key="upload-undo-all", on_click=mending.undo_all)
        for number, (step, cells) in enumerate(steps):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(step.describe(cells), width="stretch")
                st.button("Undo", key=key("upload-undo", number), on_click=mending.undo, args=(number, step))
        st.caption("The file on your disk stays as it is. What was mended is recorded with the batch.")


def offers(judged: Judged, code: str | None) -> None:
    """The mends that would help with one kind of problem, or with all."""
    some = [one for one in judged.offers if code in (None, one.code)]
    if some:
        with st.container(key="upload-offered", gap="xsmall"):
            for number, one in enumerate(some):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.text(f"{one.message} ({one.reason})" if one.reason else one.message, width="stretch")
                    st.button(
                        "Show the difference",
                        key=key("upload-offer", number),
                        on_click=mending.show,
                        args=(one.fix,),
                    )
    elif code is not None:
        st.caption(f"No mend is certain for this kind. {ISSUE_KINDS[code].fix}")
    shown = looking().shown
    if shown is not None:
        difference(judged, shown)


def difference(judged: Judged, mend: Fix) -> None:
    """What a mend would change, page by page, and the decision."""
    found = next((one.change for one in judged.offers if one.fix == mend), None) or preview_fix(
        judged.mapped.table, mend, judged.mapped.original
    )
    with st.container(border=True, key="upload-difference"):
        st.text(found.message)
        pages = -(-found.cells // PAGE)
        page = st.pagination(pages, key=key("upload-difference-page", mend.key)) if pages > 1 else 1
        cells(judged, found, (page - 1) * PAGE)
        with st.container(horizontal=True):
            st.button(
                f"Mend {counted(found.cells, 'cell')}",
                key="upload-mend",
                type="primary",
                on_click=mending.do,
                args=(mend,),
            )
            st.button("Leave them as they are", key="upload-mend-not", on_click=mending.show, args=(None,))


def cells(judged: Judged, found: ColumnChange, start: int) -> None:
    """One page of a difference."""
    some = slice(start, start + PAGE)
    rows = found.rows[some]
    st.dataframe(
        pd.DataFrame(
            {
                "line": judged.mapped.table.lines[rows],
                "row": rows + 1,
                f"{found.fix.column} now": found.before[some].to_pylist(),
                "mended": found.after[some].to_pylist(),
            }
        ),
        hide_index=True,
        key="upload-difference-cells",
        alt="The cells that the mend changes, before and after",
    )


# ── one cell ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def finder(judged: Judged) -> None:
    """From a row, a line or a pointer to its cell."""
    widget = "upload-find"
    st.text_input(
        "Find a cell",
        key=widget,
        placeholder="row 18 · line 19 product_id · track[0].payload[16].data.productId",
        on_change=mending.seek,
        args=(judged, widget),
    )
    if looking().said:
        st.text(looking().said)


def card(judged: Judged, *, live: bool) -> None:
    """The cell that is looked at: where it stands in the file and in the JSON, its row, its problems, and its mend."""
    spot = looking().spot
    if spot is None or spot.row >= judged.mapped.rows:
        return
    with st.container(border=True, key="upload-cell"):
        st.text(_where(judged, spot))
        for issue in judged.report.issues_of(spot.row):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(badge(issue.severity), width="content")
                column = f"{issue.place.column}: " if issue.place.column else ""
                st.text(f"{column}{issue.message} {issue.fix}", width="stretch")
                if issue.code == "sent_before":
                    _sent_in(judged, spot.row)
        first = judged.report.first_row_of(spot.row)
        if first is not None:
            st.button(
                f"Go to row {first + 1:,}, which has this event id first",
                key="upload-first-of",
                on_click=mending.look,
                args=(first, judged.mapped.field_columns.get("eventId")),
            )
        _record(judged, spot)
        if live and spot.column is not None:
            _editor(judged, spot, spot.column)


def _sent_in(judged: Judged, row: int) -> None:
    """The way to the batch in which a row's event was sent before."""
    event_id, asked = str(judged.mapped.values("eventId", [row])[0]), uploading().asked
    sent = house().history.sent_ids(asked.place, [event_id]).get(event_id) if asked else None
    if sent is not None:
        link("history.py", "See that batch", {"batch": sent.batch})


def _where(judged: Judged, spot: CellLocation) -> str:
    parts = [f"Row {spot.row + 1:,}", f"line {int(judged.mapped.table.lines[spot.row]):,}"]
    if spot.column is not None:
        parts.append(f"column {spot.column}")
        parts.append(f"in the event {locate_in_event(judged.mapped, spot.column) or '–'}")
    found = uploading()
    plan = judged.plan(everything=found.everything, leave_out=found.leave_out)
    there = locate_in_request(judged.mapped, plan, spot.row, spot.column)
    parts.append(f"request {there.request:,}: {there.path}" if there else "stays behind")
    return " · ".join(parts)


def _record(judged: Judged, spot: CellLocation) -> None:
    """The row that is looked at, a line for each column: its cell, what the file has instead, its pointer."""
    table, original = judged.mapped.table, judged.mapped.original
    lines = []
    for column in table.header:
        cell = table.cell(spot.row, column)
        before = cell if original is None else original.cell(spot.row, column)
        lines.append(
            {
                "": "▸" if column == spot.column else "",
                "column": column,
                "cell": cell,
                "in the file": "" if cell == before else before or "(empty)",
                "in the event": locate_in_event(judged.mapped, column) or "is not sent",
            }
        )
    st.dataframe(
        pd.DataFrame(lines),
        hide_index=True,
        height=min(35 * len(lines) + 38, 320),
        key=key("upload-record", spot.row),
        on_select=_chosen(spot.row, table.header, key("upload-record", spot.row)),
        selection_mode="single-row",
        column_config={"": st.column_config.TextColumn(width=30)},
        alt="The row that is looked at: a line for each column",
    )


def _chosen(row: int, header: tuple[str, ...], widget: str) -> Callable[[], None]:
    def choose() -> None:
        if chosen := st.session_state[widget].selection.rows:
            mending.look(row, header[chosen[0]])

    return choose


def _editor(judged: Judged, spot: CellLocation, column: str) -> None:
    """Write a cell anew: it alone, or all that hold the same."""
    table = judged.mapped.table
    cell = table.cell(spot.row, column)
    alike = preview_fix(table, Fix(FixKind.REPLACE, column, old=cell, new=f"{cell}·")).cells
    widget = key("upload-new", spot.row, table.header.index(column), len(judged.mends))
    if any(character in BLANK_CHARACTERS for character in cell if character != " ") or cell != cell.strip():
        seen = "".join(f"‹U+{ord(one):04X}›" if one in INVISIBLE_CHARACTERS or one in BLANK_CHARACTERS else one for one in cell)
        st.text(f"With what nobody sees: {seen}")
    with st.form(key("upload-edit", spot.row, column), border=False):
        ask = st.text_area if "\n" in cell or "\r" in cell else st.text_input
        ask(f"New text of {escaped(column)} in row {spot.row + 1:,}", cell, key=widget)
        with st.container(horizontal=True):
            st.form_submit_button(
                "Change this cell",
                key="upload-edit-one",
                on_click=mending.write,
                args=(judged, widget),
                kwargs={"alike": False},
            )
            if alike > 1:
                st.form_submit_button(
                    f"Change all {counted(alike, 'cell')} that hold the same",
                    key="upload-edit-alike",
                    on_click=mending.write,
                    args=(judged, widget),
                    kwargs={"alike": True},
                )
