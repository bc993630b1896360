"""The pieces of the Upload screen: the steps of the road after the first, which is ``file_view.py``."""

from uuid import uuid4

import streamlit as st

from intempt_core import Mapping, NotFound, Target
from intempt_core.exports import export_results_csv
from intempt_core.history import BatchSummary, RequestState, derive_target_key
from intempt_core.mapped import is_unmapped_json
from pages.parts import (
    catalogue_view,
    expectations_view,
    mapping_view,
    problems_view,
    saved_view,
    sending,
    staying_view,
    uploading,
)
from pages.parts.exchange import body_text
from pages.parts.file_view import empty, file_line
from pages.parts.house import house
from pages.parts.look import badges, counted, escaped, moment
from pages.parts.session import key
from pages.parts.steps import step
from pages.parts.taking import download, link
from pages.parts.uploading import Judged, Uploading

SAME, FRESH = "made from the rows", "fresh for this run"
IDS = {
    SAME: "An id is made from its row: the same row, here or in a corrected copy of the file, always gets the same.",
    FRESH: "Every row is a new event, even where the same file was sent before: for a new run of the same fixture.",
}
AS_IT_CAME, MAPPED = "as they stand", "mapped from their keys"
SENT_SHOWN = 3
"""Earlier sendings of the same file that are shown."""


def mapping_line(mapping: Mapping) -> str:
    """How much of the file a mapping uses, in a line."""
    if is_unmapped_json(uploading.table(), mapping):
        return "every event leaves as it stands in its line"
    header = uploading.table().header
    used = len([column for column in mapping.columns if column in header])
    names = f" · {counted(len(mapping.names), 'event name')} mapped" if mapping.names else ""
    return f"{used} of {counted(len(header), 'column')} used{names}{saved_view.saved_as(mapping)}"


def mapping_step(target: Target) -> Mapping | None:
    """2 Mapping: columns to fields, cells to names; the mapping once it is settled and can be used."""
    found, table = uploading.uploading(), uploading.table()
    mapping = found.mapping or Mapping({})
    if found.mapped and not step(2, "Mapping", mapping_line(mapping), "Change mapping"):
        return mapping
    if not found.mapped:
        st.markdown("**2 Mapping**")
        before(target, mapping)
    usable = stands(mapping) if table.documents is not None else False
    usable = usable or mapping_view.editor(table, mapping)
    return mapping if found.mapped and usable else None


def stands(mapping: Mapping) -> bool:
    """Of JSON lines, whether events leave as they stand or are mapped; true for the first, which needs no more."""
    found, widget = uploading.uploading(), key("upload-stands", uploading.uploading().digest)
    now = is_unmapped_json(uploading.table(), mapping)
    st.session_state[widget] = AS_IT_CAME if now else MAPPED
    st.segmented_control(
        "The events of the file",
        (AS_IT_CAME, MAPPED),
        key=widget,
        required=True,
        on_change=lambda: uploading.as_it_came(stands=st.session_state[widget] == AS_IT_CAME),
    )
    if now:
        st.text("Every event leaves as it stands in its line: nothing is added, and what is wrong stays wrong.")
        if not found.mapped:
            st.button("Use the events as they stand", key="upload-settle", type="primary", on_click=uploading.settle)
    return now


def problems_step(mapping: Mapping, target: Target) -> Judged:
    """3 Problems: counts by kind, the rows with the bad cell marked, and the ways to take them along."""
    found = uploading.uploading()
    found.asked = uploading.Question(
        found.digest,
        found.name,
        found.dialect or uploading.table().dialect,
        mapping.to_json(),
        found.fresh,
        derive_target_key(target),
        found.stamp,
        found.mends,
        catalogue_view.loaded_at(derive_target_key(target)),
    )
    judged = uploading.judged(found.asked)
    problems(judged)
    expectations_view.tests(judged)
    return judged


def problems(judged: Judged, *, live: bool = True) -> None:
    """The problems of a file as a line that unfolds; they can be mended as long as nothing was sent."""
    report = judged.report
    marks = []
    if report.rows_with_errors:
        marks.append(f":red-badge[■ {counted(report.rows_with_errors, 'row')} with errors]")
    if report.rows_with_warnings:
        marks.append(f":orange-badge[◆ {counted(report.rows_with_warnings, 'row')} with warnings]")
    line = "" if report.rows_with_errors else "none that block" if marks else "none"
    if judged.mends:
        line = f"{line} · {counted(len(judged.mends), 'mend')} in {counted(sum(judged.mended), 'cell')}".lstrip(" ·")
    opens = "Look at problems" if marks else "Look at rows" if live and report.rows else ""
    if step(3, "Problems", line, opens, " ".join(marks)):
        problems_view.explorer(judged, live=live)


