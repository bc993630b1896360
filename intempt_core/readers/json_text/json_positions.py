"""JSON text read to a value and the offsets of everything in it.

The standard library reads the value, since it keeps every digit of an integer and calls back for each object and
float; a walk of our own over the same text, valid by then, finds where values are. The error for a text that is no JSON
says what a person who pasted it has to do.
"""

import json
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from intempt_core.contract import BLANK_CHARACTERS, Json, escape_pointer_key, shorten_value, split_pointer
from intempt_core.errors import ReadError

MAX_JSON_DEPTH = 200
"""Levels of brackets that are read; what writes a body later takes only a few more."""

HINT_WINDOW_CHARS = 1_000
"""Characters from which it is told what is wrong with a text that is no JSON."""

TEXT_LINE_END = re.compile(r"\r\n?|\n")
"""What ends a line where lines of a text are counted; other separators of Unicode are characters of the text."""

_SPACE = re.compile(r"[ \t\n\r]*")
JSON_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)'
_BRACKETS = re.compile(rf"{JSON_STRING}|[\[\]{{}}]", re.DOTALL)
_BARE_BRACKETS = re.compile(r"[\[\]{}]")
_NEXT_DOCUMENT = re.compile(r",?[ \t\n\r]*(?=[\[{])")
_LITERALS = re.compile(rf"{JSON_STRING}|-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|Infinity)|NaN", re.DOTALL)


@dataclass(slots=True)
class JsonNode:
    """Where a value is in the text.

    Attributes:
        at: The offset of its first character.
        end: The offset behind its last one.
        members: Of an object or a list, its members by key or index; none until they are first asked for.
        repeats: Keys that the object has more than once, each with the offset of a later one.
        key_at: The offset at which its own key begins; -1 where it is no member of an object.
    """

    at: int
    end: int
    members: "dict[str, JsonNode] | None" = None
    repeats: tuple[tuple[str, int], ...] = ()
    key_at: int = -1


@dataclass(frozen=True, slots=True)
class JsonOddity:
    """What most readers of JSON pass over: a repeated key, a number that loses digits.

    Attributes:
        code: The code of its issue.
        at: The offset of its first character.
        end: The offset behind its last one.
        pointer: The RFC 6901 pointer to it.
        given: The key, or the number as it is written.
    """

    code: str
    at: int
    end: int
    pointer: str
    given: str


class JsonSyntaxError(ReadError):
    """A text that is no JSON: what is the ``problem``, ``at`` which offset, and how to ``fix`` it, in sentences.

    Where the text ends early, ``open_brackets`` are open there.
    """

    def __init__(self, text: str, at: int, problem: str, fix: str, *, open_brackets: int = 0) -> None:
        starts = [0, *(ended.end() for ended in TEXT_LINE_END.finditer(text, 0, at))]
        place = f"Line {len(starts):,}, column {at - starts[-1] + 1:,}"
        super().__init__(f"{place}: {problem}. {fix}", line=len(starts))
        self.at, self.problem, self.fix, self.open_brackets = at, problem, fix, open_brackets


