"""A value in a script, as far as it is certain without running the script."""

from dataclasses import dataclass

from intempt_core.readers.pasted.quoted_text import QuotedText, join_texts

MADE_LATER = "is made by the script when it runs"
"""Why a value cannot be told, as the end of a sentence."""


@dataclass
class ScriptValue:
    """A value of a script: a text, a table, or the reason why it cannot be told.

    Attributes:
        text: A text.
        table: The members of a table or an object, by their names in small letters.
        reason: Why it cannot be told, as the end of a sentence that begins with what it is a value of.
        start: Of a variable, the offset at which its value is written.
    """

    text: QuotedText | None = None
    table: "dict[str, ScriptValue] | None" = None
    reason: str = ""
    start: int | None = None


def add_values(one: ScriptValue, other: ScriptValue) -> ScriptValue:
    """Two values joined by ``+``."""
    if one.text is None or other.text is None:
        return ScriptValue(reason=one.reason or other.reason or MADE_LATER)
    return ScriptValue(join_texts((one.text, other.text), ""))
