"""One word for one thing: words that CONTRIBUTING.md replaces appear in no code, screen, help text or page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GAP = r"""(?:[\s_#"'`*-]|\\n)+"""
"""What lies between the words of a phrase: white space, a broken line of a comment or a text, the parts of a name."""


@dataclass(frozen=True)
class ReplacedWord:
    """A word that is written no more.

    Attributes:
        pattern: Matches it, in lower case, where names are split into their parts.
        instead: What is written in its place.
    """

    pattern: str
    instead: str


REPLACED = {
    "mend": ReplacedWord(r"mend(?:s|ed|ing|able)?", "fix"),
    "stays behind": ReplacedWord(rf"(?:stay(?:s|ed|ing)?|left|leave[sd]?){GAP}behind", "excluded"),
    "refused": ReplacedWord(r"refus(?:ed|als?)", "rejected, or what was wrong"),
    "unsent": ReplacedWord(r"unsent", "not sent"),
    "nobody named": ReplacedWord(rf"nobody{GAP}named", "identity missing"),
    "fail on purpose": ReplacedWord(
        rf"(?:fail(?:s|ed|ing|ures?)?|wrong)(?:{GAP}\w+)?{GAP}on{GAP}purpose", "simulate failures"
    ),
    "leaving": ReplacedWord(r"leaving", "in flight"),
    "anew": ReplacedWord(r"anew", "again"),
    "lest": ReplacedWord(r"lest", "so that … not"),
    "whoever": ReplacedWord(r"who(?:so)?ever", "who, or the one who"),
    "seldom": ReplacedWord(r"seldom(?:er)?", "rarely"),
    "room": ReplacedWord(r"rooms?", "package, or space"),
}

WORDS = {f"w{number}": word for number, word in enumerate(REPLACED)}
_CHOICES = "|".join(f"(?P<{group}>{REPLACED[word].pattern})" for group, word in WORDS.items())
ANY_REPLACED = re.compile(rf"(?<![a-z0-9])(?:{_CHOICES})(?![a-z0-9])")

FILES = sorted(
    path
    for pattern in (
        "*.py",
        "*.md",
        "*.txt",
        "*.toml",
        "intempt_core/**/*.py*",
        "pages/**/*",
        "tests/**/*.py",
        "docs/*.md",
    )
    for path in ROOT.glob(pattern)
    if path.suffix in {".py", ".pyi", ".md", ".txt", ".toml", ".js", ".css", ".html"} and path != Path(__file__)
)


@dataclass(frozen=True)
class Exemption:
    """A place where a replaced word is right.

    Attributes:
        word: The key in :data:`REPLACED`; ``*`` is every word.
        files: A pattern of paths below the project's folder; * stands for any characters.
        line: A regular expression that the line matches, in lower case.
        reason: Why it is right there.
    """

    word: str
    files: str
    line: str
    reason: str


EXEMPTIONS = (
    Exemption("refused", "*", r"connect|econnrefused|network", "a network that refuses a connection: errno's own word"),
    Exemption("*", "CONTRIBUTING.md", r"^\|", "the table of words"),
    Exemption("*", "CHANGELOG.md", "", "it names what was renamed"),
    Exemption("*", "intempt_core/history/migrations/*", "", "a migration reads and writes the values of its time"),
    Exemption("*", "tests/core/history/test_versions.py", "", "databases of earlier versions, as they were"),
    Exemption("mend", "intempt_core/exports/case_file.py", '"mend": "fix"', "a key of the case files of version 1"),
    Exemption("*", "intempt_core/contract/outcome.py", r'"refused"', "values of earlier versions that are still read"),
    Exemption("leaving", "intempt_core/history/records.py", r'\("leaving"\)', "a value that is still read"),
    Exemption("refused", "tests/core/sandbox/test_live.py", 'shown="refused"', "links of earlier versions are taken"),
    Exemption(
        "refused", "tests/pages/test_*.py", r"(?:outcome|shown)\W+refused", "links of earlier versions are taken"
    ),
)


def find_words(text: str) -> Iterator[tuple[int, str]]:
    """Each replaced word in a text, with its line (from 1)."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
    for found in ANY_REPLACED.finditer(split):
        yield split.count("\n", 0, found.start()) + 1, WORDS[found.lastgroup or ""]


def find_exemption(word: str, name: str, line: str) -> Exemption | None:
    return next(
        (
            one
            for one in EXEMPTIONS
            if one.word in (word, "*") and fnmatch(name, one.files) and re.search(one.line, line.lower())
        ),
        None,
    )


def test_a_replaced_word_is_found_in_prose_in_names_and_over_a_broken_line() -> None:
    text = "class TextMend:\n    # stays\n    # behind\n    left_behind = unsent\n"
    assert sorted(find_words(text)) == [(1, "mend"), (2, "stays behind"), (4, "stays behind"), (4, "unsent")]
    assert list(find_words("recommended, amended, broom, bloomed, newest, almost, refuses connections")) == []


@cache
def find_everywhere() -> list[tuple[str, str, int, str]]:
    """Each replaced word in the project: the word, its file, its line (from 1) and what stands there."""
    found = []
    for path in FILES:
        text = path.read_text("utf-8")
        lines = text.splitlines()
        found += [
            (word, str(path.relative_to(ROOT)), number, lines[number - 1].strip()[:140])
            for number, word in find_words(text)
        ]
    return found


@pytest.mark.parametrize("word", REPLACED)
def test_no_replaced_word_is_left(word: str) -> None:
    found = [
        f"{name}:{number}: {line}"
        for which, name, number, line in find_everywhere()
        if which == word and not find_exemption(word, name, line)
    ]
    assert not found, f"“{word}” is {REPLACED[word].instead}:\n" + "\n".join(found)


def test_every_exemption_is_needed() -> None:
    used = {find_exemption(word, name, line) for word, name, _, line in find_everywhere()}
    assert [one for one in EXEMPTIONS if one not in used] == []
