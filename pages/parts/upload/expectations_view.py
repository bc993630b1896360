"""The expectations of a file with a column ``expect``: the result for each row, and its downloads."""

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from intempt_core.contract import ISSUE_KINDS, Severity, format_count
from intempt_core.errors import ConsoleError
from intempt_core.mapping import EXPECT_COLUMN
from intempt_core.validation import ExpectationReport, ExpectationResult, ExpectationState
from intempt_core.workers import ExportKind
from pages.parts.shared.downloads import show_download
from pages.parts.shared.screen_state import make_key
from pages.parts.upload.state import CheckedFile

RESULTS_PER_PAGE = 50
"""Rows on one page of results."""

EVERY_ROW = "every row"

_STATE_SYMBOLS = {
    ExpectationState.PASSED: "✓",
    ExpectationState.FAILED: "■",
    ExpectationState.UNREADABLE: "◆",
    ExpectationState.UNTESTED: "–",
}
_STATE_LABELS = {
    ExpectationState.PASSED: "as expected",
    ExpectationState.FAILED: "not as expected",
    ExpectationState.UNREADABLE: "cannot be read",
    ExpectationState.UNTESTED: "expects nothing",
}


def show_issue_codes() -> None:
    """Every code of the contract, for a file that says in a column what is expected of its rows."""
    with st.expander("Codes for a column expect", key="upload-codes", type="compact"):
        st.text(
            "A file with a column expect tests itself: each cell says ok (no error), or the codes of exactly the errors"
            " that its row has, separated by spaces. An empty cell expects nothing. The column is never sent."
        )
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "code": kind.code,
                        "severity": kind.severity.value,
                        "what": kind.title,
                        "allowed": kind.allowed,
                    }
                    for kind in sorted(ISSUE_KINDS.values(), key=lambda kind: kind.severity is not Severity.ERROR)
                ]
            ),
            hide_index=True,
            key="upload-code-table",
            alt="The codes of all issues, their severity, and what is allowed",
        )


def show_expectations(checked: CheckedFile) -> None:
    """The results of the column ``expect``, if the file has one; open where a row is not as it expects."""
    if EXPECT_COLUMN not in checked.mapped.table.header:
        return
    try:
        found = checked.expectations
    except ConsoleError as error:
        st.text(f"Column {EXPECT_COLUMN}: {error}")
        return
    counts = found.counts
    badges = []
    if counts[ExpectationState.FAILED]:
        badges.append(f":red-badge[■ {format_count(counts[ExpectationState.FAILED], 'row')} not as expected]")
    if counts[ExpectationState.UNREADABLE]:
        unread = format_count(counts[ExpectationState.UNREADABLE], "expectation")
        badges.append(f":orange-badge[◆ {unread} cannot be read]")
    with st.container(key="upload-expectations"):
        if badges:
            st.markdown(" ".join(badges))
        with st.expander(f"column {EXPECT_COLUMN}: {found.summary}", expanded=bool(badges), key="upload-test"):
            show_expectation_results(checked, found)


def show_expectation_results(checked: CheckedFile, found: ExpectationReport) -> None:
    """The results, a line each; by default those that are not as expected."""
    counts = found.counts
    states = [state for state in ExpectationState if counts[state]]
    wrong = [state for state in states if state in (ExpectationState.FAILED, ExpectationState.UNREADABLE)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Show",
            [EVERY_ROW, *states],
            index=1 + states.index(wrong[0]) if wrong else 0,
            format_func=lambda state: (
                state if state == EVERY_ROW else f"{_STATE_LABELS[ExpectationState(state)]} ({counts[state]:,})"
            ),
            key="upload-test-shown",
            width=320,
        )
        show_download(
            "tests.json",
            lambda: checked.export(ExportKind.EXPECTATIONS_JSON).iter_texts(),
            "tests.json",
            "application/json",
            key="upload-test-json",
        )
        show_download(
            "tests.xml (JUnit)",
            lambda: checked.export(ExportKind.EXPECTATIONS_JUNIT).iter_texts(),
            "tests.xml",
            "application/xml",
            key="upload-test-junit",
        )
    rows = found.rows_in(*ExpectationState) if chosen == EVERY_ROW else found.rows_in(ExpectationState(chosen))
    pages = -(-len(rows) // RESULTS_PER_PAGE)
    page = st.pagination(pages, key=make_key("upload-test-page", chosen)) if pages > 1 else 1
    show_expectation_table(found.results(rows[(page - 1) * RESULTS_PER_PAGE : page * RESULTS_PER_PAGE]))


def show_expectation_table(results: Iterable[ExpectationResult]) -> None:
    """Some results as a table."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "": _STATE_SYMBOLS[result.state],
                    "row": result.row,
                    "line": result.line,
                    "result": _STATE_LABELS[result.state],
                    "expected": result.expected[:200],
                    "found": " ".join(result.found),
                    "reason": result.message,
                }
                for result in results
            ]
        ),
        hide_index=True,
        key="upload-test-results",
        alt="What each row expects, and what was found",
    )
