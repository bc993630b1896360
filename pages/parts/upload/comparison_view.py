"""What is new in a file since the last one of its shape was checked: part of step 3 of the upload."""

from dataclasses import replace

import streamlit as st

from intempt_core.contract import now_ms
from intempt_core.errors import ReadError
from intempt_core.validation import PRIOR_SEND_CODES, Baseline, CheckComparison, RememberedCheck
from pages.parts.shared.formatting import format_moment
from pages.parts.shared.services import get_services
from pages.parts.upload.state import CheckedFile, get_upload_state


def show_comparison(checked: CheckedFile) -> None:
    """How many problems are new, fixed and still there since the last other file with the same columns."""
    earlier = _find_earlier_check(checked)
    if earlier is None:
        return
    try:
        compared = CheckComparison.of(_drop_prior_sends(earlier.baseline), _drop_prior_sends(checked.baseline))
        *lines, total = compared.describe()
    except ReadError:
        return  # of another shape after all
    with st.container(key="upload-comparison", gap="xsmall"):
        st.text(f"{total} That was at {format_moment(earlier.at)}.")
        if lines:
            with st.expander("What changed since", key="upload-comparison-lines", type="compact"):
                st.code("\n".join(lines), language=None, wrap_lines=True)


def _drop_prior_sends(found: Baseline) -> Baseline:
    """A check without what depends on what was sent in the meantime, and not on the file."""
    return replace(found, failing={code: rows for code, rows in found.failing.items() if code not in PRIOR_SEND_CODES})


def _find_earlier_check(checked: CheckedFile) -> RememberedCheck | None:
    """The last check of another file of this shape; the one of this file is kept for the next."""
    found, key = get_upload_state(), replace(checked.task, fixes=()).key
    if found.earlier_check[0] != key:
        memory = get_services().saved.checks
        earlier = memory.remember(found.digest, now_ms(), checked.baseline)
        found.earlier_check = key, earlier
    return found.earlier_check[1]
