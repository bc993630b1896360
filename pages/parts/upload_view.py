"""The pieces of the Upload screen: the empty screen, and the six steps of the road."""

from uuid import uuid4

import streamlit as st

from intempt_core import ConsoleError, Dialect, Mapping, Target
from intempt_core.exports import results_csv
from intempt_core.history import BatchState, RequestState, target_key
from intempt_core.payloads import read_payload
from pages.parts import mapping_view, problems_view, sending, uploading
from pages.parts.house import house
from pages.parts.look import badges, counted, escaped, moment, weight
from pages.parts.session import key
from pages.parts.uploading import Judged, Uploading

TEMPLATE = """\
name,eventId,userId,productId,timestamp,price
Product viewed,evt_0001,user_123,SKU_987,2026-11-22T12:00:00Z,19.90
Added to cart,evt_0002,user_123,SKU_987,2026-11-22T12:01:00Z,19.90
Removed from cart,evt_0003,user_123,SKU_987,2026-11-22T12:02:00Z,19.90
Product ordered,evt_0004,user_123,SKU_12,2026-11-22T12:03:00Z,5.00
"""

COLUMNS = {
    "name": "One of: Product viewed, Added to cart, Removed from cart, Product ordered. Exactly so.",
    "eventId": "An id that no other event has. Without such a column ids are made from the rows.",
    "userId": "Who did it. profileId, anotherUserId and accountId will do as well; one of them is enough.",
    "productId": "The id of the product, as the catalogue writes it.",
    "timestamp": "When: 2026-11-22T12:00:00Z, or milliseconds since 1970. Optional.",
    "price": "Any further column goes into data under its own name. Optional.",
}

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def dropper(label: str) -> None:
    """The place to drop a file."""
    st.file_uploader(
        label,
        type=None,
        key=uploading.uploader_key(),
        on_change=uploading.take_in,
        max_upload_size=house().settings.upload_mb,
    )


def empty() -> None:
    """Before there is a file: what this is for, where to begin, what the columns mean."""
    st.text(
        "Upload a CSV of events: every problem is shown before anything leaves, then the good rows are sent in order."
    )
    dropper("Drop a CSV file")
    trouble()
    st.download_button(
        "Download a template", TEMPLATE, "events-template.csv", "text/csv", key="upload-template", on_click="ignore"
    )
    st.caption("The template's columns. Other names are fine: they are mapped in the next step.")
    st.table(COLUMNS, border="horizontal")


def trouble() -> None:
    """Why the last file could not be read."""
    if problem := uploading.uploading().problem:
        with st.container(border=True, key="upload-problem"):
            st.markdown(":red-badge[■ this file cannot be read]")
            st.text(problem)


def step(number: int, title: str, line: str) -> bool:
    """One settled step as a line, with a switch that opens it again; whether it is open."""
    with st.container(horizontal=True, vertical_alignment="center", key=key("upload-step", number)):
        st.markdown(f"**{number} {title}**", width=110)
        with st.container(width="stretch"):
            st.text(line)
        return st.toggle("Open", key=key("upload-open", number), persist_state="session")


def file_step() -> None:
    """1 File: what was understood, and the ways to read it otherwise."""
    table, dialect = uploading.table(), uploading.table().dialect
    delimiter = DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))
    line = (
        f"{table.name} · {counted(table.rows, 'row')} · {counted(len(table.header), 'column')} · "
        f"{weight(table.size)} · "
        f"{dialect.encoding}, {delimiter}, header in line {dialect.header_line}"
    )
    if not step(1, "File", line):
        trouble()
        return
    for note in table.notes:
        st.text(note)
    encoding, delimiters, quote, header = st.columns(4)
    chosen = Dialect(
        encoding.selectbox(
            "Encoding", dict.fromkeys((dialect.encoding, *ENCODINGS)), key=key("upload-encoding", table.digest)
        ),
        delimiters.selectbox(
            "Delimiter",
            dict.fromkeys((dialect.delimiter, *DELIMITERS)),
            format_func=lambda d: DELIMITERS.get(d, d),
            key=key("upload-delimiter", table.digest),
        ),
        quote.selectbox("Quote", dict.fromkeys((dialect.quote, '"', "'")), key=key("upload-quote", table.digest)),
        int(
            header.number_input("Header in line", 1, 1000, dialect.header_line, key=key("upload-header", table.digest))
        ),
    )
    st.button(
        "Read it this way", key="upload-reread", on_click=uploading.reread, args=(chosen,), disabled=chosen == dialect
    )
    trouble()
    dropper("Another file")


