"""The pieces of the Upload screen: the steps of the road after the first, which is ``file_view.py``."""

from uuid import uuid4

import streamlit as st

from intempt_core.errors import NotFound
from intempt_core.exports import export_results_csv
from intempt_core.history import BatchSummary, RequestState
from intempt_core.mapping import Mapping, is_unmapped_json
from intempt_core.targets import Target, derive_target_key
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import escape_markdown, format_moment, format_quantity, format_state_badges
from pages.parts.shared.links import show_link
from pages.parts.shared.outcome_card import show_body
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.send_flow import (
    choose_order,
    choose_policy,
    confirm_target_name,
    describe_deduplication,
    show_batch_controls,
    show_send_trouble,
    watch_batch,
)
from pages.parts.shared.services import get_services
from pages.parts.upload.excluded_rows_view import choose_exclusion, show_excluded_rows
from pages.parts.upload.expectations_view import show_expectations
from pages.parts.upload.file_view import describe_file, show_upload_intro
from pages.parts.upload.mapping_view import show_mapping_editor
from pages.parts.upload.problems_view import show_problem_explorer
from pages.parts.upload.saved_mappings_view import describe_saved_name
from pages.parts.upload.state import (
    CheckedFile,
    CheckQuestion,
    UploadState,
    check_upload,
    get_current_table,
    get_upload_state,
    read_plan_choice,
    set_events_unchanged,
    settle_mapping,
    start_next_upload,
    submit_upload,
    use_mapping,
)
from pages.parts.upload.step import show_step

STABLE_IDS, NEW_RUN_IDS = "made from the rows", "fresh for this run"
ID_EXPLANATIONS = {
    STABLE_IDS: "An id is made from its row: the same row, here or in a corrected copy of the file, always gets the same.",
    NEW_RUN_IDS: "Every row is a new event, even where the same file was sent before: for a new run of the same fixture.",
}
EVENTS_UNCHANGED, EVENTS_MAPPED = "as they stand", "mapped from their keys"
EARLIER_BATCHES_SHOWN = 3
"""Earlier sendings of the same file that are shown."""


def describe_mapping(mapping: Mapping) -> str:
    """How much of the file a mapping uses, in a line."""
    if is_unmapped_json(get_current_table(), mapping):
        return "every event leaves as it stands in its line"
    header = get_current_table().header
    used = len([column for column in mapping.columns if column in header])
    names = f" · {format_quantity(len(mapping.names), 'event name')} mapped" if mapping.names else ""
    return f"{used} of {format_quantity(len(header), 'column')} used{names}{describe_saved_name(mapping)}"


def show_mapping_step(target: Target) -> Mapping | None:
    """2 Mapping: columns to fields, cells to names; the mapping once it is settled and can be used."""
    found, table = get_upload_state(), get_current_table()
    mapping = found.mapping or Mapping({})
    if found.mapping_settled and not show_step(2, "Mapping", describe_mapping(mapping), "Change mapping"):
        return mapping
    if not found.mapping_settled:
        st.markdown("**2 Mapping**")
        show_earlier_batches(target, mapping)
    usable = choose_json_mapping(mapping) if table.documents is not None else False
    usable = usable or show_mapping_editor(table, mapping)
    return mapping if found.mapping_settled and usable else None


def choose_json_mapping(mapping: Mapping) -> bool:
    """Of JSON lines, whether events leave as they stand or are mapped; true for the first, which needs no more."""
    found, widget = get_upload_state(), make_key("upload-stands", get_upload_state().digest)
    now = is_unmapped_json(get_current_table(), mapping)
    st.session_state[widget] = EVENTS_UNCHANGED if now else EVENTS_MAPPED
    st.segmented_control(
        "The events of the file",
        (EVENTS_UNCHANGED, EVENTS_MAPPED),
        key=widget,
        required=True,
        on_change=lambda: set_events_unchanged(unchanged=st.session_state[widget] == EVENTS_UNCHANGED),
    )
    if now:
        st.text("Every event leaves as it stands in its line: nothing is added, and what is wrong stays wrong.")
        if not found.mapping_settled:
            st.button("Use the events as they stand", key="upload-settle", type="primary", on_click=settle_mapping)
    return now