class JsonText:
    """A text that is JSON: its ``value``, and where everything in it is.

    With ``several`` the text may hold one object or list after another (JSON lines): its ``value`` is their list,
    ``document_count`` is how many they are, and a pointer begins with the number of a document, from 0.

    Raises :class:`JsonSyntaxError` where the text is no JSON, holds ``NaN``, ``Infinity`` or a number that no program
    keeps, or is nested more than :data:`MAX_JSON_DEPTH` levels deep; :class:`ReadError` where there is no text.
    """

    def __init__(self, text: str, *, several: bool = False) -> None:
        self.text = text
        self._start, end = _find_bounds(text)
        _reject_deep_nesting(text)
        values, self._starts, self._has_oddities = _parse_values(text, self._start, end, several=several)
        self.document_count = len(values)
        self.value: Json = values if self.document_count > 1 else values[0]
        self._end = end
        self._root = self._build_root(0)

    def index_members(self, levels: int) -> None:
        """Look up so many levels of members in one pass, where many of them will be asked for."""
        self._root = self._build_root(levels)

    def _build_root(self, levels: int) -> JsonNode:
        if self.document_count == 1:
            return JsonNode(self._start, self._end) if not levels else _parse_node(self.text, self._start, levels)
        below = max(0, levels - 1)
        members = {str(number): _parse_node(self.text, at, below) for number, at in enumerate(self._starts)}
        return JsonNode(self._start, self._end, members)

    def find_nearest(self, pointer: str) -> JsonNode:
        """The value at an RFC 6901 pointer, or the last of its parents that there is."""
        return self.find(pointer)[0]

    def find(self, pointer: str) -> tuple[JsonNode, bool]:
        """What :meth:`find_nearest` gives, and whether it is the value itself."""
        node = self._root
        for key in split_pointer(pointer):
            member = self.members(node).get(key)
            if member is None:
                return node, False
            node = member
        return node, True

    def members(self, node: JsonNode) -> dict[str, JsonNode]:
        """The members of an object or a list by key or index, in their order; none of anything else."""
        if node.members is None:
            node.members = _parse_node(self.text, node.at, 1).members or {}
        return node.members

    def key_text(self, node: JsonNode) -> str:
        """The key of a member as it is written, in its quotes."""
        return self.text[node.key_at : _decoder.raw_decode(self.text, node.key_at)[1]]

    def oddities(self) -> Iterator[JsonOddity]:
        """Repeated keys, and numbers that lose digits."""
        return _find_oddities(self.text, self._build_root(MAX_JSON_DEPTH + 1), "") if self._has_oddities else iter(())


# ── from text to a value ─────────────────────────────────────────────────────────────────────────────────────────────


def _find_bounds(text: str) -> tuple[int, int]:
    """Where the JSON begins and ends: a byte order mark and white space of every kind may come along with a paste."""
    end = len(text.rstrip(BLANK_CHARACTERS))
    if not end:
        raise ReadError("Nothing was pasted. Paste a request body, an event, or a list of events.")
    return len(text) - len(text.lstrip(BLANK_CHARACTERS)), end


def _reject_deep_nesting(text: str) -> None:
    """Raise :class:`JsonSyntaxError` for brackets that are too deep, before anything recursive reads the text."""
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return
    if "\\" not in text and _measure_depth("".join(text.split('"')[::2])) <= MAX_JSON_DEPTH:
        return  # without escapes every second piece is outside of texts, which is found much faster
    depth = 0
    for found in _BRACKETS.finditer(text):
        bracket = text[found.start()]
        if bracket in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise JsonSyntaxError(
                    text,
                    found.start(),
                    f"brackets are nested more than {MAX_JSON_DEPTH} levels deep",
                    "Events need three or four. Bring the payload into that form.",
                )
        elif bracket != '"':
            depth -= 1


def _measure_depth(signs: str) -> int:
    """How deep the brackets of a text are nested that has no texts in quotes."""
    depth = deepest = 0
    for bracket in _BARE_BRACKETS.findall(signs):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _parse_values(text: str, start: int, end: int, *, several: bool) -> tuple[list[Json], list[int], bool]:
    """The values, where each begins, and whether they hold a repeated key or a number that loses digits.

    Only where they do is it looked for where.
    """
    hooks = _DecoderHooks()
    decoder = json.JSONDecoder(
        object_pairs_hook=hooks.make_object, parse_float=hooks.make_float, parse_constant=hooks.reject_constant
    )
    values, starts, at = [], [start], start
    try:
        while True:
            value, stopped = decoder.raw_decode(text, at)
            values.append(value)
            if stopped >= end:
                return values, starts, hooks.has_oddities
            at = _skip_whitespace(text, stopped)
            follows = _NEXT_DOCUMENT.match(text, at) if several and isinstance(value, dict | list) else None
            if follows is None:
                raise json.JSONDecodeError("Extra data", text, at)
            at = follows.end()
            starts.append(at)
    except json.JSONDecodeError as error:
        raise _explain_bad_json(text[:end], error) from None
    except ValueError:  # _ImpossibleNumber, or Python's own limit on the digits of an integer
        raise _explain_bad_number(text) from None


