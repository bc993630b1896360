"""A pasted text read as events with their places.

Taken are a request's body (CONTRACT 1.3), one group of it, a list of groups, one event, a list of events, several of
these one after another (JSON lines), and requests that post one of them, as tools copy them (``pasted/forms.py``).
Comments and trailing commas are ignored, with an issue each.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from intempt_core.contract import (
    OPEN_FIELDS,
    PLAIN_FIELDS,
    GivenEvent,
    Issue,
    Json,
    Place,
    escape_pointer_key,
    format_count,
    format_given,
    shorten_value,
)
from intempt_core.errors import ReadError
from intempt_core.readers.json_text.json_lenient import BlankedSpan, blank_lenient_syntax
from intempt_core.readers.json_text.json_positions import TEXT_LINE_END, JsonNode, JsonSyntaxError, JsonText
from intempt_core.readers.json_text.json_salvage import SalvagedText, salvage_events
from intempt_core.readers.limits import MAX_EVENT_BYTES, build_oversize_error
from intempt_core.readers.pasted.chosen_requests import ChosenSource, ListedRequest, choose_source
from intempt_core.readers.pasted.forms import PastedReading
from intempt_core.readers.pasted.mail import reject_mail
from intempt_core.readers.pasted.pasted_keys import mask_reading
from intempt_core.readers.pasted.quoted_text import QuotedText

MAX_PASTED_CHARS = 5_000_000
"""Characters of a text that a screen takes; a file of more is Upload's."""

TOO_LONG_HINT = (
    "Paste a part of it, or take it to Upload as a file with one event or body a line (.jsonl). "
    "A HAR file may be larger: choose it under “Open a file”."
)
"""What to do with a text that is too long, in a sentence."""

EVENT_KEYS = frozenset(("name", *PLAIN_FIELDS, *OPEN_FIELDS[1:]))
"""Keys by which an object is recognised as an event; ``data`` alone may as well be an envelope of another API."""


@dataclass(frozen=True)
class Payload:
    """A pasted text, read.

    Attributes:
        recognised: What it was read as, in words.
        text: What was pasted, with every key masked (CONTRACT 1.5).
        events: Its events. They count from 1 in ``place.row``; ``place.pointer`` leads into the document.
        issues: The issues of reading itself, in the order of the text.
        document: The JSON in the text.
        source: Where each character of the document is in the text.
        blanked: Comments and trailing commas that were read as blanks.
        notes: Sentences on what else there was, such as other commands.
        requests: The requests in the text; none where it is a body itself.
        request: The number of the request that was chosen, from 1; ``None`` where those to a track path are read.
    """

    recognised: str
    text: str = field(repr=False)
    events: tuple[GivenEvent, ...] = field(repr=False)
    issues: tuple[Issue, ...]
    document: JsonText = field(repr=False, compare=False)
    source: QuotedText = field(repr=False, compare=False)
    blanked: tuple[BlankedSpan, ...] = ()
    notes: tuple[str, ...] = ()
    requests: tuple[ListedRequest, ...] = ()
    request: int | None = None
    _lines: tuple[int, ...] = field(repr=False, compare=False, default=())

    def span(self, node: JsonNode) -> tuple[int, int]:
        """Where a value of the document is in ``text``: from its first character to behind its last one."""
        return self.source.text_span(node.at, node.end)

    def line_column(self, at: int) -> tuple[int, int]:
        """Line and column, from 1, of an offset in ``text``."""
        return _find_line_column(self._lines, at)