def show_problems_step(mapping: Mapping, target: Target) -> CheckedFile:
    """3 Problems: counts by kind, the rows with the bad cell marked, and the ways to take them along."""
    found = get_upload_state()
    found.question = CheckQuestion(
        found.digest,
        found.name,
        found.dialect or get_current_table().dialect,
        mapping.to_json(),
        found.fresh,
        derive_target_key(target),
        found.newest_batch,
        found.fixes,
        get_services().catalogue_time(derive_target_key(target)),
    )
    judged = check_upload(found.question)
    show_problems_line(judged)
    show_expectations(judged)
    return judged


def show_problems_line(checked: CheckedFile, *, live: bool = True) -> None:
    """The problems of a file as a line that unfolds; they can be mended as long as nothing was sent."""
    report = checked.report
    marks = []
    if report.rows_with_errors:
        marks.append(f":red-badge[■ {format_quantity(report.rows_with_errors, 'row')} with errors]")
    if report.rows_with_warnings:
        marks.append(f":orange-badge[◆ {format_quantity(report.rows_with_warnings, 'row')} with warnings]")
    line = "" if report.rows_with_errors else "none that block" if marks else "none"
    if checked.fixes:
        line = f"{line} · {format_quantity(len(checked.fixes), 'mend')} in {format_quantity(sum(checked.cells_changed), 'cell')}".lstrip(
            " ·"
        )
    opens = "Look at problems" if marks else "Look at rows" if live and report.rows else ""
    if show_step(3, "Problems", line, opens, " ".join(marks)):
        show_problem_explorer(checked, live=live)


def show_plan_step(checked: CheckedFile, target: Target) -> None:
    """4 Plan: what will leave, in which order, to whom; the confirm."""
    found = get_upload_state()
    st.markdown("**4 Plan**")
    sent = show_earlier_batches(target)
    bad = checked.report.rows_with_errors
    if bad:
        st.session_state["upload-everything"] = found.everything
        st.radio(
            "Rows with errors",
            (False, True),
            format_func=lambda everything: (
                f"Send them too, as they are: {format_quantity(checked.report.rows, 'row')}"
                if everything
                else f"{format_quantity(bad, 'row')} stay behind"
            ),
            key="upload-everything",
            on_change=lambda: setattr(found, "everything", st.session_state["upload-everything"]),
        )
    choose_exclusion(checked)
    if checked.mapped.makes_ids:
        st.session_state["upload-ids"] = NEW_RUN_IDS if found.fresh else STABLE_IDS
        st.segmented_control(
            "Event ids, which the file does not have",
            (STABLE_IDS, NEW_RUN_IDS),
            key="upload-ids",
            required=True,
            on_change=_set_id_choice,
            args=(found,),
        )
        st.caption(ID_EXPLANATIONS[NEW_RUN_IDS if found.fresh else STABLE_IDS])
    if sent and not found.fresh:
        st.text(describe_deduplication(target))
    if "timestamp" in checked.mapped.mapping.columns.values():
        choose_order(found, "upload-order")
    plan = checked.plan(everything=found.everything, exclude_accepted=found.exclude_accepted, order=found.order)
    if not checked.report.rows:
        st.text("The file has a header and no rows: there is nothing to send.")
        return
    if not plan.events:
        every = (
            "has an error. Mend the file, or send the rows as they are."
            if not found.exclude_accepted
            else "stays behind."
        )
        st.text(f"No row can be sent: every row {every}")
        show_excluded_rows(checked)
        return
    st.text(
        f"{format_quantity(plan.events, 'event')} of {format_quantity(plan.persons, 'person')} · "
        f"{format_quantity(len(plan.requests), 'request')} in {format_quantity(plan.lanes, 'lane')} · to {target.title}"
    )
    if plan.largest_lane_reason:
        st.text(plan.largest_lane_reason)
    show_excluded_rows(checked)
    with st.expander("The first request", key="upload-first", type="compact"):
        st.text(f"POST {target.track_url}")
        show_body("upload-first", 1, plan.body(plan.requests[0]))
    policy = choose_policy(target, "upload")
    if confirm_target_name(target, "upload"):
        st.button(
            f"Send {format_quantity(plan.events, 'event')} to {escape_markdown(target.title)}",
            key="upload-send",
            type="primary",
            on_click=submit_upload,
            args=(checked, plan, target, policy, read_plan_choice()),
        )
    show_send_trouble(found.guard)


