"""Puts the cursor into a field."""

from uuid import uuid4

from pages.parts.shared.widgets.component import load_component


def focus_field(field: str, *, key: str) -> None:
    """Put the cursor into the field with the widget key ``field``; each call does it once."""
    load_component("focus_field")(key=key, data={"field": field, "request": uuid4().hex})
