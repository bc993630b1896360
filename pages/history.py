"""History: what was sent and what came back. A link to a batch, a request or an event opens it cold."""

import streamlit as st

from pages.parts import clearing, compare_view, event_view
from pages.parts import history_view as view

given = st.query_params
batch, request, event, compared = (given.get(name) for name in ("batch", "request", "event", "compare"))
view.keep_link(batch, request)

if event:
    event_view.one_event(event)
elif compared is not None:
    compare_view.two(compared, given.get("with", ""))
elif request:
    view.one_request(request)
elif batch:
    view.one_batch(batch)
else:
    view.filters()
    view.batches()
    clearing.old_batches()
