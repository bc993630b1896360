"""Streamlit pieces that screens share."""
