"""Upload: from a file to a feed, one road; each step folds to a line when it is settled."""

import streamlit as st

from pages.parts import upload_view as view
from pages.parts.frame import target
from pages.parts.sending import watch
from pages.parts.uploading import uploading

screen = uploading()

if not screen.digest:
    view.empty()
    st.stop()

view.file_step()
mapping = view.mapping_step()
if mapping is None:
    st.stop()

judged = view.problems_step(mapping, target())
if screen.batch is None:
    view.plan_step(judged, target())
else:
    view.sent_line(judged)
    watch(screen.batch)
    view.result(screen.batch)
