"""Sandbox: everything that reaches it, as it arrives; and the failures that it simulates."""

import streamlit as st

from pages.parts.sandbox.faults_view import choose_fault, show_active_faults
from pages.parts.sandbox.live_view import (
    show_sandbox_event,
    show_sandbox_filters,
    show_sandbox_request,
    update_sandbox_link,
    watch_live_rows,
)

seq, request = st.query_params.get("event"), st.query_params.get("request")
update_sandbox_link(seq, request)

show_active_faults()
if request:
    show_sandbox_request(request)
elif seq:
    show_sandbox_event(seq)
else:
    choose_fault()
    show_sandbox_filters()
    watch_live_rows()
