"""History: what was sent, and the responses. Batches, requests and events can be opened by a link."""

import streamlit as st

from pages.parts.history.diff_view import show_comparison
from pages.parts.history.event_view import show_event_history
from pages.parts.history.list_view import show_batches, show_history_filters, show_undecided
from pages.parts.history.retention_view import show_old_batches
from pages.parts.history.view import show_batch, show_request, update_history_link

params = st.query_params
batch, request, event, compared = (params.get(name) for name in ("batch", "request", "event", "compare"))
update_history_link(batch, request)

if event:
    show_event_history(event)
elif compared is not None:
    show_comparison(compared, params.get("with", ""))
elif request:
    show_request(request)
elif batch:
    show_batch(batch)
else:
    show_history_filters()
    show_undecided()
    show_batches()
    show_old_batches()
