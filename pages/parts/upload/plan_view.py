"""Step 4 of the upload: the facts of the plan, its choices, and the confirmation."""

from uuid import uuid4

import numpy as np
import streamlit as st

from intempt_core.contract import format_count
from intempt_core.history import BatchState, BatchSummary, RequestState
from intempt_core.mapping import MADE_MEMBER_IDS_MESSAGE, Mapping
from intempt_core.planning import Plan, Policy
from intempt_core.targets import Target, derive_target_key
from pages.parts.shared.formatting import escape_markdown, format_moment
from pages.parts.shared.links import show_link
from pages.parts.shared.outcome_card import show_body
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.send_flow import (
    choose_order,
    choose_policy,
    confirm_target_name,
    describe_deduplication,
    show_send_trouble,
)
from pages.parts.shared.services import get_services
from pages.parts.upload.excluded_rows_view import choose_exclusion, choose_repeats, count_rows, show_excluded_rows
from pages.parts.upload.state import (
    CheckedFile,
    check_again,
    get_upload_state,
    read_plan_choice,
    see_history_of_check,
    submit_upload,
    use_mapping,
)

STABLE_IDS, NEW_IDS = "same row, same id", "new for this upload"
ID_EXPLANATIONS = {
    STABLE_IDS: "An id is made from its row: the same row, here or in a corrected copy of the file, has the same id. Of"
    " rows that are equal in every cell each has an id of its own.",
    NEW_IDS: "Every row is a new event, even if the same file was sent before: for a new run of the same fixture.",
}
"""How event ids are made for a file without them."""

EARLIER_BATCHES_SHOWN = 3
"""Earlier batches of the same file that are shown."""


def show_plan_step(checked: CheckedFile, target: Target) -> None:
    """Step 4, Plan: what will be sent and to which target, the choices, and the confirmation."""
    st.markdown("**4 Plan**")
    sent_before = show_earlier_batches(target)
    found = get_upload_state()
    plan = checked.plan(found, found.order)
    if not checked.report.rows:
        st.text("The file has a header and no rows: there is nothing to send.")
        return
    if plan.events:
        show_plan_facts(checked, plan, target)
    else:
        st.text(f"No row can be sent: every row {_explain_empty_plan()}")
    choose_exclusion(checked)
    choose_repeats(checked)
    if sent_before and not found.fresh:
        st.text(describe_deduplication(target))
    show_excluded_rows(checked)
    policy = choose_advanced(checked, plan, target)
    if plan.events:
        confirm_plan(checked, plan, target, policy)


def choose_advanced(checked: CheckedFile, plan: Plan, target: Target) -> Policy:
    """The choices that most people leave as they are: rows with errors, event ids, order, unknown outcomes."""
    found = get_upload_state()
    has_times = "timestamp" in checked.mapped.mapping.columns.values()
    has_bad = bool(checked.report.excluded_mask.any())
    now = [
        *([f"rows with errors {'sent too' if found.everything else 'skipped'}"] * has_bad),
        *([NEW_IDS if found.fresh else f"event ids: {STABLE_IDS}"] * checked.mapped.makes_ids),
        *([f"{found.order.value} order"] * has_times),
    ]
    with st.expander(" · ".join(["Advanced", *now]), key="upload-advanced"):
        st.caption("What is chosen at first is right for most files.")
        choose_invalid_rows(checked)
        if checked.mapped.makes_ids:
            choose_event_ids()
        if has_times:
            choose_order(found, "upload-order")
        policy = choose_policy(target, "upload")
        if plan.largest_lane_reason:
            st.text(plan.largest_lane_reason)
        if plan.events:
            st.caption("The first request")
            st.text(f"POST {target.track_url}")
            show_body("upload-first", 1, plan.body(plan.requests[0]))
    return policy


def choose_invalid_rows(checked: CheckedFile) -> None:
    """The choice to skip rows with errors or to send them too, where there are any."""
    found, report = get_upload_state(), checked.report
    bad = np.flatnonzero(report.excluded_mask)
    if not bad.size:
        return
    everything = format_count(report.rows, "row")
    if report.origin is not None:
        everything = format_count(report.events, "event")
    labels = {
        False: f"Skip {count_rows(checked, bad)}",
        True: f"Send them too, unchanged: {everything}",
    }
    others = bad.size - int(report.find_excluded(keep_good_members=True).sum())
    if others and not found.everything:
        st.session_state["upload-good-members"] = found.good_members
        st.checkbox(
            f"Of rows with errors, send the {format_count(others, 'event')} without",
            key="upload-good-members",
            on_change=lambda: setattr(found, "good_members", st.session_state["upload-good-members"]),
        )
        if found.good_members and checked.mapped.makes_ids:
            st.text(MADE_MEMBER_IDS_MESSAGE)
    st.session_state["upload-everything"] = found.everything
    st.radio(
        "Rows with errors",
        list(labels),
        format_func=labels.__getitem__,
        key="upload-everything",
        on_change=lambda: setattr(found, "everything", st.session_state["upload-everything"]),
    )


