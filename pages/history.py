"""History: what was sent and what came back. A link to a batch or a request opens it cold."""

import streamlit as st

from pages.parts import clearing
from pages.parts import history_view as view

batch, request = st.query_params.get("batch"), st.query_params.get("request")
view.keep_link(batch, request)

if request:
    view.one_request(request)
elif batch:
    view.one_batch(batch)
else:
    view.filters()
    view.batches()
    clearing.old_batches()
