"""The pages in ``docs/`` and the README agree with the code, with the contract and with each other."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from intempt_core.contract import ISSUE_KINDS
from tests import generated_docs

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CORE = ROOT / "intempt_core"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
CODE = [
    path
    for path in sorted(ROOT.glob("*.py"))
    + [path for folder in ("intempt_core", "pages", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    if path != Path(__file__)
]


def read_page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def read_prose(path: Path) -> str:
    """A file of code, its line breaks and the comment marks after them as single spaces: citations are broken."""
    return re.sub(r"\s*\n\s*(?:#:?\s*)?", " ", path.read_text("utf-8"))


# ── contract.md ──────────────────────────────────────────────────────────────────────────────────────────────────────

CITATION = re.compile(r"\bCONTRACT ((?:\d(?:\.\d+)?)(?:(?:–|, | and )\d(?:\.\d+)?)*)")


def contract_rows() -> list[str]:
    return re.findall(r"^\| (\d\.\d+) \|", read_page("contract.md"), re.MULTILINE)


def expand_citation(text: str) -> Iterator[str]:
    """Every row and section that a citation names: ``3.4–3.6, 5`` is 3.4, 3.5, 3.6 and 5."""
    for part in re.split(r", | and ", text):
        first, _, last = part.partition("–")
        if not last:
            yield first
        elif "." in first:
            section, low = first.split(".")
            yield from (f"{section}.{row}" for row in range(int(low), int(last.split(".")[1]) + 1))
        else:
            yield from map(str, range(int(first), int(last) + 1))


def cited_rows() -> Mapping[str, list[str]]:
    """Where each row or section is cited, in code, in tests and as an issue's source."""
    found: dict[str, list[str]] = {}
    for path in CODE:
        for citation in CITATION.finditer(read_prose(path)):
            for row in expand_citation(citation[1]):
                found.setdefault(row, []).append(str(path.relative_to(ROOT)))
    for kind in ISSUE_KINDS.values():
        for row in kind.source.split(", "):
            found.setdefault(row, []).append(f"the issue {kind.code}")
    return found


def test_a_citation_may_name_rows_sections_and_ranges() -> None:
    assert list(expand_citation("3.4–3.6, 5 and 6")) == ["3.4", "3.5", "3.6", "5", "6"]
    assert list(expand_citation("1–3")) == ["1", "2", "3"]


def test_the_rows_of_the_contract_are_numbered_without_a_gap() -> None:
    rows = contract_rows()
    for section in sorted({row.split(".")[0] for row in rows}):
        numbers = [int(row.split(".")[1]) for row in rows if row.startswith(f"{section}.")]
        if section == "7":  # ours: each topic begins at a ten of its own
            assert numbers == sorted(set(numbers))
        else:
            assert numbers == list(range(1, len(numbers) + 1))


def test_every_cited_row_of_the_contract_exists() -> None:
    rows = contract_rows()
    known = {*rows, *(row.split(".")[0] for row in rows)}
    assert {row: places for row, places in cited_rows().items() if row not in known} == {}


def test_every_row_of_the_contract_is_cited_by_what_obeys_it() -> None:
    cited = cited_rows()
    assert [row for row in contract_rows() if row not in cited] == []


# ── architecture.md ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_word_that_is_cited_of_the_architecture_is_there() -> None:
    words = {word.casefold().rstrip(".") for word in re.findall(r"\*\*([^*]+)\*\*", read_page("architecture.md"))}
    words |= {heading.casefold() for heading in re.findall(r"^#+ (.+)$", read_page("architecture.md"), re.MULTILINE)}
    unknown = {
        str(path.relative_to(ROOT)): word
        for path in CODE
        for word in re.findall(r"\bARCHITECTURE, ([a-z ]*[a-z])", read_prose(path))
        if word not in words
    }
    assert unknown == {}


def test_nothing_refers_to_a_document_that_is_not_here() -> None:
    absent = re.compile(r"\b(?:DESIGN|FACTS)\b|\b(?:CONTRACT|REVIEW|STYLE|SCREENS|UX)\.md\b")
    texts = [*CODE, *PAGES, *ROOT.glob("*.txt"), ROOT / "pyproject.toml"]
    assert {
        str(path.relative_to(ROOT)): absent.findall(path.read_text())
        for path in texts
        if absent.search(path.read_text())
    } == {}


def test_the_table_of_packages_names_every_package_and_no_other() -> None:
    section = read_page("architecture.md").partition("## Packages")[2].partition("## Imports")[0]
    named = re.findall(r"^\| `(\w+)/` \|", section, re.MULTILINE)
    there = sorted(path.parent.name for path in CORE.glob("*/__init__.py"))
    assert sorted(named) == there


def test_the_core_holds_packages_and_the_modules_that_the_page_names() -> None:
    section = read_page("architecture.md").partition("## Packages")[2].partition("| package")[0]
    named = {*re.findall(r"`(\w+\.py)`", section), "__init__.py", "__main__.py"}
    assert {path.name for path in CORE.glob("*.py")} == named


def test_the_layers_of_the_page_are_those_that_the_linter_holds() -> None:
    section = read_page("architecture.md").partition("## Imports")[2].partition("## Decisions")[0]
    drawn = [block.split("\n") for block in re.findall(r"(?:^    \S.*\n)+", section, re.MULTILINE)]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert [[line.strip() for line in block if line] for block in drawn] == held


# ── pages that are written from the code ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", generated_docs.PAGES)
def test_a_page_that_is_written_from_the_code_is_current(name: str) -> None:
    current = generated_docs.PAGES[name]()
    assert (ROOT / name).read_text("utf-8") == current, f"{name} is not current: {generated_docs.COMMAND}"


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def anchors_of(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        if "://" in name:
            continue
        to = (page.parent / name).resolve() if name else page
        if not to.exists() or not to.is_relative_to(ROOT) or (anchor and anchor not in anchors_of(to)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return  # it names what was
    named = re.findall(
        r"`((?:tests|docs|intempt_core|pages)/[\w./]*|[\w./]*\w\.(?:py|md|toml))`", page.read_text("utf-8")
    )
    there = (ROOT, DOCS, CORE, ROOT / "pages")
    examples = {".streamlit/secrets.toml", "secrets.toml", "state.py"}
    lost = [name for name in named if not any((folder / name).exists() for folder in there)]
    assert [name for name in lost if name not in examples and "NAME" not in name] == []


# ── command line and environment ─────────────────────────────────────────────────────────────────────────────────────


def test_the_page_of_the_command_line_has_every_command_and_every_option() -> None:
    import argparse

    from intempt_core.cli.parser import build_parser

    commands = next(
        action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)
    ).choices
    page = read_page("command-line.md")
    missing = []
    for name, command in commands.items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        options = [option for action in command._actions for option in action.option_strings]
        missing += [
            f"{name} {option}" for option in options if option not in ("-h", "--help") and f"`{option}" not in section
        ]
    assert missing == []


def test_every_variable_that_a_page_names_is_a_setting_or_describes_a_target() -> None:
    known = set(re.findall(r"`(CONSOLE_[A-Z_]+)`", read_page("settings.md")))
    named = {name for page in PAGES for name in re.findall(r"\b(CONSOLE_[A-Z_]+)\b", page.read_text("utf-8"))}
    assert {name for name in named if not name.startswith("CONSOLE_TARGET_")} - known == set()
