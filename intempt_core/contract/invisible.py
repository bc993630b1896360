"""Characters that cannot be seen, written out, so that two texts that look alike can be told apart."""

import unicodedata

_NAMES = {"\t": "tab", "\n": "line feed", "\r": "carriage return", "\ufeff": "byte order mark", "\0": "NUL"}
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs"}


def spell_invisible(text: str) -> str:
    """Write out what cannot be seen: ``userId[no-break space]``; a plain space only at the beginning or the end."""
    if text.isascii() and text.isprintable() and text == text.strip():
        return text
    inside = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    return "".join(_spell_character(one, is_inside=inside[0] <= at < inside[1]) for at, one in enumerate(text))


def _spell_character(character: str, *, is_inside: bool) -> str:
    if unicodedata.category(character) not in _INVISIBLE or (character == " " and is_inside):
        return character
    name = _NAMES.get(character) or unicodedata.name(character, "").lower() or f"U+{ord(character):04X}"
    return f"[{name}]"