class _DecoderHooks:
    """What the decoder calls for each object and number; notes whether a key was repeated or digits were lost."""

    def __init__(self) -> None:
        self.has_oddities = False

    def make_object(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        made = dict(pairs)
        self.has_oddities = self.has_oddities or len(made) != len(pairs)
        return made

    def make_float(self, literal: str) -> float:
        number = float(literal)
        if math.isinf(number):
            raise _ImpossibleNumber(literal)
        self.has_oddities = self.has_oddities or _loses_digits(literal, number)
        return number

    def reject_constant(self, literal: str) -> None:
        raise _ImpossibleNumber(literal)


class _ImpossibleNumber(ValueError):
    """A literal that is no JSON number, or larger than a number can be."""


def _loses_digits(literal: str, number: float) -> bool:
    """Whether a float's text has digits that the float does not hold; 15 digits and a small exponent always fit."""
    if len(literal) <= 16 and "e" not in literal and "E" not in literal:
        return False
    if number == 0:
        return bool(re.search("[1-9]", re.split("[eE]", literal)[0]))
    return Decimal(literal) != Decimal(repr(number))


def _explain_bad_number(text: str) -> ReadError:
    """The first literal that stops a reading; everything before it is good JSON."""
    found, problem, fix = next(
        (found, *why) for found in _LITERALS.finditer(text) if (why := _diagnose_number(found[0])) is not None
    )
    return JsonSyntaxError(text, found.start(), problem, fix)


def _diagnose_number(literal: str) -> tuple[str, str] | None:
    if literal in {"NaN", "Infinity", "-Infinity"}:
        return f"{literal} is no JSON", "Write a number, or null."
    if literal[0] == '"':
        return None
    if not literal.lstrip("-").isdigit():
        large = f"the number {shorten_value(literal)} is larger than any that a program keeps"
        return (large, "If it is an id, put it in quotes.") if math.isinf(float(literal)) else None
    digits, most = len(literal.lstrip("-")), sys.get_int_max_str_digits()
    long = f"an integer of {digits:,} digits begins here"
    return (long, f"Up to {most:,} are taken. If it is an id, put it in quotes.") if digits > most else None


def _explain_bad_json(text: str, error: json.JSONDecodeError) -> ReadError:
    """The error for a text that is no JSON, in words for a person who pasted it and knows no parser."""
    at, message = error.pos, error.msg
    if (cut := _explain_early_end(text, at, message)) is not None:
        return cut
    here, before = text[at : at + HINT_WINDOW_CHARS], text[:at].rstrip(BLANK_CHARACTERS)
    first, last = here[:1], before[-1:]
    word = shorten_value(re.split(r"[\s,:\]}]", here, maxsplit=1)[0] or first)
    comma = first in tuple("]}") and last == ","
    for applies, problem, fix in (
        (not before and word == "curl", "this is a command, not its body", "Paste what follows -d."),
        (
            message.startswith("Unterminated string"),
            "the text that begins here is never closed",
            'Close it with a quote; a quote inside a text is written \\".',
        ),
        (
            message.startswith("Invalid control character"),
            "a line break or another control character is inside a text",
            "Write \\n for a line break and \\t for a tab, or close the text before it.",
        ),
        (
            message.startswith("Invalid \\"),
            "a backslash in a text begins nothing that JSON knows",
            "Write \\\\ for a backslash.",
        ),
        (
            message == "Extra data" and last in tuple("]}") and first in tuple("{[,"),
            "after the first value another one follows",
            "Put several events into one list: [ …, … ].",
        ),
        (message == "Extra data", f"after the value “{word}” follows", "Remove it; one JSON value is taken."),
        (
            comma or message.startswith("Illegal trailing comma"),
            "no value follows after the comma",
            "Remove the comma.",
        ),
        (first == "," and last in tuple(",[{:"), "a comma is where a value belongs", "Remove it."),
        (first in tuple("'`"), "a text is in single quotes", 'JSON takes double quotes: write "…".'),
        (first in tuple("“”„‘’«»"), "a text is in typographic quotes", 'JSON takes straight ones: write "…".'),
        (here.startswith(("//", "/*", "#")), "here begins a comment, and JSON has none", "Remove it."),
        (
            word.casefold() in {"true", "false", "none", "null", "undefined", "nan", "nil"},
            f"{word} is no JSON",
            "Write true, false or null, in small letters.",
        ),
        (
            message.startswith("Expecting property"),
            f"the key {word} has no quotes",
            'Write it as "eventId" is written.',
        ),
        (message.startswith("Expecting ','"), f"a comma or a closing bracket is missing before “{word}”", "Add it."),
        (message.startswith("Expecting ':'"), f"a colon is missing before “{word}”", "Add it between key and value."),
        (not before, f"the text begins with “{word}”, which is no JSON", "Paste an event, a list, or a request body."),
    ):
        if applies:
            return JsonSyntaxError(text, at, problem, fix)
    return JsonSyntaxError(
        text, at, f"“{word}” is no JSON value", "Write a text in double quotes, a number, true or null."
    )


_CUT_MARK = re.compile(
    r"[ \t\n\r,]*(?:\.{2,}|…)?[ \t]*(?:[\[(<][^\])>\n]{0,40}(?:truncated|omitted|more|cut)[^\])>\n]{0,40}[\])>])?\s*\Z",
    re.IGNORECASE,
)
"""What a log or a terminal writes where it cuts a line, up to the end of the text."""


def _explain_early_end(text: str, at: int, message: str) -> ReadError | None:
    """The error for a text that ends while brackets are open; ``None`` where something else is wrong with it."""
    is_in_text = message.startswith("Unterminated string")
    if is_in_text and text[-1:] in tuple("]}"):  # rather a quote that is missing
        return None
    if not is_in_text and _CUT_MARK.match(text, at) is None:
        return None
    still: list[int] = []
    for found in _BRACKETS.finditer(text, 0, at):
        if text[found.start()] in "[{":
            still.append(found.start())
        elif text[found.start()] != '"' and still:
            still.pop()
    if not still:
        return None
    line = len(TEXT_LINE_END.findall(text, 0, still[-1])) + 1
    count = "1 bracket is open" if len(still) == 1 else f"{len(still):,} brackets are open"
    return JsonSyntaxError(
        text,
        len(text) if is_in_text else at,
        f"the JSON ends early, probably cut by a log; {count}, the last of them since line {line:,}",
        "See that all of it was copied.",
        open_brackets=len(still),
    )


# ── where values are ─────────────────────────────────────────────────────────────────────────────────────────────────

_decoder = json.JSONDecoder()


def _skip_whitespace(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _parse_node(text: str, at: int, levels: int) -> JsonNode:
    """The value at an offset of valid JSON, its members looked up so many levels deep."""
    opening = text[at]
    if not levels or opening not in "[{":
        return JsonNode(at, _decoder.raw_decode(text, at)[1])
    start = at
    members: dict[str, JsonNode] = {}
    repeats: list[tuple[str, int]] = []
    at = _skip_whitespace(text, at + 1)
    while text[at] not in "]}":
        key, key_at = str(len(members)), at
        if opening == "{":
            key, at = _decoder.raw_decode(text, at)
            at = _skip_whitespace(text, _skip_whitespace(text, at) + 1)
            if key in members:
                repeats.append((key, key_at))
        members[key] = member = _parse_node(text, at, levels - 1)
        if opening == "{":
            member.key_at = key_at
        at = _skip_whitespace(text, member.end)
        if text[at] == ",":
            at = _skip_whitespace(text, at + 1)
    return JsonNode(start, at + 1, members, tuple(repeats))


def _find_oddities(text: str, node: JsonNode, pointer: str) -> Iterator[JsonOddity]:
    for key, at in node.repeats:
        yield JsonOddity(
            "key_repeated", at, _decoder.raw_decode(text, at)[1], f"{pointer}/{escape_pointer_key(key)}", key
        )
    for key, member in (node.members or {}).items():
        yield from _find_oddities(text, member, f"{pointer}/{escape_pointer_key(key)}")
    literal = text[node.at : node.end]
    if literal[0] in "-0123456789" and not literal.lstrip("-").isdigit() and _loses_digits(literal, float(literal)):
        yield JsonOddity("number_precision", node.at, node.end, pointer, literal)
