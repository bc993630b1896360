"""What a browser writes for the command line of Windows is read back as the text that it was."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.readers.payload import read_payload

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
_SAFE = r"[^a-zA-Z0-9\s_\-:=+~/.',?;()*`]"


def chrome(text: str) -> str:
    """Chrome's ``escapeStringWin`` since 2024."""
    text = re.sub(_SAFE, r"^\g<0>", text.replace("\\", "\\\\").replace('"', '\\"'))
    return f'^"{re.sub("%(?=[a-zA-Z0-9_])", "%^", text)}^"'


def chrome_2023(text: str) -> str:
    """The same until then: plain quotes around it."""
    text = re.sub(_SAFE.replace("`", "`&"), r"^\g<0>", text.replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{re.sub("%(?=[a-zA-Z0-9_])", "%^", text)}"'


def firefox(text: str) -> str:
    """Firefox's ``escapeStringWin`` since 2025: no backslash is doubled."""
    text = re.sub(_SAFE, r"^\g<0>", text.replace('"', '\\"'))
    return f'^"{re.sub("%(?=[a-zA-Z0-9_])", "%^", text)}^"'


def doubled(text: str) -> str:
    """What both wrote before 2020."""
    return '"' + text.replace('"', '""').replace("%", '"%"').replace("\\", "\\\\") + '"'


WRITERS = {
    "Chrome": ("curl", chrome),
    "Chrome, 2023": ("curl", chrome_2023),
    "Firefox": ("curl.exe", firefox),
    "doubled": ("curl", doubled),
}


@pytest.mark.parametrize("browser", WRITERS)
@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]) | st.just(" ")))
def test_what_a_browser_writes_is_read_back(browser: str, text: str) -> None:
    name, write = WRITERS[browser]
    body = {"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": text}}
    line = f"{name} {write(URL)} ^\n  -H {write('Content-Type: application/json')} ^\n  --data-raw {write(json.dumps(body))}"
    (event,) = read_payload(line).events
    assert event.body["data"] == {"productId": text}  # type: ignore[index,call-overload]


def test_doubled_quotes_without_a_caret_are_read() -> None:
    line = f'curl "{URL}" -d "{{""track"":[{{""name"":""Product viewed"",""payload"":[{{""eventId"":""e1""}}]}}]}}"'
    (event,) = read_payload(line).events
    assert (event.name, event.body) == ("Product viewed", {"eventId": "e1"})