def read_payload(
    text: str | PastedReading,
    *,
    max_chars: int | None = None,
    request: int | None = None,
    salvage: bool = False,
) -> Payload:
    """Read a pasted text as events. What is where it does not belong is an issue ``request_shape``, and no event.

    A key in a copied request is masked before anything is kept. Of several requests those to a track path are read, or
    only the one with the number ``request``, from 1. Where the text ends early and ``salvage`` is asked for, its whole
    events are read, with an issue ``json_cut`` at the rest, which is not. A :class:`PastedReading` is a text whose keys
    are masked already (:func:`mask_reading`).

    Raises :class:`ReadError` with its line where the text is no JSON, or none that can be sent on
    (``json_text``), where a request posts no body, and where the text is longer than ``max_chars`` characters;
    :class:`RequestChoiceError` where a person has to choose a request.
    """
    given = text if isinstance(text, PastedReading) else PastedReading(text)
    is_masked, text = given is text, given.text
    if max_chars is not None and len(text) > max_chars:
        raise ReadError(f"The text has {len(text):,} characters; up to {max_chars:,} are read here. {TOO_LONG_HINT}")
    reject_mail(text)
    reading = given if is_masked else mask_reading(given)
    text, had_key = reading.text, reading is not given
    chosen = choose_source(reading, request)
    source = chosen.source
    document, over, cut = _parse_document(text, source, salvage=salvage)
    lines = (0, *(ended.end() for ended in TEXT_LINE_END.finditer(text)))
    shape = PayloadShape(document.value, several=document.document_count > 1)
    document.index_members(shape.levels)
    events, spans = [], []
    for row, (name, body, pointer, name_pointer) in enumerate(shape.events, 1):
        node = document.find_nearest(pointer)
        spans.append((node.at, node.end))
        line = bisect_right(lines, source.text_offset(node.at))
        _reject_large_event(source.value, node.at, node.end, line)
        events.append(GivenEvent(name, body, Place(row, line, None, pointer), name_pointer))
    found = []
    for pointer, given, hint in shape.misplaced:
        at = document.find_nearest(pointer).at
        place = Place(None, bisect_right(lines, source.text_offset(at)), None, pointer)
        found.append((at, Issue("request_shape", place, "null" if given is None else format_given(given), hint)))

    def oddity(code: str, span: tuple[int, int], pointer: str, given: str) -> None:
        at = span[0]
        row = bisect_right(spans, at, key=itemgetter(0))
        inside = row > 0 and at < spans[row - 1][1]
        place = Place(row if inside else None, bisect_right(lines, source.text_offset(at)), None, pointer, span)
        found.append((at, Issue(code, place, shorten_value(given))))

    for odd in document.oddities():
        oddity(odd.code, (odd.at, odd.end), odd.pointer, odd.given)
    for blank in over:
        row = bisect_right(spans, blank.at, key=itemgetter(0))
        pointer = events[row - 1].place.pointer if row and blank.at < spans[row - 1][1] else ""
        oddity(blank.code, (blank.at, blank.end), pointer, source.value[blank.at : blank.end])
    if cut is not None:
        line = bisect_right(lines, source.text_offset(cut.at))
        found.append((cut.at, Issue("json_cut", Place(None, line, None, "", (cut.at, cut.end)))))
    issues = tuple(issue for _, issue in sorted(found, key=itemgetter(0)))
    recognised = f"{chosen.copied.form} with {shape.description}" if chosen.copied else shape.description
    notes = [*_describe_payload(chosen, over, document, had_key=had_key), *_describe_cut(cut, events, lines, source)]
    return Payload(
        recognised, text, tuple(events), issues, document, source, over, tuple(notes), chosen.requests, request, lines
    )


def locate_in_payload(payload: Payload, pointer: str) -> tuple[int, int]:
    """Line and column, from 1, in ``payload.text`` of the value at an RFC 6901 pointer into the document.

    Where there is no such value it is the nearest parent; of a repeated key the last value, which is the one that is
    read.
    """
    return payload.line_column(payload.span(payload.document.find_nearest(pointer))[0])


def _reject_large_event(text: str, start: int, end: int, line: int) -> None:
    """Raise :class:`ReadError` for an event that is too large."""
    if end - start > MAX_EVENT_BYTES // 4:  # a character has four bytes at the most
        size = len(text[start:end].encode("utf-8", "surrogatepass"))
        if size > MAX_EVENT_BYTES:
            raise build_oversize_error(f"Line {line:,}", "the event", size, line=line)


