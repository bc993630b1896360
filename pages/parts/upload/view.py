"""The steps of the upload after the file: mapping, problems, and from the confirmation on, sending and result."""

import numpy as np
import streamlit as st

from intempt_core.contract import format_count
from intempt_core.errors import MappingError, NotFound, ReadError, RulesError
from intempt_core.exports import export_results_csv
from intempt_core.history import BatchSummary, RequestState
from intempt_core.mapping import Mapping, is_unmapped_json
from intempt_core.targets import Target, derive_target_key
from intempt_core.workers import CheckFile
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import format_target, format_team_badge
from pages.parts.shared.links import open_resend, show_link
from pages.parts.shared.result_view import show_batch_result
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.screens import set_title
from pages.parts.shared.send_flow import (
    show_batch_controls,
    watch_batch,
)
from pages.parts.shared.services import get_services
from pages.parts.shared.team_rules import get_team_rules, show_rules_choice
from pages.parts.upload.comparison_view import show_comparison
from pages.parts.upload.expectations_view import show_expectations
from pages.parts.upload.file_view import describe_file, show_upload_intro
from pages.parts.upload.mapping_view import show_mapping_editor
from pages.parts.upload.plan_view import show_earlier_batches, show_plan_step
from pages.parts.upload.problems_view import show_problem_explorer
from pages.parts.upload.saved_mappings_view import describe_saved_name
from pages.parts.upload.state import (
    CheckedFile,
    check_upload,
    get_current_table,
    get_upload_state,
    make_read_task,
    see_half_recorded,
    see_history_of_check,
    set_events_unchanged,
    settle_mapping,
    start_next_upload,
)
from pages.parts.upload.step import show_step

EVENTS_UNCHANGED, EVENTS_MAPPED = "unchanged", "mapped"
"""How events of JSON lines are sent."""


def describe_mapping(mapping: Mapping) -> str:
    """How many columns a mapping uses, in a line."""
    if is_unmapped_json(get_current_table(), mapping):
        return "every event is sent unchanged"
    header = get_current_table().header
    used = len([column for column in mapping.columns if column in header])
    names = f" · {format_count(len(mapping.names), 'event name')} mapped" if mapping.names else ""
    return f"{used} of {format_count(len(header), 'column')} used{names}{describe_saved_name(mapping)}"


def show_mapping_step(target: Target) -> Mapping | None:
    """Step 2, Mapping: columns to fields, values to names; the mapping once it is settled and can be used."""
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
    """The choice to send events of JSON lines unchanged, or to map them; whether they are sent unchanged."""
    found, widget = get_upload_state(), make_key("upload-json-events", get_upload_state().digest)
    unchanged = is_unmapped_json(get_current_table(), mapping)
    st.session_state[widget] = EVENTS_UNCHANGED if unchanged else EVENTS_MAPPED
    st.segmented_control(
        "Events of the file",
        (EVENTS_UNCHANGED, EVENTS_MAPPED),
        key=widget,
        required=True,
        on_change=lambda: set_events_unchanged(unchanged=st.session_state[widget] == EVENTS_UNCHANGED),
    )
    if unchanged:
        st.text("Every event is sent exactly as it is in its line: nothing is added or corrected.")
        if not found.mapping_settled:
            st.button("Use the events unchanged", key="upload-settle", type="primary", on_click=settle_mapping)
    return unchanged


def show_checked_steps(mapping: Mapping, target: Target) -> None:
    """Steps 3 and 4, Problems and Plan; or why the file cannot be checked or planned."""
    try:
        show_plan_step(show_problems_step(mapping, target), target)
    except (MappingError, ReadError, RulesError) as error:
        if isinstance(error, RulesError):
            show_rules_choice("upload", str(error))
        with st.container(border=True, key="upload-trouble"):
            st.markdown(":red-badge[■ stopped]")
            st.text(str(error))


def show_problems_step(mapping: Mapping, target: Target) -> CheckedFile:
    """Step 3, Problems: check the file, and show the problems by kind."""
    found = get_upload_state()
    found.question = CheckFile(
        make_read_task(found.digest, found.name, found.dialect),
        mapping.to_json(),
        found.fresh,
        derive_target_key(target),
        see_history_of_check(target).as_text,
        found.fixes,
        get_services().catalogue_time(derive_target_key(target)),
        see_half_recorded(target),
        get_team_rules(),
    )
    checked = check_upload(found.question)
    show_comparison(checked)
    show_problems_line(checked)
    rules = found.question.rules
    show_rules_choice("upload", notes=rules.check_mapping(checked.mapped) if rules is not None else ())
    show_expectations(checked)
    return checked


