"""The pieces of the Sandbox screen that have it fail on purpose: what is active, and the choice of one more."""

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
)
from intempt_core.errors import SandboxUnavailable
from pages.parts.sandbox.state import (
    add_fault,
    end_all_faults,
    end_fault,
    get_sandbox_state,
    set_deduplicates,
)
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.sandbox_connection import get_sandbox_client
from pages.parts.shared.screen_state import make_key

FAULT_LABELS = {
    "status": "Answer with a status",
    "latency": "Answer late",
    "slow_answer": "Answer piece by piece",
    "no_answer": "Never answer",
    "cut": "Cut the connection",
    "too_large": "Refuse large requests",
}
"""The faults as they are chosen."""

RETRY_AFTER_STATUSES = (429, 503)
"""Statuses that say when to come again (CONTRACT 3.5)."""


def show_active_faults() -> None:
    """What goes wrong on purpose now, plainly, each with the way to end it; nothing where nothing does."""
    try:
        now = get_sandbox_client().read_faults()
    except SandboxUnavailable:
        return  # the live rows say so
    if not now.active:
        return
    with st.container(border=True, key="sandbox-failing"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(":orange-badge[◆ failing on purpose]", width="content")
            st.text(now.sentence, width="stretch")
            st.button("Stop failing", key="sandbox-stop", type="primary", on_click=end_all_faults)
        if len(now.faults) > 1:
            for number, fault in enumerate(now.faults):
                words = fault.describe(fault.effect)
                st.button(f"End: {escape_markdown(words)}", key=make_key("sandbox-end", number), type="tertiary",
                          on_click=end_fault, args=(number,))  # fmt: skip


def choose_fault() -> None:
    """One more fault, chosen by its kind, how often, and where."""
    with st.expander("Fail on purpose", key="sandbox-fail"):
        st.text(
            "Rehearse what a target may do to a bulk send. Only requests that are good in themselves meet a fault; it "
            "ends when you stop it, or when the sandbox is started anew."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.selectbox(
                "What happens", list(FAULT_LABELS), format_func=FAULT_LABELS.__getitem__, key="fault-kind", width=220
            )
            path = st.segmented_control("To", list(FAULT_PATH_LABELS), format_func=FAULT_PATH_LABELS.__getitem__, key="fault-path",
                                        default="*", required=True)  # fmt: skip
            share = st.number_input("Of 100 requests", 1, 100, 10, key="fault-share", width=130)
            fault = _build_fault(kind, path or "*", int(share) / 100)
        st.button(
            f"Fail: {escape_markdown(fault.describe(fault.effect))}",
            key="fault-add",
            on_click=add_fault,
            args=(fault,),
        )
        _show_repeats_switch()
        if trouble := get_sandbox_state().trouble:
            st.markdown(":red-badge[■ not changed]")
            st.text(trouble)


def _build_fault(kind: str, path: str, share: float) -> Fault:
    """The fault that is chosen, its own fields drawn beside the others."""
    if kind == "latency":
        return LatencyFault(fault="latency", path=path, share=share, ms=_choose_number("Milliseconds", 1, 600_000, 500))
    if kind == "slow_answer":
        return SlowResponseFault(
            fault="slow_answer", path=path, share=share, ms=_choose_number("Milliseconds", 1, 600_000, 3_000)
        )
    if kind == "too_large":
        return TooLargeFault(
            fault="too_large", path=path, share=share, events=_choose_number("Above, in events", 0, 10_000, 20)
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
    ways = ["before storing", "after storing"]
    return st.selectbox("When", ways, index=ways.index(first), key=make_key("fault-when", first), width=150) == ways[1]


def _show_repeats_switch() -> None:
    try:
        now: FaultDocument = get_sandbox_client().read_faults()
    except SandboxUnavailable:
        return
    words = "Ignore repeated event ids again" if not now.deduplicates else "Store repeated event ids as new events"
    st.button(words, key="fault-repeats", on_click=set_deduplicates, args=(not now.deduplicates,))
