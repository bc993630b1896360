"""Announces a result: screen readers hear it, and the keyboard focus goes to it."""

from pages.parts.shared.widgets.component import load_component


def announce(message: str, *, token: str, place: str, label: str, focus_token: str, key: str) -> None:
    """Announce ``message`` in the live region of the page, and move the focus to the container with the key ``place``.

    Both happen once for each ``token`` and each ``focus_token``, in this page of the browser; an empty one does
    nothing. The focus stays where somebody types. ``label`` is what the container is called.
    """
    data = {"message": message, "token": token, "place": place, "label": label, "focusToken": focus_token}
    load_component("announcement")(key=key, data=data)
