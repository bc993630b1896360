"""Upload: from a file to a feed, one road; each step folds to a line when it is settled."""

import streamlit as st

from pages.parts import file_view
from pages.parts import upload_view as view
from pages.parts.frame import get_selected_target
from pages.parts.uploading import get_upload_state, receive_file

receive_file()
screen = get_upload_state()

if batch := screen.batch or (not screen.digest and st.query_params.get("batch")):
    view.show_sent_batch(batch)
    st.stop()
if not screen.digest:
    file_view.show_upload_intro()
    st.stop()

file_view.show_file_step()
mapping = view.show_mapping_step(get_selected_target())
if mapping is not None:
    view.show_plan_step(view.show_problems_step(mapping, get_selected_target()), get_selected_target())