def show_problems_line(checked: CheckedFile, *, live: bool = True) -> None:
    """The problems of a file as a line that unfolds; they can be fixed as long as nothing was sent (``live``)."""
    report = checked.report
    badges = []
    if report.rows_with_errors:
        badges.append(f":red-badge[■ {format_count(report.rows_with_errors, 'row')} with errors]")
    if report.rows_with_warnings:
        badges.append(f":orange-badge[◆ {format_count(report.rows_with_warnings, 'row')} with warnings]")
    if report.rule_counts:
        events = np.unique(np.concatenate([report.rows_of(code) for code in report.rule_counts]))
        team = report.input_rows_of(events).size
        errors = f", {report.rows_with_rule_errors:,} with errors" if report.rows_with_rule_errors else ""
        badges.append(format_team_badge(f"{format_count(team, 'row breaks', 'rows break')} the team's rules{errors}"))
    line = "" if report.rows_with_errors or report.rule_counts else "warnings only" if badges else "none"
    if report.origin is not None:
        line = f"{format_count(report.rows, 'row')} become {format_count(report.events, 'event')} · {line}".rstrip(" ·")
    if checked.fixes:
        fixes = f"{format_count(len(checked.fixes), 'fix', 'fixes')}"
        line = f"{line} · {fixes} in {format_count(sum(checked.cells_changed), 'cell')}".lstrip(" ·")
    label = "View problems" if badges else "View rows" if live and report.rows else ""
    has_errors = bool(report.rows_with_errors or report.rule_counts)
    if show_step(3, "Problems", line, label, " ".join(badges), is_open=live and has_errors):
        show_problem_explorer(checked, live=live)


def show_sent_batch(id_: str) -> None:
    """What was sent, its progress and its result, from history: it can be opened by a link."""
    found = get_upload_state()
    try:
        batch = get_services().history.queries.batch(id_)
    except NotFound as error:
        st.text(str(error))
        show_upload_intro()
        return
    st.query_params.from_dict({"batch": id_})
    set_title(batch.label)
    if found.question is not None:
        show_step(1, "File", describe_file())
        show_step(2, "Mapping", describe_mapping(Mapping.from_json(batch.mapping)))
        show_problems_line(check_upload(found.question), live=False)
    else:
        show_step(1, "File", f"{batch.label} · {format_count(batch.rows, 'row')}")
    events = f"{format_count(batch.planned, 'event')} · {format_count(batch.persons, 'user')}"
    skipped = f" · {format_count(batch.excluded_rows, 'row')} skipped" if batch.excluded_rows else ""
    show_step(4, "Plan", f"{events} → {format_target(batch.target.name)}{skipped}")
    st.markdown("**5 Sending**")
    watch_batch(id_)
    batch = get_services().history.queries.batch(
        id_
    )  # read after the watch began, so that no end of the batch is missed
    show_batch_controls(batch)
    if not batch.is_active:
        show_upload_result(batch)


def show_upload_result(batch: BatchSummary) -> None:
    """Step 6, Result: what became of the events, what is left to decide, a line for each row of the file, and links."""
    st.markdown(f"**6 Result{'' if batch.is_final else ' so far'}**")
    show_batch_result(batch)
    unknown = batch.waiting.get(RequestState.UNKNOWN)
    with st.container(horizontal=True, vertical_alignment="center"):
        if (
            batch.is_final
            and unknown
            and st.button(f"Resolve {unknown:,} unknown (may have arrived)", key="upload-resolve")
        ):
            open_resend(batch.id)
        show_download(
            "results.csv",
            lambda: export_results_csv(get_services().history, batch.id),
            "results.csv",
            "text/csv",
            key="upload-results",
        )
        if batch.events.get(RequestState.ACCEPTED):
            show_link("feeds.py", "Conversion", {"batch": batch.id})
        show_link("history.py", "Open in History", {"batch": batch.id})
        st.button("Upload another", key="upload-next", on_click=start_next_upload)