def mapping_step() -> Mapping | None:
    """2 Mapping: columns to fields, cells to names; the mapping once it is settled."""
    found, table = uploading.uploading(), uploading.table()
    mapping = found.mapping or Mapping({})
    if not found.mapped:
        st.markdown("**2 Mapping**")
        mapping_view.editor(table, mapping)
        return None
    used = len([column for column in mapping.columns if column in table.header])
    line = f"{used} of {counted(len(table.header), 'column')} used · {counted(len(mapping.names), 'event name')} mapped"
    if step(2, "Mapping", line):
        mapping_view.editor(table, mapping)
    return mapping


def problems_step(mapping: Mapping, target: Target) -> Judged:
    """3 Problems: counts by kind, the rows with the bad cell marked, and the ways to take them along."""
    found = uploading.uploading()
    judged = uploading.judged(
        uploading.Question(
            found.digest,
            found.name,
            found.dialect or uploading.table().dialect,
            mapping.to_json(),
            found.fresh,
            target_key(target),
            found.stamp,
        )
    )
    report = judged.report
    errors = f"{counted(report.rows_with_errors, 'row')} with errors" if report.rows_with_errors else "none that block"
    line = f"{errors} · {counted(report.rows_with_warnings, 'row')} with warnings"
    if step(3, "Problems", line):
        problems_view.explorer(judged)
    return judged


def plan_step(judged: Judged, target: Target) -> None:
    """4 Plan: what will leave, in which order, to whom; the confirm."""
    found = uploading.uploading()
    st.markdown("**4 Plan**")
    before(target)
    bad = judged.report.rows_with_errors
    if bad:
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
    if judged.mapped.makes_ids:
        st.caption(
            "The file has no event ids: each is made from its row, so the same row always gets the same id. "
            "A new run of the same fixture takes fresh ones."
        )
        st.button("Fresh ids for this run", key="upload-fresh", on_click=_fresh, args=(found,))
    plan = judged.plan(everything=found.everything)
    if not plan.events:
        st.text("No row can be sent: every row has an error. Mend the file, or send the rows as they are.")
        return
    st.text(
        f"{counted(plan.events, 'event')} of {counted(plan.persons, 'person')} · "
        f"{counted(len(plan.requests), 'request')} in {counted(plan.lanes, 'lane')} · to {target.title}"
    )
    if plan.lanes > 1 and plan.largest_lane > plan.events / 2:
        st.text(f"One lane holds {plan.largest_lane:,} of them: a person's events go one after another.")
    with st.expander("The first request", key="upload-first", type="compact"):
        first = read_payload(plan.body(plan.requests[0]).decode()).text
        st.code(f"POST {target.track_url}\n\n{first}", language=None, wrap_lines=True, height=300)
    policy = sending.policy_choice(target, "upload")
    if sending.named(target, "upload"):
        st.button(
            f"Send {counted(plan.events, 'event')} to {escaped(target.title)}",
            key="upload-send",
            type="primary",
            on_click=uploading.submit,
            args=(judged, plan, target, policy),
        )


def _fresh(found: Uploading) -> None:
    found.fresh = uuid4().hex


def before(target: Target) -> None:
    """When this very file went to this target before, and what came of it."""
    for batch in house().history.same_file(uploading.uploading().digest, target_key(target))[:3]:
        accepted = batch.events.get(RequestState.ACCEPTED, 0)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(
                f"This file was sent on {moment(batch.created_at)}: {accepted:,} of "
                f"{counted(batch.total, 'event')} accepted."
            )
            st.page_link("history.py", label="See it", query_params={"batch": batch.id})


def sent_line(judged: Judged) -> None:
    """4 Plan, settled."""
    report = judged.report
    stayed = 0 if uploading.uploading().everything else report.rows_with_errors
    st.text(f"4 Plan   {counted(report.rows - stayed, 'event')} sent, {counted(stayed, 'row')} stayed behind")
    st.markdown("**5 Sending**")


def result(batch: str) -> None:
    """6 Result: the outcomes, one line per input row to take along, and the way into history."""
    summary = house().history.batch(batch)
    sending.controls(summary)
    if summary.state is BatchState.SENDING:
        return
    st.markdown(f"**6 Result** {badges(summary.events)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "results.csv",
            lambda: "".join(results_csv(house().history, batch)),
            "results.csv",
            "text/csv",
            key="upload-results",
            on_click="ignore",
        )
        st.page_link("history.py", label="See it in History", query_params={"batch": batch})
        st.button("Another file", key="upload-again", on_click=uploading.begin_again)
    if summary.reason:
        st.text(summary.reason)


def read_error(error: ConsoleError) -> None:
    """A sentence in the place of a step that could not be done."""
    st.markdown(":red-badge[■ this does not work]")
    st.text(str(error))