def _set_id_choice(found: UploadState) -> None:
    found.fresh = uuid4().hex if st.session_state["upload-ids"] == NEW_RUN_IDS else None


def show_earlier_batches(target: Target, mapping: Mapping | None = None) -> bool:
    """When this very file went to this target before, and what came of it; whether it did.

    With the ``mapping`` of now, the one of then is offered where it is another.
    """
    sent = get_services().history.batches_of_file(get_upload_state().digest, derive_target_key(target))
    for batch in sent[:EARLIER_BATCHES_SHOWN]:
        accepted = batch.events.get(RequestState.ACCEPTED, 0)
        with st.container(horizontal=True, vertical_alignment="center", key=make_key("upload-before", batch.id)):
            st.text(
                f"This file was sent on {format_moment(batch.created_at)}: {accepted:,} of {batch.total:,} accepted."
            )
            show_link("history.py", "See it", {"batch": batch.id})
            if mapping is not None and batch.mapping not in ("", mapping.to_json()):
                st.button(
                    "Map it as it was then",
                    key=make_key("upload-as-then", batch.id),
                    on_click=use_mapping,
                    args=(batch.mapping,),
                )
    if len(sent) > EARLIER_BATCHES_SHOWN:
        st.caption(f"And {format_quantity(len(sent) - EARLIER_BATCHES_SHOWN, 'time')} before that.")
    return bool(sent)


def show_sent_batch(id_: str) -> None:
    """From confirm on: what was confirmed as it stands in history, its progress, its result. Opens cold, too."""
    found = get_upload_state()
    try:
        batch = get_services().history.batch(id_)
    except NotFound as error:
        st.text(str(error))
        show_upload_intro()
        return
    st.query_params["batch"] = id_
    if found.question is not None:
        show_step(1, "File", describe_file())
        show_step(2, "Mapping", describe_mapping(Mapping.from_json(batch.mapping)))
        show_problems_line(check_upload(found.question), live=False)
    else:
        show_step(1, "File", f"{batch.label} · {format_quantity(batch.rows, 'row')}")
    stayed = f" · {format_quantity(batch.excluded_rows, 'row')} stayed behind" if batch.excluded_rows else ""
    show_step(
        4,
        "Plan",
        f"{format_quantity(batch.total, 'event')} of {format_quantity(batch.persons, 'person')} to {batch.target.name}{stayed}",
    )
    st.markdown("**5 Sending**")
    watch_batch(id_)
    batch = get_services().history.batch(
        id_
    )  # after the watch began: what ends before it is seen here, what ends later there
    show_batch_controls(batch)
    if not batch.is_active:
        show_upload_result(batch)


def show_upload_result(batch: BatchSummary) -> None:
    """6 Result: the outcomes, one line per input row to take along, and the way into history."""
    st.markdown(f"**6 Result{'' if batch.is_final else ' so far'}** {format_state_badges(batch.events)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        show_download(
            "results.csv",
            lambda: export_results_csv(get_services().history, batch.id),
            "results.csv",
            "text/csv",
            key="upload-results",
        )
        show_link("history.py", "See it in History", {"batch": batch.id})
        st.button("Another file", key="upload-again", on_click=start_next_upload)
