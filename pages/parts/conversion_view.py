"""The conversion of a batch: viewed → added → ordered as a picture with its figures, and what is odd, counted."""

import streamlit as st

from intempt_core import NotFound
from intempt_core.conversion import Funnel, FunnelStage, compute_funnel
from intempt_core.events import EventName
from intempt_core.journeys import NOTE_MEANINGS
from pages.parts.house import house
from pages.parts.look import counted, escaped
from pages.parts.session import room
from pages.parts.taking import link

DID = {EventName.VIEWED: "viewed", EventName.ADDED: "added", EventName.ORDERED: "ordered"}


class Worked(dict[str, Funnel]):
    """What was worked out in this tab, of batches that are over: a million events take some seconds."""


def conversion(id_: str) -> None:
    """One batch's conversion."""
    try:
        batch = house().history.batch(id_)
    except NotFound as error:
        st.text(str(error))
        st.page_link("feeds.py", label="Ask about a person")
        return
    link("history.py", f"← Batch: {escaped(batch.label)}", {"batch": id_})
    worked = room(Worked)
    if id_ not in worked or not batch.is_final:
        with st.spinner(f"Going over {counted(batch.total, 'event')}"):
            worked[id_] = compute_funnel(house().history.accepted_events(id_))
    found = worked[id_]
    st.subheader("Viewed → added → ordered", anchor=False)
    st.text(
        f"{counted(found.events, 'accepted event')} of {counted(found.persons, 'person')}. A person counts who did it"
        " at all in this batch, in whatever order."
    )
    if not found.events:
        return
    picture(found)
    notes(found)


def picture(found: Funnel) -> None:
    """The three stages as bars, and beside them the same in words."""
    bars, words = st.columns([3, 2], gap="large")
    with bars:
        st.bar_chart(
            {
                "stage": [f"{number} {DID[stage.name]}" for number, stage in enumerate(found.stages, 1)],
                "came from the stage before": [stage.persons for stage in found.stages],
                "skipped it": [stage.skipped for stage in found.stages],
            },
            x="stage",
            x_label="",
            y=["came from the stage before", "skipped it"],
            y_label="persons",
            horizontal=True,
            height=220,
            alt=". ".join(figure(stage, found.persons) for stage in found.stages),
        )
    with words:
        for stage in found.stages:
            st.text(figure(stage, found.persons))
        viewed, added, _ = found.stages
        for lost, of, says in zip(
            found.lost,
            (viewed.persons, added.persons),
            ("viewed and added nothing", "viewed, added and ordered nothing"),
            strict=True,
        ):
            st.text(f"Fell out: {counted(lost, 'person')} {says}{_share(lost, of)}")


def figure(stage: FunnelStage, everybody: int) -> str:
    """One stage in words."""
    skipped = f", {stage.skipped:,} of them without the stage before" if stage.skipped else ""
    return f"{DID[stage.name].capitalize()}: {counted(stage.total, 'person')}{_share(stage.total, everybody)}{skipped}"


def _share(part: int, whole: int) -> str:
    return f" ({part / whole:.1%})" if whole else ""


def notes(found: Funnel) -> None:
    """What is odd across these events, counted; notes, and no errors."""
    for kind, noted in found.notes.items():
        st.markdown(f":blue-badge[{kind.value}: {counted(noted.cases, 'case')} of {counted(noted.persons, 'person')}]")
        st.caption(NOTE_MEANINGS[kind])
