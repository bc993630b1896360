"""A form of several parts (``multipart/form-data``): events, and the mapping and the rules that they are checked by.

It is what a program sends that has files: the mapping file and the rules of ``check --mapping --rules`` come with each
request, so that nothing has to be kept here, and a build is judged by what lies in its own repository.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from intempt_core.contract import join_words, shorten_value, suggest_nearest
from intempt_core.errors import MappingError, ReadError
from intempt_core.mapping import Mapping
from intempt_core.validation.endpoint.bodies import CONTENT_TYPES, validate_body
from intempt_core.validation.team_rules.rules_file import TeamRules

FORM_CONTENT_TYPE = "multipart/form-data"
"""The content type of a form."""

EVENTS_PART, MAPPING_PART, RULES_PART = PART_NAMES = ("events", "mapping", "rules")
"""The parts of a form; all but the events may be absent."""

MAX_MAPPING_CHARACTERS = 100_000
"""Characters of a mapping at the most."""

_MAX_PARTS = len(PART_NAMES)


@dataclass(slots=True)
class FormPart:
    """A part of a form.

    Attributes:
        name: Its name.
        content_type: What it says that it is; empty where it says nothing.
        content: Its bytes.
    """

    name: str = ""
    content_type: str = ""
    content: bytearray = field(default_factory=bytearray)


def validate_form(body: bytes, content_type: str, max_issues: int) -> dict[str, Any]:
    """Read a form, check its events by its mapping and rules, and build the report. Any: JSON.

    Raises :class:`ReadError`, :class:`MappingError` or :class:`~intempt_core.errors.RulesError` with a sentence.
    """
    parts = split_form(body, content_type)
    if EVENTS_PART not in parts:
        raise ReadError(f"The form has no part “{EVENTS_PART}”. Send the events as one, such as -F events=@body.json.")
    events = parts[EVENTS_PART]
    form = CONTENT_TYPES.get(events.content_type)
    if form is None:
        raise ReadError(
            f"The content type of “{EVENTS_PART}” is {shorten_value(events.content_type)}. Send application/json, or"
            " application/x-ndjson for JSON lines; a table is for “check”."
        )
    mapping = _read_mapping(parts[MAPPING_PART]) if MAPPING_PART in parts else None
    rules = _read_rules(parts[RULES_PART]) if RULES_PART in parts else None
    return validate_body(bytes(events.content), form, max_issues, mapping=mapping, rules=rules)


def split_form(body: bytes, content_type: str) -> dict[str, FormPart]:
    """The parts of a form by their names. Raises :class:`ReadError` where it is none, or has other parts."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        raise ReadError(f"The content type {FORM_CONTENT_TYPE} names no boundary. Let the program that sends it do so.")
    reader = _PartReader()
    try:
        parser = MultipartParser(boundary, reader.callbacks)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise ReadError(f"The form cannot be read: {str(error).rstrip('.')}.") from None
    if not reader.is_complete:
        raise ReadError("The form is cut off: its last boundary is missing.")
    return _name_parts(reader.parts)


def _name_parts(parts: Iterable[FormPart]) -> dict[str, FormPart]:
    named: dict[str, FormPart] = {}
    for part in parts:
        if part.name not in PART_NAMES:
            known = suggest_nearest(part.name, PART_NAMES, f"A form has {join_words(PART_NAMES)}.")
            raise ReadError(f"The form has a part “{shorten_value(part.name)}”. {known}")
        if part.name in named:
            raise ReadError(f"The form has “{part.name}” twice. Send it once.")
        named[part.name] = part
    return named


class _PartReader:
    """What a parser of forms calls."""

    def __init__(self) -> None:
        self.parts: list[FormPart] = []
        self.is_complete = False
        self._header, self._value = b"", b""
        self.callbacks: Any = {  # Any: the parser's own type has a name for each callback
            "on_part_begin": self._begin_part,
            "on_header_begin": self._begin_header,
            "on_header_field": self._add_to_header,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_part_data": self._add_content,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        if len(self.parts) == _MAX_PARTS:
            raise ReadError(f"The form has more than {_MAX_PARTS} parts. It has {join_words(PART_NAMES)}.")
        self.parts.append(FormPart())

    def _begin_header(self) -> None:
        self._header, self._value = b"", b""

    def _add_to_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        value, options = parse_options_header(self._value.decode("latin-1"))
        header = self._header.lower()
        if header == b"content-disposition":
            self.parts[-1].name = options.get(b"name", b"").decode("utf-8", "replace")
        elif header == b"content-type":
            self.parts[-1].content_type = value.decode("latin-1")
        elif header == b"content-transfer-encoding" and value not in (b"7bit", b"8bit", b"binary"):
            raise ReadError("A part of the form has a Content-Transfer-Encoding. Parts are taken as they are.")

    def _add_content(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content += data[start:end]

    def _end(self) -> None:
        self.is_complete = True


def _read_mapping(part: FormPart) -> Mapping:
    text = _decode_part(part)
    if len(text) > MAX_MAPPING_CHARACTERS:
        raise MappingError(
            f"The mapping has {len(text):,} characters; up to {MAX_MAPPING_CHARACTERS:,} are read. Is it the mapping?"
        )
    return Mapping.from_json(text)


def _read_rules(part: FormPart) -> TeamRules:
    return TeamRules.from_json(_decode_part(part), f"The part “{part.name}”")


def _decode_part(part: FormPart) -> str:
    try:
        return part.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(f"The part “{part.name}” is no UTF-8 at byte {error.start + 1:,}.") from None
