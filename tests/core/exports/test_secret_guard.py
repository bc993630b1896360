"""Nothing that is taken along holds a key, in whatever form and wherever it is cut."""

import base64
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.errors import SecretFound
from intempt_core.exports.secret_guard import reject_secrets, require_no_secret
from intempt_core.targets.credential import Credential

PREFIX, SECRET = "shopprefix", "9f3c51d2a7e/4b60+x"
KEY = f"{PREFIX}.{SECRET}"
CREDENTIAL = Credential.parse(KEY)
FORMS = [
    KEY,
    SECRET,
    f"{PREFIX}:{SECRET}",
    base64.b64encode(f"{PREFIX}:{SECRET}".encode()).decode(),
    quote(KEY, safe=""),
]


@given(st.text(max_size=80), st.sampled_from(FORMS), st.text(max_size=80), st.lists(st.integers(0, 200), max_size=6))
def test_a_key_is_found_in_every_form_wherever_the_text_is_cut(a: str, form: str, b: str, cuts: list[int]) -> None:
    text = a + form + b
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(places)]
    given_out: list[str] = []
    with pytest.raises(SecretFound) as raised:
        given_out.extend(reject_secrets(pieces, [Credential.parse("other.key-of-another"), CREDENTIAL]))
    assert not any(form in "".join(given_out) for form in FORMS)
    assert SECRET not in str(raised.value)


@given(st.lists(st.text(max_size=50), max_size=8))
def test_what_holds_no_key_comes_out_as_it_is(pieces: list[str]) -> None:
    assert "".join(reject_secrets(pieces, [CREDENTIAL])) == "".join(pieces)
    assert "".join(reject_secrets(pieces, [])) == "".join(pieces)
    assert require_no_secret("".join(pieces), [CREDENTIAL]) == "".join(pieces)


def test_a_text_with_a_key_is_rejected_with_a_sentence() -> None:
    with pytest.raises(SecretFound, match="a target's key is in it"):
        require_no_secret(f'{{"data": "{KEY}"}}', [CREDENTIAL])


def test_every_download_of_the_screens_passes_the_guard() -> None:
    pages = Path(__file__).parents[3] / "pages"
    calls = {file.name for file in pages.rglob("*.py") if re.search(r"\bdownload_button\(", file.read_text("utf-8"))}
    assert calls == {"downloads.py"}
