"""The tests of a file that tests itself: what its column ``expect`` says, row by row, and the ways to take it along."""

import pandas as pd
import streamlit as st

from intempt_core import ConsoleError
from intempt_core.expectations import ExpectationReport, ExpectationState
from intempt_core.exports import export_expectations_json, export_expectations_junit
from intempt_core.mapping import EXPECT_COLUMN
from pages.parts.look import counted
from pages.parts.session import key
from pages.parts.steps import step
from pages.parts.taking import download
from pages.parts.uploading import Judged

PAGE = 50
"""Rows of one page of results."""

EVERY = "every row"

_LOOKS = {ExpectationState.PASSED: "✓", ExpectationState.FAILED: "■", ExpectationState.UNREADABLE: "◆", ExpectationState.UNTESTED: "–"}
_WORDS = {
    ExpectationState.PASSED: "as expected",
    ExpectationState.FAILED: "not as expected",
    ExpectationState.UNREADABLE: "cannot be read",
    ExpectationState.UNTESTED: "expects nothing",
}


def tests(judged: Judged) -> None:
    """The results as a line that unfolds, where the file has a column ``expect``."""
    if EXPECT_COLUMN not in judged.mapped.table.header:
        return
    try:
        found = judged.tests
    except ConsoleError as error:
        step(0, "Test", str(error))
        return
    counts = found.counts
    marks = []
    if counts[ExpectationState.FAILED]:
        marks.append(f":red-badge[■ {counted(counts[ExpectationState.FAILED], 'row')} not as expected]")
    if counts[ExpectationState.UNREADABLE]:
        unread = counted(counts[ExpectationState.UNREADABLE], "expectation")
        marks.append(f":orange-badge[◆ {unread} cannot be read]")
    if step(0, "Test", f"column {EXPECT_COLUMN}: {found.summary}", "Look at results", " ".join(marks)):
        results(judged, found)


def results(judged: Judged, found: ExpectationReport) -> None:
    """One line a row, those first chosen that are not as expected."""
    there = [state for state in ExpectationState if found.counts[state]]
    wrong = [state for state in there if state in (ExpectationState.FAILED, ExpectationState.UNREADABLE)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Show",
            [EVERY, *there],
            index=1 + there.index(wrong[0]) if wrong else 0,
            format_func=lambda state: state if state == EVERY else f"{_WORDS[ExpectationState(state)]} ({found.counts[state]:,})",
            key="upload-test-shown",
            width=320,
        )
        download("tests.json", lambda: export_expectations_json(found), "tests.json", "application/json", key="upload-test-json")
        download(
            "tests.xml (JUnit)",
            lambda: export_expectations_junit(found, judged.report),
            "tests.xml",
            "application/xml",
            key="upload-test-junit",
        )
    rows = found.rows_in(*ExpectationState) if chosen == EVERY else found.rows_in(ExpectationState(chosen))
    pages = -(-len(rows) // PAGE)
    page = st.pagination(pages, key=key("upload-test-page", chosen)) if pages > 1 else 1
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "": _LOOKS[result.state],
                    "row": result.row,
                    "line": result.line,
                    "result": _WORDS[result.state],
                    "expected": result.expected[:200],
                    "found": " ".join(result.found),
                    "why": result.message,
                }
                for result in found.results(rows[(page - 1) * PAGE : page * PAGE])
            ]
        ),
        hide_index=True,
        key="upload-test-results",
        alt="What each row expects, what was found, and whether they agree",
    )
