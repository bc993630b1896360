"""Upload: from a file to a feed, one road; each step folds to a line when it is settled."""

import streamlit as st

from pages.parts import file_view
from pages.parts import upload_view as view
from pages.parts.frame import target
from pages.parts.uploading import take_in, uploading

take_in()
screen = uploading()

if batch := screen.batch or (not screen.digest and st.query_params.get("batch")):
    view.sent(batch)
    st.stop()
if not screen.digest:
    file_view.empty()
    st.stop()

file_view.file_step()
mapping = view.mapping_step(target())
if mapping is not None:
    view.plan_step(view.problems_step(mapping, target()), target())
