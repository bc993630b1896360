"""Names and headers as letters and digits: however they are written, the same words are the same."""

import re
import unicodedata

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")


def normalize_name(text: str) -> str:
    """The letters and digits of a header or a name, in lower case and without accents.

    ``Product ID`` and ``product_id`` are the same. Letters of other scripts stay, so that no part passes for the whole.
    """
    return "".join(filter(str.isalnum, _strip_accents(text))).casefold()


def split_words(text: str) -> list[str]:
    """The words of a header: between signs, and where capitals begin; in lower case and without accents."""
    return [word.casefold() for word in _WORD.findall(_strip_accents(text))]


def _strip_accents(text: str) -> str:
    """The letters as they are without accents; ``ß`` is ``ss``."""
    parts = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(char for char in parts if not unicodedata.combining(char))
