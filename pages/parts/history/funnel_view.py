"""The conversion of a batch: viewed → added → ordered as a picture with its figures, and what is odd, counted."""

import streamlit as st

from intempt_core.analysis import NOTE_MEANINGS, Funnel, FunnelStage, compute_funnel
from intempt_core.contract import EventName
from intempt_core.errors import NotFound
from pages.parts.shared.formatting import escape_markdown, format_quantity
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import get_screen_state
from pages.parts.shared.services import get_services

STAGE_VERBS = {EventName.VIEWED: "viewed", EventName.ADDED: "added", EventName.ORDERED: "ordered"}


class FunnelCache(dict[str, Funnel]):
    """What was worked out in this tab, of batches that are over: a million events take some seconds."""


def show_funnel(id_: str) -> None:
    """One batch's conversion."""
    try:
        batch = get_services().history.batch(id_)
    except NotFound as error:
        st.text(str(error))
        st.page_link("feeds.py", label="Ask about a person")
        return
    show_link("history.py", f"← Batch: {escape_markdown(batch.label)}", {"batch": id_})
    worked = get_screen_state(FunnelCache)
    if id_ not in worked or not batch.is_final:
        with st.spinner(f"Going over {format_quantity(batch.total, 'event')}"):
            worked[id_] = compute_funnel(get_services().history.accepted_events(id_))
    found = worked[id_]
    st.subheader("Viewed → added → ordered", anchor=False)
    st.text(
        f"{format_quantity(found.events, 'accepted event')} of {format_quantity(found.persons, 'person')}. A person counts who did it"
        " at all in this batch, in whatever order."
    )
    if not found.events:
        return
    show_funnel_chart(found)
    show_funnel_notes(found)


def show_funnel_chart(found: Funnel) -> None:
    """The three stages as bars, and beside them the same in words."""
    bars, words = st.columns([3, 2], gap="large")
    with bars:
        st.bar_chart(
            {
                "stage": [f"{number} {STAGE_VERBS[stage.name]}" for number, stage in enumerate(found.stages, 1)],
                "came from the stage before": [stage.persons for stage in found.stages],
                "skipped it": [stage.skipped for stage in found.stages],
            },
            x="stage",
            x_label="",
            y=["came from the stage before", "skipped it"],
            y_label="persons",
            horizontal=True,
            height=220,
            alt=". ".join(describe_stage(stage, found.persons) for stage in found.stages),
        )
    with words:
        for stage in found.stages:
            st.text(describe_stage(stage, found.persons))
        viewed, added, _ = found.stages
        for lost, of, says in zip(
            found.lost,
            (viewed.persons, added.persons),
            ("viewed and added nothing", "viewed, added and ordered nothing"),
            strict=True,
        ):
            st.text(f"Fell out: {format_quantity(lost, 'person')} {says}{_format_share(lost, of)}")


def describe_stage(stage: FunnelStage, total_persons: int) -> str:
    """One stage in words."""
    skipped = f", {stage.skipped:,} of them without the stage before" if stage.skipped else ""
    return f"{STAGE_VERBS[stage.name].capitalize()}: {format_quantity(stage.total, 'person')}{_format_share(stage.total, total_persons)}{skipped}"


def _format_share(part: int, whole: int) -> str:
    return f" ({part / whole:.1%})" if whole else ""


def show_funnel_notes(found: Funnel) -> None:
    """What is odd across these events, counted; notes, and no errors."""
    for kind, noted in found.notes.items():
        st.markdown(
            f":blue-badge[{kind.value}: {format_quantity(noted.cases, 'case')} of {format_quantity(noted.persons, 'person')}]"
        )
        st.caption(NOTE_MEANINGS[kind])
