"""Upload: from a file to its result, step by step; a settled step folds to a line."""

import streamlit as st

from pages.parts.shared.screens import set_title
from pages.parts.shared.session_targets import get_selected_target
from pages.parts.upload.file_view import show_file_step, show_upload_intro
from pages.parts.upload.state import get_upload_state, receive_file
from pages.parts.upload.view import show_checked_steps, show_mapping_step, show_sent_batch

receive_file()
screen = get_upload_state()

if batch := screen.guard.batch or (not screen.digest and st.query_params.get("batch")):
    show_sent_batch(batch)
    st.stop()
if not screen.digest:
    show_upload_intro()
    st.stop()

set_title(screen.name)
show_file_step()
mapping = show_mapping_step(get_selected_target())
if mapping is not None:
    show_checked_steps(mapping, get_selected_target())