def choose_event_ids() -> None:
    """The choice between the same ids for the same rows, and new ids."""
    found = get_upload_state()
    st.session_state["upload-ids"] = NEW_IDS if found.fresh else STABLE_IDS
    st.segmented_control(
        "Event ids to generate",
        list(ID_EXPLANATIONS),
        key="upload-ids",
        required=True,
        on_change=_set_id_choice,
    )
    st.caption(ID_EXPLANATIONS[NEW_IDS if found.fresh else STABLE_IDS])


def _set_id_choice() -> None:
    get_upload_state().fresh = uuid4().hex if st.session_state["upload-ids"] == NEW_IDS else None


def _explain_empty_plan() -> str:
    """Why no row is sent, as the end of a sentence."""
    if get_upload_state().exclude_accepted or get_upload_state().exclude_codes:
        return "is skipped."
    return "has an error. Fix the file, or send the rows unchanged (Advanced)."


def show_plan_facts(checked: CheckedFile, plan: Plan, target: Target) -> None:
    """The plan in a line: its events, users and requests, the target, and the rows that are skipped."""
    skipped = checked.excluded_rows(get_upload_state())
    facts = [format_count(plan.events, "event"), format_count(plan.persons, "user")]
    requests = f"{format_count(len(plan.requests), 'request')} → {target.title}"
    without = f", {count_rows(checked, skipped)} skipped" if skipped.size else ""
    with st.container(key="upload-facts"):
        st.text(" · ".join([*facts, f"{requests}{without}"]))
    if checked.report.rows_ignored:
        ignored = format_count(checked.report.rows_ignored, "row is", "rows are")
        st.text(f"{ignored} skipped for the name, as the mapping says.")
    if plan.shared_id_message:
        st.text(plan.shared_id_message)


def confirm_plan(checked: CheckedFile, plan: Plan, target: Target, policy: Policy) -> None:
    """The button that sends, and why its last click sent nothing."""
    if confirm_target_name(target, "upload"):
        st.button(
            f"Send {format_count(plan.events, 'event')} to {escape_markdown(target.title)}",
            key="upload-send",
            type="primary",
            on_click=submit_upload,
            args=(checked, target, policy, see_history_of_check(target), read_plan_choice()),
        )
    guard = get_upload_state().guard
    show_send_trouble(guard, "upload")
    if guard.repeat is not None:
        st.button("Check the file again", key="upload-check-again", on_click=check_again)


def _describe_half(batch: BatchSummary) -> str:
    if batch.recorder:
        return f" It is being recorded: {batch.total:,} so far."
    if batch.is_half_recorded and batch.state is BatchState.STOPPED:
        return f" It stopped half recorded: {batch.unrecorded:,} were never recorded."
    return ""


def show_earlier_batches(target: Target, mapping: Mapping | None = None) -> bool:
    """Show when the same file was sent to this target before, and how much was accepted; whether it was.

    With the current ``mapping``, a button restores the earlier one where it differs.
    """
    queries = get_services().history.queries
    every = queries.batches_of_file(get_upload_state().digest, derive_target_key(target))
    sent = [batch for batch in every if not batch.resend_of]  # what was sent again is a part of a file, not the file
    for batch in sent[:EARLIER_BATCHES_SHOWN]:
        accepted = batch.events.get(RequestState.ACCEPTED, 0)
        with st.container(horizontal=True, vertical_alignment="center", key=make_key("upload-earlier", batch.id)):
            st.text(
                f"This file was sent on {format_moment(batch.created_at)}: {accepted:,} of {batch.planned:,} accepted."
                f"{_describe_half(batch)}"
            )
            show_link("history.py", "View batch", {"batch": batch.id})
            if mapping is not None and batch.mapping not in ("", mapping.to_json()):
                st.button(
                    "Use its mapping",
                    key=make_key("upload-earlier-mapping", batch.id),
                    on_click=use_mapping,
                    args=(batch.mapping,),
                )
    if len(sent) > EARLIER_BATCHES_SHOWN:
        st.caption(f"And {format_count(len(sent) - EARLIER_BATCHES_SHOWN, 'time')} before that.")
    return bool(sent)
