"""What the Help screen shows: a list of the pages of ``docs/``, and one of them with its pictures and links."""

import re
from dataclasses import dataclass
from functools import cache

import streamlit as st

from pages.parts.shared.links import show_link
from pages.parts.shared.screens import DOCS_FOLDER, set_title

HELP_PAGES = {
    "first-run": "A first run, with pictures",
    "install": "Installing it",
    "compose": "Compose and saved journeys",
    "sandbox": "The sandbox",
    "targets": "Targets",
    "issues": "Every problem, and its fix",
    "rules": "The team's own rules",
    "contract": "What the Track API does",
    "command-line": "The command line",
    "build-servers": "Checks in a build",
    "testing-applications": "Tests of an application, to the feed",
    "fixtures": "Files of events to test with",
    "library": "The library",
    "settings": "Settings",
    "operations": "Operations",
    "reliability": "What happens when something breaks",
    "security": "Security",
    "benchmarks": "How fast it is",
    "scale": "How far it scales",
    "architecture": "How it is built",
}
"""The pages, in the order of the list: the name of the file, without its suffix, and what it is about."""

_PICTURE = re.compile(r"^!\[([^\]]*)\]\(pictures/([\w-]+\.png)\)$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class HelpPicture:
    """A picture of a page.

    Attributes:
        file: Its file in ``docs/pictures``.
        alt: What it shows, in words.
    """

    file: str
    alt: str


@cache
def read_help_page(name: str) -> tuple[str | HelpPicture, ...]:
    """A page as parts: texts in Markdown, one level of headings deeper, and pictures between them.

    Links to other pages lead to them inside the console; links to what does not ship are plain text.
    """
    text = re.sub(r"^#", "##", (DOCS_FOLDER / f"{name}.md").read_text("utf-8"), flags=re.MULTILINE)
    parts: list[str | HelpPicture] = []
    at = 0
    for found in _PICTURE.finditer(text):
        parts += [_LINK.sub(_write_link, text[at : found.start()]), HelpPicture(found[2], found[1])]
        at = found.end()
    return (*parts, _LINK.sub(_write_link, text[at:]))


def _write_link(link: re.Match[str]) -> str:
    name = link[2].removesuffix(".md")
    return f"[{link[1]}](help?page={name})" if name in HELP_PAGES else link[1]


def show_help_list(chosen: str) -> None:
    """The pages, as links; the open one is plain text."""
    for name, title in HELP_PAGES.items():
        if name == chosen:
            st.markdown(f"**{title}**")
        else:
            show_link("help.py", title, {"page": name})


def show_help_page(name: str) -> None:
    """One page; where the address names none, what to read first."""
    if name not in HELP_PAGES:
        st.text("Choose a page. A first run, with pictures, is where to begin.")
        return
    set_title(HELP_PAGES[name])
    for part in read_help_page(name):
        if isinstance(part, HelpPicture):
            st.image(DOCS_FOLDER / "pictures" / part.file, alt=part.alt)
        else:
            st.markdown(part)
