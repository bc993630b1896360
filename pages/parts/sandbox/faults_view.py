"""Simulated failures of the sandbox: those that are active, and the form that adds one."""

import streamlit as st

from intempt_core.contract import (
    FAULT_PATH_LABELS,
    DisconnectFault,
    Fault,
    FaultDocument,
    LatencyFault,
    NoResponseFault,
    SlowResponseFault,
    StatusFault,
    TooLargeFault,
    format_count,
    shorten_value,
)
from intempt_core.errors import SandboxUnavailable
from pages.parts.sandbox.state import (
    add_fault,
    get_sandbox_state,
    remove_all_faults,
    remove_fault,
    set_deduplicates,
)
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.sandbox_connection import get_sandbox_client
from pages.parts.shared.screen_state import make_key

FAULT_LABELS = {
    "status": "Respond with a status",
    "latency": "Delay the response",
    "slow_answer": "Slow response",
    "no_answer": "Time out",
    "cut": "Drop the connection",
    "too_large": "Reject large requests (413)",
}
"""The labels of the failures that can be simulated, by the fault's name in the document."""

RETRY_AFTER_STATUSES = (429, 503)
"""Statuses that say when to try again (CONTRACT 3.5)."""


def show_active_faults() -> None:
    """The failures that are simulated now, those of single projects too, each with a button that removes it; nothing
    where there are none.
    """
    try:
        now = get_sandbox_client().read_all_faults()
    except SandboxUnavailable:
        return  # the live rows show why
    if not now.everything.active and not now.projects:
        return
    with st.container(border=True, key="sandbox-faults"):
        if now.everything.active:
            _show_faults(now.everything)
        for project, faults in now.projects.items():
            _show_faults(faults, project)
        if now.project_count > len(now.projects):
            more = format_count(now.project_count - len(now.projects), "more project")
            st.text(f"… and {more} with failures of their own, which a test or a program has set.")


def _show_faults(faults: FaultDocument, project: str | None = None) -> None:
    """The failures of everything, or those that a test or a program has set for a project, with what removes them."""
    key = "sandbox-stop" if project is None else make_key("sandbox-stop", project)
    of_project = "" if project is None else f" for project {escape_markdown(shorten_value(project))}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":orange-badge[◆ simulating failures{of_project}]", width="content")
        st.text(faults.sentence, width="stretch")
        st.button(
            "Stop simulation" if project is None else "Stop for this project",
            key=key,
            type="primary" if project is None else "secondary",
            on_click=remove_all_faults,
            args=(project,),
        )
    if len(faults.faults) > 1:
        for number, fault in enumerate(faults.faults):
            label = escape_markdown(fault.describe(fault.effect))
            st.button(
                f"Remove: {label}",
                key=make_key("sandbox-remove", number, *([] if project is None else [project])),
                type="tertiary",
                on_click=remove_fault,
                args=(number, project),
            )


def choose_fault() -> None:
    """The form that adds a failure: its kind, its share of requests, and its path."""
    with st.expander("Simulate failures", key="sandbox-simulate"):
        st.text(
            "Rehearse what a target may do to a bulk send. Only valid requests meet a failure; it ends when you stop"
            " it, or when the sandbox is restarted."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.selectbox(
                "Failure", list(FAULT_LABELS), format_func=FAULT_LABELS.__getitem__, key="fault-kind", width=220
            )
            path = st.segmented_control(
                "Path",
                list(FAULT_PATH_LABELS),
                format_func=FAULT_PATH_LABELS.__getitem__,
                key="fault-path",
                default="*",
                required=True,
            )
            share = st.number_input("Percent of requests", 1, 100, 10, key="fault-share", width=130)
            fault = _build_fault(kind, path or "*", int(share) / 100)
        st.button(
            describe_simulation(fault),
            key="fault-add",
            on_click=add_fault,
            args=(fault,),
        )
        _show_deduplication_switch()
        if trouble := get_sandbox_state().trouble:
            st.markdown(":red-badge[■ not changed]")
            st.text(trouble)


def describe_simulation(fault: Fault) -> str:
    """What a simulated failure will do, as the button says that adds it: “Fail 10 % of requests with 500”."""
    of_path = {"*/track": " to track", "*/feeds/*": " to feeds", "*/consents/*": " to consents"}.get(fault.path, "")
    some = "all requests" if fault.share == 1 else f"{fault.share * 100:.0f} % of requests"
    meets = f"{some}{of_path}"
    match fault:
        case StatusFault():
            again = f", to be tried again after {fault.retry_after} s" if fault.retry_after is not None else ""
            return f"Fail {meets} with {fault.status}{again}"
        case LatencyFault():
            return f"Delay the response to {meets} by {fault.ms:,} ms"
        case SlowResponseFault():
            return f"Draw out the response to {meets} over {fault.ms:,} ms"
        case NoResponseFault():
            return f"Time out {meets}, events {'stored' if fault.stored else 'not stored'}"
        case DisconnectFault():
            return f"Drop the connection of {meets}, events {'stored' if fault.stored else 'not stored'}"
        case _:
            return f"Reject {meets} of more than {fault.events:,} events with 413"


def _build_fault(kind: str, path: str, share: float) -> Fault:
    """The chosen fault; its own fields are drawn beside the others."""
    if kind == "latency":
        return LatencyFault(fault="latency", path=path, share=share, ms=_choose_number("Milliseconds", 1, 600_000, 500))
    if kind == "slow_answer":
        return SlowResponseFault(
            fault="slow_answer", path=path, share=share, ms=_choose_number("Milliseconds", 1, 600_000, 3_000)
        )
    if kind == "too_large":
        return TooLargeFault(
            fault="too_large", path=path, share=share, events=_choose_number("Above this many events", 0, 10_000, 20)
        )
    if kind == "no_answer":
        return NoResponseFault(fault="no_answer", path=path, share=share, stored=_choose_stored(first="after storing"))
    if kind == "cut":
        return DisconnectFault(fault="cut", path=path, share=share, stored=_choose_stored(first="before storing"))
    status = _choose_number("Status", 200, 599, 500)
    waits = _choose_number("Retry-After, in s", 0, 86_400, 2) if status in RETRY_AFTER_STATUSES else None
    return StatusFault(fault="status", path=path, share=share, status=status, retry_after=waits)


def _choose_number(label: str, least: int, most: int, default: int) -> int:
    return int(st.number_input(label, least, most, default, key=make_key("fault", label), width=150))


def _choose_stored(*, first: str) -> bool:
    options = ["before storing", "after storing"]
    chosen = st.selectbox("When", options, index=options.index(first), key=make_key("fault-when", first), width=150)
    return chosen == options[1]


def _show_deduplication_switch() -> None:
    try:
        now: FaultDocument = get_sandbox_client().read_faults()
    except SandboxUnavailable:
        return
    label = "Turn deduplication off" if now.deduplicates else "Turn deduplication on"
    st.button(label, key="fault-deduplicates", on_click=set_deduplicates, args=(not now.deduplicates,))
