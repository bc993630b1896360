"""The conversion funnel of a batch: viewed → added → ordered as a chart with its figures, and what is unusual."""

import streamlit as st

from intempt_core.analysis import NOTE_MEANINGS, Funnel, FunnelStage, compute_funnel
from intempt_core.contract import EventName, format_count
from intempt_core.errors import NotFound
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import get_screen_state, make_key
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.bar_chart import BarSeries, ChartBar, show_bar_chart

STAGE_VERBS = {EventName.VIEWED: "viewed", EventName.ADDED: "added", EventName.ORDERED: "ordered"}

FUNNEL_SERIES = (BarSeries("from the previous stage", "blue"), BarSeries("skipped the previous stage", "orange"))
"""The parts of a stage's bar."""


class FunnelCache(dict[str, Funnel]):
    """The funnels of finished batches, by the batch's id: a million events take some seconds."""


def show_funnel(id_: str) -> None:
    """The conversion funnel of a batch."""
    try:
        batch = get_services().history.queries.batch(id_)
    except NotFound as error:
        st.text(str(error))
        st.page_link("feeds.py", label="Look up a person")
        return
    show_link("history.py", f"← Batch: {escape_markdown(batch.label)}", {"batch": id_})
    cache = get_screen_state(FunnelCache)
    if id_ not in cache or not batch.is_final:
        with st.spinner(f"Reading {format_count(batch.total, 'event')}"):
            cache[id_] = compute_funnel(get_services().history.outcomes.accepted_events(id_))
    found = cache[id_]
    st.header("Viewed → added → ordered", anchor=False)
    st.text(
        f"{format_count(found.events, 'accepted event')} of {format_count(found.persons, 'person')}. A person"
        " counts in a stage with at least one such event in this batch, in any order."
    )
    if not found.events:
        return
    show_funnel_chart(id_, found)
    show_funnel_notes(found)


def show_funnel_chart(id_: str, found: Funnel) -> None:
    """The three stages as bars, and in words beside them."""
    chart, figures = st.columns([3, 2], gap="large")
    with chart:
        show_bar_chart(
            "Viewed, added, ordered",
            ". ".join(describe_stage(stage, found.persons) for stage in found.stages),
            FUNNEL_SERIES,
            [
                ChartBar(
                    f"{number} {STAGE_VERBS[stage.name]}",
                    format_count(stage.total, "person"),
                    (stage.persons, stage.skipped),
                )
                for number, stage in enumerate(found.stages, 1)
            ],
            horizontal=True,
            key=make_key("funnel", id_),
        )
    with figures:
        for stage in found.stages:
            st.text(describe_stage(stage, found.persons))
        viewed, added, _ = found.stages
        for lost, total, description in zip(
            found.lost,
            (viewed.persons, added.persons),
            ("viewed and added nothing", "viewed, added and ordered nothing"),
            strict=True,
        ):
            st.text(f"Drop-off: {format_count(lost, 'person')} {description}{_format_share(lost, total)}")


def describe_stage(stage: FunnelStage, total_persons: int) -> str:
    """A stage in words."""
    skipped = f", {stage.skipped:,} of them without the previous stage" if stage.skipped else ""
    persons = f"{format_count(stage.total, 'person')}{_format_share(stage.total, total_persons)}"
    return f"{STAGE_VERBS[stage.name].capitalize()}: {persons}{skipped}"


def _format_share(part: int, whole: int) -> str:
    return f" ({part / whole:.1%})" if whole else ""


def show_funnel_notes(found: Funnel) -> None:
    """What is unusual in these events, counted; notes, not errors."""
    for kind, noted in found.notes.items():
        cases = f"{format_count(noted.cases, 'case')} of {format_count(noted.persons, 'person')}"
        st.markdown(f":blue-badge[{kind.value}: {cases}]")
        st.caption(NOTE_MEANINGS[kind])
