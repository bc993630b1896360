"""The words of the screens: what was replaced by the field's own word is written on no screen any more."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "pages"

REPLACED = {
    r"What (?:left|came back)": "Request, Response",
    r"Headers that left": "Request headers (credentials hidden)",
    r"No answer came": "No response",
    r"not one of (?:the )?four": "unsupported event name",
    r"[Ee]xactly so": "exactly as written",
    r"damaged by a sheet": "id altered by a spreadsheet",
    r"Nothing, if it should be sent again": "This target will ignore it",
    r"yes, but\b|nothing against it|its person is new there": "with warnings, expected to be processed, new user",
    r"Stop failing|Answer late|piece by piece|Never answer|Cut the connection": "Stop simulation, Delay, Slow response",
    r"Refuse large|Store repeated event ids": "Reject large, Turn deduplication off",
    r"\bnot production\b": "Test",
    r"\bdoes not deduplicate\b(?!:)": "duplicates ignored, duplicates counted twice",
    r"Person by\b|known by\b|nobody knows": "Look up by, identified by, unknown",
    r"Send them too, as they are": "Include rows with errors, unchanged",
    r"[Ff]resh id|[Ff]resh for this run": "New id, Generate new",
    r"If an answer never comes": "On timeout",
    r"\bGo on\b|A person paused": "Resume, Paused by you",
    r"will never leave|stays as it is": "queued events are cancelled; sent ones are not affected",
    r"takes its own clock": "the server uses arrival time",
    r"Take out\b|Go there\b": "Remove, Jump to field",
    r"leaves on one line": "sent as one line",
    r"Send as it is|Ready-made journeys|Copy as\b(?! code)": "Send anyway, Journey templates, Copy as code",
    r"its first cells|None is used until you say so|for this very header": "Sample values, Review and apply",
    r"Give every row a value|Mapping as a file|as they stand": "Add constant, Export mapping, Use as is",
    r"Zone of times that name none": "Default time zone",
    r"as the contract wants it": "No problems found",
    r"Look at problems|Another file$|Not this file": "View problems, Upload another, Cancel",
    r"Ask again|Asked of\b|Ask for them|Beside product": "Refresh, Checked at, Load, For product",
    r"As before, and as expected|(?:gained|lost) place": "No change, now #1, removed (was #1)",
    r"Not shown, or not certain": "Why 1 product is not shown",
    r"Everything about this person|depend on everybody": "Open user's feeds, Global feeds",
    r"Fell out|from the stage before": "Drop-off, from previous step",
    r"slowest answers|by the answer to each try": "Slowest responses, Attempts per second by outcome",
    r"\b(?:1 try|tries)\b": "attempt(s)",
    r"Type a target for this session|Describe a target for good|Use this target": "Add temporary target, Save",
    r"The (?:send )?button appears": "(disabled button) Type shop-us to enable",
    r"what nobody can see": "Annotated payload (invisible characters shown)",
    r"one after another\b.*JSON|JSON values one after": "JSON Lines, 3 events",
    r"stands (?:here|in the environment)|Here stands": "is kept here, is read from, Found",
    r"not under other names|As a page": "Include real identities, Download HTML",
    r"before anything left|stands as accepted": "recorded; final state: accepted",
    r"the same by meaning": "no differences",
}  # fmt: skip
"""What is written no more, as a regular expression, and the words in its place."""


def read_texts(file: Path) -> Iterator[tuple[int, str]]:
    """Each text of a file that may be shown, with its line; docstrings are for readers of the code."""
    tree = ast.parse(file.read_text("utf-8"))
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


TEXTS = [(file, line, text) for file in sorted(PAGES.rglob("*.py")) for line, text in read_texts(file)]


@pytest.mark.parametrize("pattern", REPLACED)
def test_a_replaced_text_is_on_no_screen(pattern: str) -> None:
    found = [f"{file.relative_to(PAGES)}:{line}: {text}" for file, line, text in TEXTS if re.search(pattern, text)]
    assert not found, f"write: {REPLACED[pattern]}\n" + "\n".join(found)
