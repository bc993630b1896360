"""A value in a script, as far as it is certain without running the script."""

from dataclasses import dataclass, field

from intempt_core.readers.pasted.copied_request import CopiedRequest
from intempt_core.readers.pasted.quoted_text import QuotedText, join_texts

MADE_LATER = "is made by the script when it runs"
"""Why a value cannot be told, as the end of a sentence."""


@dataclass
class ScriptValue:
    """A value of a script: a text, a table, or the reason why it cannot be told.

    Attributes:
        text: A text.
        table: The members of a table or an object, by their names in small letters; of equal names the last one.
        members: All members, also those of equal names.
        reason: Why it cannot be told, as the end of a sentence that begins with what it is a value of.
        start: Of a variable, the offset at which its value is written.
    """

    text: QuotedText | None = None
    table: "dict[str, ScriptValue] | None" = None
    members: "list[tuple[str, ScriptValue]]" = field(default_factory=list)
    reason: str = ""
    start: int | None = None


def add_values(one: ScriptValue, other: ScriptValue) -> ScriptValue:
    """Two values joined by ``+``."""
    if one.text is None or other.text is None:
        return ScriptValue(reason=one.reason or other.reason or MADE_LATER)
    return ScriptValue(join_texts((one.text, other.text), ""))


def make_table(members: "list[tuple[str, ScriptValue]]") -> ScriptValue:
    """A table of these members."""
    return ScriptValue(table={name.lower(): value for name, value in members}, members=members)


def list_members(value: ScriptValue | None) -> tuple[tuple[str, QuotedText], ...]:
    """The members of a table that are texts, with their names."""
    return tuple((name, one.text) for name, one in (value.members if value else ()) if one.text is not None)


def build_request(
    at: int,
    *,
    url: ScriptValue | None,
    method: ScriptValue | None,
    headers: ScriptValue | None,
    body: QuotedText | None,
    trouble: str,
) -> CopiedRequest:
    """The request that a script's call makes of these values; without a method it is GET."""
    address = url.text if url else None
    name = method.text if method else None
    return CopiedRequest(
        at,
        address.value if address else "",
        (name.value if name else "GET").upper(),
        body,
        trouble,
        headers=list_members(headers),
        address=address,
    )
