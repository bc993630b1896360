"""History: what was sent and what came back. A link to a batch, a request or an event opens it cold."""

import streamlit as st

from pages.parts import clearing, compare_view, event_view
from pages.parts import history_view as view

params = st.query_params
batch, request, event, compared = (params.get(name) for name in ("batch", "request", "event", "compare"))
view.update_history_link(batch, request)

if event:
    event_view.show_event_history(event)
elif compared is not None:
    compare_view.show_comparison(compared, params.get("with", ""))
elif request:
    view.show_request(request)
elif batch:
    view.show_batch(batch)
else:
    view.show_history_filters()
    view.show_batches()
    clearing.show_old_batches()
