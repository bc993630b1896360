"""The screens: what each is called and for, and the title of a browser tab, which names what is open in it."""

from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from pages.parts.shared.screen_state import get_screen_state

PRODUCT_NAME = "Event Console"

DOCS_FOLDER = Path(__file__).parents[3] / "docs"
"""The pages of help, which ship with the console."""

_ICON = Path(__file__).parents[1] / "icon.png"


@dataclass(frozen=True, slots=True)
class ScreenInfo:
    """What a screen is called, and what it is for.

    Attributes:
        file: Its file beside ``console.py``.
        title: Its name in the navigation, which is also its heading.
        purpose: What it is for, in one line.
        help_page: The page of ``docs/`` that explains it, without its suffix.
        url_path: Where it is opened; ``None`` where that is its file's name.
        in_navigation: Whether the navigation lists it.
    """

    file: str
    title: str
    purpose: str
    help_page: str = "first-run"
    url_path: str | None = None
    in_navigation: bool = True


SCREENS = (
    ScreenInfo(
        "compose.py",
        "Compose",
        "Send one test event, or a whole journey, and see what the feeds make of it.",
        help_page="compose",
    ),
    ScreenInfo("upload.py", "Upload", "Check a file of events row by row, fix what is wrong, and send it."),
    ScreenInfo(
        "explain.py",
        "Inspect",
        "Paste what an application sent: every problem at its place, and what became of each event.",
        url_path="inspect",
        help_page="issues",
    ),
    ScreenInfo("history.py", "History", "Everything that was sent from here, with its responses, kept for good."),
    ScreenInfo("feeds.py", "Feeds", "Find out why a product is, or is not, in a feed of a user."),
    ScreenInfo(
        "sandbox.py",
        "Sandbox",
        "Watch everything that reaches the test server on this machine, and simulate failures.",
        url_path="watch",
        help_page="sandbox",
    ),
    ScreenInfo(
        "targets.py", "Targets", "The places that events can be sent to, and what each promises.", help_page="targets"
    ),
    ScreenInfo(
        "help.py", "Help", "How to use the console, page by page; these pages ship with it.", in_navigation=False
    ),
)
"""Every screen, in the order of the navigation; the first is opened where the address names none."""


def find_url_path(file: str) -> str:
    """The address of a screen, below the console's, by its file."""
    return next((one.url_path for one in SCREENS if one.file == file), None) or file.removesuffix(".py")


@dataclass
class OpenScreen:
    """The screen that is open in this tab.

    Attributes:
        title: Its name.
    """

    title: str = ""


@dataclass
class ScreenPages:
    """The pages of the navigation in one tab.

    Attributes:
        pages: One for each screen, in their order; empty until they are first asked for.
    """

    pages: list[st.Page] = field(default_factory=list)


def list_pages() -> list[st.Page]:
    """The pages of the navigation, made once for a tab: for each its file is looked up on the disk."""
    made = get_screen_state(ScreenPages)
    made.pages = made.pages or [
        st.Page(
            one.file,
            title=one.title,
            url_path=one.url_path,
            default=one is SCREENS[0],
            visibility="visible" if one.in_navigation else "hidden",
        )
        for one in SCREENS
    ]
    return made.pages


def configure_page(title: str) -> None:
    """Set up the page for a screen: its title, its icon, the whole width."""
    get_screen_state(OpenScreen).title = title
    st.set_page_config(page_title=f"{title} · {PRODUCT_NAME}", page_icon=_ICON, layout="wide")


def set_title(what: str) -> None:
    """Name what is open, such as the batch or the request, in the title of the browser's tab."""
    one_line = " ".join(what.split())
    st.set_page_config(page_title=f"{one_line} · {get_screen_state(OpenScreen).title} · {PRODUCT_NAME}")
