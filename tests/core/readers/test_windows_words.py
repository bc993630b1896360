"""What a browser writes for the command line of Windows is read back as the text that it was."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.fixes import apply_text_fixes, find_text_fix
from intempt_core.readers.payload import read_payload
from intempt_core.validation.check import check_events

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
_SAFE = r"[^a-zA-Z0-9\s_\-:=+~/.',?;()*`]"


def chrome(text: str) -> str:
    """Chrome's ``escapeStringWin`` since 2024."""
    text = re.sub(_SAFE, r"^\g<0>", text.replace("\\", "\\\\").replace('"', '\\"'))
    return f'^"{end_lines(re.sub("%(?=[a-zA-Z0-9_])", "%^", text))}^"'


def end_lines(text: str) -> str:
    return text.replace("\n", "^\n\n")


def chrome_2023(text: str) -> str:
    """The same until then: plain quotes around it where it is one line."""
    quote = '^"' if "\n" in text else '"'
    text = re.sub(_SAFE.replace("`", "`&"), r"^\g<0>", text.replace("\\", "\\\\").replace('"', '\\"'))
    return quote + end_lines(re.sub("%(?=[a-zA-Z0-9_])", "%^", text)) + quote


def firefox(text: str) -> str:
    """Firefox's ``escapeStringWin`` since 2025: no backslash is doubled."""
    text = re.sub(_SAFE, r"^\g<0>", text.replace('"', '\\"'))
    text = re.sub("%(?=[a-zA-Z0-9_])", "%^", text).replace("\n", '"^\r\n\r\n"')
    return f'^"{text}^"'


def doubled(text: str) -> str:
    """What both wrote before 2020."""
    text = text.replace('"', '""').replace("%", '"%"').replace("\\", "\\\\")
    return '"' + text.replace("\n", '"^\n\n"') + '"'


WRITERS = {
    "Chrome": ("curl", chrome),
    "Chrome, 2023": ("curl", chrome_2023),
    "Firefox": ("curl.exe", firefox),
    "doubled": ("curl", doubled),
}


TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]) | st.just(" ")) | (
    st.lists(st.sampled_from(list("\\\"%^&|<>!'`$(){} aA0\u00e9\U0001f600")), max_size=12).map("".join)
)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("browser", WRITERS)
@given(TEXTS)
def test_what_a_browser_writes_is_read_back(browser: str, indent: int | None, text: str) -> None:
    name, write = WRITERS[browser]
    body = {"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": text}}
    header, data = write("Content-Type: application/json"), write(json.dumps(body, indent=indent, ensure_ascii=False))
    (event,) = read_payload(f"{name} {write(URL)} ^\n  -H {header} ^\n  --data-raw {data}").events
    assert event.body["data"] == {"productId": text}


@pytest.mark.parametrize("browser", WRITERS)
@given(TEXTS)
def test_a_fix_is_written_as_the_browser_writes(browser: str, text: str) -> None:
    """The corrected text is the one that the browser would have written for the corrected body."""
    name, write = WRITERS[browser]
    event = {"name": "product viewed", "eventId": "e", "userId": "u", "data": {"productId": "p", "title": text}}
    line = f"{name} {write(URL)} ^\n  --data-raw {write(json.dumps(event))}"
    payload = read_payload(line)
    issues = check_events(payload.events, None, payload.issues).issues()
    fixes = [fix for issue in issues if (fix := find_text_fix(payload, issue))]
    fixed = apply_text_fixes(payload, fixes)
    assert fixed is not None
    (read,) = read_payload(fixed).events
    assert (read.name, read.body["data"]) == ("Product viewed", event["data"])


def test_doubled_quotes_without_a_caret_are_read() -> None:
    line = f'curl "{URL}" -d "{{""track"":[{{""name"":""Product viewed"",""payload"":[{{""eventId"":""e1""}}]}}]}}"'
    (event,) = read_payload(line).events
    assert (event.name, event.body) == ("Product viewed", {"eventId": "e1"})
