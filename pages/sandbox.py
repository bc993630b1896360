"""Sandbox: everything that reaches it, as it comes; and its faults, set on purpose to rehearse what a target may do."""

import streamlit as st

from pages.parts import faults_view, live_view

seq, request = st.query_params.get("event"), st.query_params.get("request")
live_view.keep_link(seq, request)

faults_view.strip()
if request:
    live_view.one_request(request)
elif seq:
    live_view.one_event(seq)
else:
    live_view.filters()
    live_view.watch()
    faults_view.choose()
