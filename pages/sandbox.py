"""Sandbox: everything that reaches it, as it comes; and its faults, set on purpose to rehearse what a target may do."""

import streamlit as st

from pages.parts import faults_view, live_view

seq, request = st.query_params.get("event"), st.query_params.get("request")
live_view.update_sandbox_link(seq, request)

faults_view.show_active_faults()
if request:
    live_view.show_sandbox_request(request)
elif seq:
    live_view.show_sandbox_event(seq)
else:
    live_view.show_sandbox_filters()
    live_view.watch_live_rows()
    faults_view.choose_fault()