def _find_line_column(lines: Sequence[int], at: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset; ``lines`` are the offsets at which lines begin."""
    line = bisect_right(lines, at)
    return line, at - lines[line - 1] + 1


def _parse_document(
    text: str, source: QuotedText, *, salvage: bool
) -> tuple[JsonText, tuple[BlankedSpan, ...], SalvagedText | None]:
    """The document as JSON, what had to be ignored for it, and where it was cut."""
    try:
        return JsonText(source.value, several=True), (), None
    except JsonSyntaxError as error:
        strict = error
    blanked, over = blank_lenient_syntax(source.value)
    try:
        if over:
            return JsonText(blanked, several=True), over, None
    except JsonSyntaxError as error:
        strict = error
    cut = salvage_events(blanked, strict) if salvage else None
    if cut is not None:
        return cut.document, over, cut
    raise JsonSyntaxError(
        text, source.text_offset(strict.at), strict.problem, strict.fix, open_brackets=strict.open_brackets
    ) from None


def _describe_cut(
    cut: SalvagedText | None, events: Sequence[GivenEvent], lines: Sequence[int], source: QuotedText
) -> list[str]:
    """What of a text that ends early is read, in sentences."""
    if cut is None:
        return []
    line, column = _find_line_column(lines, source.text_offset(cut.end))
    where = f"line {line:,}, column {column:,}" if len(lines) > 1 else f"column {column:,}"
    brackets = f"{format_count(cut.open_brackets, 'bracket')} open"
    whole = f"{format_count(len(events), 'whole event')} {'is' if len(events) == 1 else 'are'} read"
    rest = cut.end - cut.at
    last = "" if not rest else ", the last character is not" if rest == 1 else f", the last {rest:,} characters are not"
    return [f"The JSON ends early at {where}; {brackets}; probably cut by a log. {whole}{last}."]


def _describe_payload(
    chosen: ChosenSource, blanked: Sequence[BlankedSpan], document: JsonText, *, had_key: bool
) -> list[str]:
    notes = [*_describe_requests(chosen), *chosen.notes]
    if had_key:
        notes.append("The text held a key. It is masked, and kept nowhere.")
    if blanked:
        kinds = [kind for code, kind in _BLANKED_NAMES.items() if any(blank.code == code for blank in blanked)]
        notes.append(f"The text has {' and '.join(kinds)}, which JSON does not know. They were ignored.")
    if document.document_count > 1:
        notes.append(f"{document.document_count:,} JSON values follow one another; each is read by itself.")
    return notes


def _describe_requests(chosen: ChosenSource) -> list[str]:
    """What was read of a text that holds requests, in sentences."""
    if chosen.copied is None:
        return []
    read = [one for one in chosen.requests if one.is_read]
    if len(chosen.requests) == 1:
        url = chosen.requests[0].url
        what = next((word for word in ("call", "HAR file") if word in chosen.copied.form), "command")
        notes = [f"The {what} posts to {url}." if url else f"The {what} names no address."]
    else:
        which = "is read" if len(read) == 1 else "are read"
        numbers = _list_numbers(one.number for one in read)
        held = f"The text holds {len(chosen.requests):,} requests; {len(read):,} of them {which}"
        notes = [f"{held}: {numbers}, to {read[0].url}."]
    if chosen.copied.has_other_commands:
        notes.append(
            "There are other commands beside it. They are text here: nothing is run, and only the body is read."
        )
    return [*notes, *chosen.copied.notes]


def _list_numbers(numbers: Iterable[int]) -> str:
    """Numbers of requests, the first of them."""
    given = list(numbers)
    shown = ", ".join(f"{number:,}" for number in given[:_MAX_NUMBERS_LISTED])
    return f"{shown} and {len(given) - _MAX_NUMBERS_LISTED:,} more" if len(given) > _MAX_NUMBERS_LISTED else shown


_MAX_NUMBERS_LISTED = 10

_BLANKED_NAMES = {"json_comment": "comments", "json_comma": "trailing commas"}


class PayloadShape:
    """What a document is made of.

    Attributes:
        events: Each event as (name, body, pointer, pointer of the name).
        misplaced: What is where it does not belong, as (pointer, value, hint).
        groups: How many groups there are.
        levels: Levels of brackets above the events.
        description: What the document is, in words.
    """

    def __init__(self, value: Json, *, several: bool = False) -> None:
        self.events: list[tuple[Json, Json, str, str]] = []
        self.misplaced: list[tuple[str, Json, str]] = []
        self.groups = self.levels = 0
        if several:
            self._add_documents(value)
        elif isinstance(value, Mapping) and "track" in value:
            self.levels = 4
            self._add_track(value["track"], "")
            self.description = (
                f"request body, {format_count(self.groups, 'group')}, {format_count(len(self.events), 'event')}"
            )
        elif isinstance(value, list):
            self.levels = 3 if any(_is_group(item) for item in value) else 1
            for index, item in enumerate(value):
                self._add_item(item, f"/{index}")
            events = format_count(len(self.events), "event")
            self.description = (
                f"list of {format_count(self.groups, 'group')}, {events}" if self.groups else f"list of {events}"
            )
        elif _is_group(value):
            self.levels = 2
            self._add_group(value, "")
            self.description = f"one group, {format_count(len(self.events), 'event')}"
        else:
            self._add_item(value, "") if isinstance(value, Mapping) else self._add_misplaced("", value, "")
            self.description = "one event" if self.events else "nothing that holds events"

    def _add_documents(self, values: Sequence[Json]) -> None:
        """Documents one after another, of whatever shape each."""
        bodies = 0
        for number, value in enumerate(values):
            if isinstance(value, Mapping) and "track" in value:
                bodies += 1
                self._add_track(value["track"], f"/{number}")
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    self._add_item(item, f"/{number}/{index}")
            else:
                self._add_item(value, f"/{number}")
        self.levels = 5 if bodies else 3
        what = f"{len(values):,} request bodies one after another" if bodies == len(values) else "JSON Lines"
        self.description = f"{what}, {format_count(len(self.events), 'event')}"

    def _add_track(self, track: Json, above: str) -> None:
        if not isinstance(track, list):
            self._add_misplaced(f"{above}/track", track, "Put the groups of “track” into a list: [ … ].")
            return
        for index, group in enumerate(track):
            pointer = f"{above}/track/{index}"
            if _is_group(group):
                self._add_group(group, pointer)
            else:
                self._add_misplaced(pointer, group, 'A group is {"name": …, "payload": [event, …]}.')

    def _add_group(self, group: Mapping[str, Json], pointer: str) -> None:
        self.groups += 1
        payload = group["payload"]
        if not isinstance(payload, list):
            self._add_misplaced(f"{pointer}/payload", payload, "Put the events of “payload” into a list: [ … ].")
            return
        self.events += [
            (group.get("name"), event, f"{pointer}/payload/{index}", f"{pointer}/name")
            for index, event in enumerate(payload)
        ]

    def _add_item(self, item: Json, pointer: str) -> None:
        """A member of a list, or the whole document: a group, an event that holds its own name, or an envelope."""
        if _is_group(item):
            self._add_group(item, pointer)
            return
        inside = (
            [] if _is_event(item) or not isinstance(item, Mapping) else [k for k, v in item.items() if _holds_events(v)]
        )
        for key in inside:
            self._add_misplaced(f"{pointer}/{escape_pointer_key(key)}", item[key], "Paste what is in here by itself.")
        if not inside:
            name = item.get("name") if isinstance(item, Mapping) else None
            body = {k: v for k, v in item.items() if k != "name"} if isinstance(item, Mapping) else item
            self.events.append((name, body, pointer, f"{pointer}/name"))

    def _add_misplaced(self, pointer: str, value: Json, hint: str) -> None:
        self.misplaced.append((pointer, value, hint))


def _is_group(value: Json) -> bool:
    return isinstance(value, Mapping) and "payload" in value


def _is_event(value: Json) -> bool:
    return isinstance(value, Mapping) and not EVENT_KEYS.isdisjoint(value)


def _holds_events(value: Json) -> bool:
    """Whether events, groups or a request seem to be in a value that is where none belongs.

    One key alone is no sign of an event: a product in ``data`` may well have a ``name``.
    """
    if isinstance(value, list):
        return any(_is_event(item) or _is_group(item) for item in value)
    return isinstance(value, Mapping) and (
        "track" in value or "payload" in value or len(EVENT_KEYS.intersection(value)) > 1
    )