def plan_step(judged: Judged, target: Target) -> None:
    """4 Plan: what will leave, in which order, to whom; the confirm."""
    found = uploading.uploading()
    st.markdown("**4 Plan**")
    sent = before(target)
    bad = judged.report.rows_with_errors
    if bad:
        st.session_state["upload-everything"] = found.everything
        st.radio(
            "Rows with errors",
            (False, True),
            format_func=lambda everything: (
                f"Send them too, as they are: {counted(judged.report.rows, 'row')}"
                if everything
                else f"{counted(bad, 'row')} stay behind"
            ),
            key="upload-everything",
            on_change=lambda: setattr(found, "everything", st.session_state["upload-everything"]),
        )
    staying_view.leave_out(judged)
    if judged.mapped.makes_ids:
        st.session_state["upload-ids"] = FRESH if found.fresh else SAME
        st.segmented_control(
            "Event ids, which the file does not have",
            (SAME, FRESH),
            key="upload-ids",
            required=True,
            on_change=_set_ids,
            args=(found,),
        )
        st.caption(IDS[FRESH if found.fresh else SAME])
    if sent and not found.fresh:
        st.text(sending.deduplication(target))
    if "timestamp" in judged.mapped.mapping.columns.values():
        sending.order_choice(found, "upload-order")
    plan = judged.plan(everything=found.everything, leave_out=found.leave_out, order=found.order)
    if not judged.report.rows:
        st.text("The file has a header and no rows: there is nothing to send.")
        return
    if not plan.events:
        every = "has an error. Mend the file, or send the rows as they are." if not found.leave_out else "stays behind."
        st.text(f"No row can be sent: every row {every}")
        staying_view.staying(judged)
        return
    st.text(
        f"{counted(plan.events, 'event')} of {counted(plan.persons, 'person')} · "
        f"{counted(len(plan.requests), 'request')} in {counted(plan.lanes, 'lane')} · to {target.title}"
    )
    if plan.largest_lane_reason:
        st.text(plan.largest_lane_reason)
    staying_view.staying(judged)
    with st.expander("The first request", key="upload-first", type="compact"):
        st.text(f"POST {target.track_url}")
        body_text("upload-first", 1, plan.body(plan.requests[0]))
    policy = sending.policy_choice(target, "upload")
    if sending.named(target, "upload"):
        st.button(
            f"Send {counted(plan.events, 'event')} to {escaped(target.title)}",
            key="upload-send",
            type="primary",
            on_click=uploading.submit,
            args=(judged, plan, target, policy, uploading.decided()),
        )
    if found.trouble:
        st.markdown(":red-badge[■ not sent]")
        st.text(found.trouble)


def _set_ids(found: Uploading) -> None:
    found.fresh = uuid4().hex if st.session_state["upload-ids"] == FRESH else None


def before(target: Target, mapping: Mapping | None = None) -> bool:
    """When this very file went to this target before, and what came of it; whether it did.

    With the ``mapping`` of now, the one of then is offered where it is another.
    """
    sent = house().history.batches_of_file(uploading.uploading().digest, derive_target_key(target))
    for batch in sent[:SENT_SHOWN]:
        accepted = batch.events.get(RequestState.ACCEPTED, 0)
        with st.container(horizontal=True, vertical_alignment="center", key=key("upload-before", batch.id)):
            st.text(f"This file was sent on {moment(batch.created_at)}: {accepted:,} of {batch.total:,} accepted.")
            link("history.py", "See it", {"batch": batch.id})
            if mapping is not None and batch.mapping not in ("", mapping.to_json()):
                st.button(
                    "Map it as it was then",
                    key=key("upload-as-then", batch.id),
                    on_click=uploading.use_mapping,
                    args=(batch.mapping,),
                )
    if len(sent) > SENT_SHOWN:
        st.caption(f"And {counted(len(sent) - SENT_SHOWN, 'time')} before that.")
    return bool(sent)


def sent(id_: str) -> None:
    """From confirm on: what was confirmed as it stands in history, its progress, its result. Opens cold, too."""
    found = uploading.uploading()
    try:
        batch = house().history.batch(id_)
    except NotFound as error:
        st.text(str(error))
        empty()
        return
    st.query_params["batch"] = id_
    if found.asked is not None:
        step(1, "File", file_line())
        step(2, "Mapping", mapping_line(Mapping.from_json(batch.mapping)))
        problems(uploading.judged(found.asked), live=False)
    else:
        step(1, "File", f"{batch.label} · {counted(batch.rows, 'row')}")
    stayed = f" · {counted(batch.excluded_rows, 'row')} stayed behind" if batch.excluded_rows else ""
    step(
        4,
        "Plan",
        f"{counted(batch.total, 'event')} of {counted(batch.persons, 'person')} to {batch.target.name}{stayed}",
    )
    st.markdown("**5 Sending**")
    sending.watch(id_)
    batch = house().history.batch(id_)  # after the watch began: what ends before it is seen here, what ends later there
    sending.controls(batch)
    if not batch.is_active:
        result(batch)


def result(batch: BatchSummary) -> None:
    """6 Result: the outcomes, one line per input row to take along, and the way into history."""
    st.markdown(f"**6 Result{'' if batch.is_final else ' so far'}** {badges(batch.events)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        download(
            "results.csv",
            lambda: export_results_csv(house().history, batch.id),
            "results.csv",
            "text/csv",
            key="upload-results",
        )
        link("history.py", "See it in History", {"batch": batch.id})
        st.button("Another file", key="upload-again", on_click=uploading.begin_again)
