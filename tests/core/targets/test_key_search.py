"""A key is found however a server or a tool has written it, and nothing else is taken for one."""

import base64
import html
import json
import textwrap
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.fields import MASK
from intempt_core.targets.credential import Credential
from intempt_core.targets.key_search import KeySearch

PREFIX, SECRET = "shopPrefix", '9f3C51d2a7e/4b60+x"Y'
KEY = f"{PREFIX}.{SECRET}"
CREDENTIAL = Credential.parse(KEY)

PLAIN_FORMS = {"key": KEY, "user and password": f"{PREFIX}:{SECRET}", "secret": SECRET}

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 in the middle of one byte": lambda text: base64.b64encode(b"a" + text.encode() + b"b").decode(),
    "base64 in the middle of a sentence": lambda text: base64.b64encode(f"Is {text} known?".encode()).decode(),
    "base64 in lines": lambda text: "\r\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 16)),
    "hexadecimal": lambda text: text.encode().hex(),
}

WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, slashes escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON, each character escaped": lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
    "percent": lambda text: quote(text, safe=""),
    "percent, each character": lambda text: "".join(f"%{ord(char):02x}" for char in text),
    "percent, every other character": lambda text: "".join(
        f"%{ord(char):02x}" if index % 2 else char for index, char in enumerate(text)
    ),
    "HTML": html.escape,
    "HTML, each character": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(char):x};" for char in text),
    "Python, each character": lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
    "octal": lambda text: "".join(f"\\{ord(char):03o}" for char in text),
    "capitals": str.upper,
    "small letters": str.lower,
    "Windows": lambda text: "".join(char if char.isalnum() or char.isspace() else f"^{char}" for char in text),
    "lines": lambda text: "\\n".join(text[at : at + 10] for at in range(0, len(text), 10)),
}


def holds_part(text: str, form: str) -> bool:
    """Whether a quarter of a form is left anywhere."""
    size = max(6, len(form) // 4)
    return any(form[at : at + size] in text for at in range(len(form) - size + 1))


@pytest.mark.parametrize("plain", PLAIN_FORMS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_key_is_masked_in_every_form(plain: str, encoding: str) -> None:
    encoded = ENCODINGS[encoding](PLAIN_FORMS[plain])
    for written in [write(encoded) for write in WRITINGS.values()]:
        expect_masked(written, whole=encoding != "base64 in the middle of a sentence")  # whose rest stays


def expect_masked(written: str, *, whole: bool) -> None:
    for text in (written, f'{{"you sent": "{written}"}}', f"<p>{written}</p>\n"):
        assert CREDENTIAL.is_in(text)
        masked = CREDENTIAL.mask_text(text)
        assert MASK in masked
        assert not CREDENTIAL.is_in(masked)
        if not whole:
            continue
        assert not holds_part(masked, written)
        for codec in ("utf-8", "utf-16-le", "utf-16-be"):
            data = CREDENTIAL.mask_bytes(text.encode(codec), 10_000)
            assert MASK.encode() in data
            assert not holds_part(data.replace(b"\0", b"").decode(), written)


@given(
    st.sampled_from(sorted(PLAIN_FORMS)),
    st.sampled_from(sorted(ENCODINGS)),
    st.lists(st.sampled_from(sorted(set(WRITINGS) - {"capitals", "small letters", "lines"})), max_size=3),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_a_key_that_was_escaped_several_times_is_masked(
    plain: str, encoding: str, writings: list[str], before: str, after: str
) -> None:
    written = ENCODINGS[encoding](PLAIN_FORMS[plain])
    for writing in writings:
        written = WRITINGS[writing](written)
    text = f"{before} {written} {after}"
    assert CREDENTIAL.is_in(text)
    assert not CREDENTIAL.is_in(CREDENTIAL.mask_text(text))
    assert CREDENTIAL.longest_form >= len(WRITINGS["JSON, each character escaped"](ENCODINGS[encoding](KEY)))


@given(st.text(max_size=200))
def test_a_text_without_the_key_is_not_changed(text: str) -> None:
    assert CREDENTIAL.mask_text(text) == text
    assert not CREDENTIAL.is_in(text)
    assert CREDENTIAL.mask_bytes(text.encode("utf-8", "replace"), 1000) == text.encode("utf-8", "replace")


def test_what_is_around_a_key_stays() -> None:
    token = base64.b64encode(f"{PREFIX}:{SECRET}".encode()).decode()
    assert CREDENTIAL.mask_text(f"Basic {token}, then é") == f"Basic {MASK}, then é"
    assert CREDENTIAL.mask_text(f"a%2F{quote(KEY, safe='')}%2Fb") == f"a%2F{MASK}%2Fb"
    assert CREDENTIAL.mask_bytes(b"[" + KEY.encode() + b"] and more", 6) == b"[" + MASK.encode()[:5]


def test_a_short_secret_is_a_word_and_masked_only_with_its_prefix() -> None:
    sandbox = Credential("sandbox", "sandbox")
    assert sandbox.mask_text("The sandbox, c2FuZGJveA==") == "The sandbox, c2FuZGJveA=="
    assert sandbox.mask_text("SANDBOX.sandbox") == MASK
    assert Credential("a", "b").mask_text("YTpi and YS5i or a.b, Axxx") == f"{MASK} and {MASK} or {MASK}, Axxx"


def test_nothing_of_a_key_is_in_the_description_of_its_search() -> None:
    assert "9f3" not in repr(KeySearch(PREFIX, SECRET))


def test_a_large_response_is_searched_in_a_moment() -> None:
    large = json.dumps({"rows": [{"text": 'a "quoted" line\n', "url": "https://a.example/%20x"}] * 700}).encode()
    assert len(large) > 45_000
    began = time.process_time()
    assert CREDENTIAL.mask_bytes(large, 65_536) == large
    assert time.process_time() - began < 2
