"""JSON with comments and trailing commas, as people keep it, made JSON.

What JSON does not know becomes blanks, so that everything else keeps its place.
"""

import re
from dataclasses import dataclass

_TOKENS = re.compile(
    r'"[^"\\\n]*(?:\\.[^"\\\n]*)*(?:"|$)|(?P<comment>//[^\r\n]*|\#[^\r\n]*|/\*.*?(?:\*/|\Z))', re.DOTALL | re.MULTILINE
)
_COMMAS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|(?P<comma>,)(?=\s*[\]}])', re.DOTALL)


@dataclass(frozen=True, slots=True)
class BlankedSpan:
    """A comment or a comma that was read as blanks.

    Attributes:
        code: The code of its issue.
        at: The offset of its first character.
        end: The offset behind its last one.
    """

    code: str
    at: int
    end: int


def blank_lenient_syntax(text: str) -> tuple[str, tuple[BlankedSpan, ...]]:
    """A text of the same length with blanks for comments and trailing commas, and where those were."""
    found: list[BlankedSpan] = []

    def comment(match: re.Match[str]) -> str:
        if match["comment"] is None:
            return match[0]
        found.append(BlankedSpan("json_comment", *match.span()))
        return re.sub(r"[^\r\n]", " ", match[0])

    def comma(match: re.Match[str]) -> str:
        if match["comma"] is None:
            return match[0]
        found.append(BlankedSpan("json_comma", *match.span()))
        return " "

    blanked = _COMMAS.sub(comma, _TOKENS.sub(comment, text))
    return blanked, tuple(sorted(found, key=lambda one: one.at))
