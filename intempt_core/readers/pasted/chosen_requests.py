"""The requests of a pasted text that are read: those that go to a track path, or the one that is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from intempt_core.contract import BLANK_CHARACTERS, format_count, shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.json_text.json_lenient import blank_lenient_syntax
from intempt_core.readers.json_text.json_positions import TEXT_LINE_END, JsonSyntaxError, JsonText
from intempt_core.readers.pasted.copied_request import CopiedRequest, CopiedText
from intempt_core.readers.pasted.curl import NO_BODY
from intempt_core.readers.pasted.forms import PastedReading
from intempt_core.readers.pasted.quoted_text import QuotedText, UnclosedQuote, join_texts, quote_nothing

_MAX_UNREAD_NOTES = 3
_ELSEWHERE = "goes to no track path"


@dataclass(frozen=True)
class ListedRequest:
    """A request of a pasted text, as a person chooses among several.

    Attributes:
        number: Which of them it is, from 1.
        method: Its method.
        url: Its address.
        status: What came back; empty where the text does not say it.
        is_read: Whether its events are read.
        remark: Why it is not read, in a sentence or as the end of one.
    """

    number: int
    method: str
    url: str
    status: str = ""
    is_read: bool = False
    remark: str = ""


class RequestChoiceError(ReadError):
    """No request of a text can be read by itself: a person chooses one of its ``requests``."""

    def __init__(self, message: str, requests: tuple[ListedRequest, ...], line: int | None = None) -> None:
        super().__init__(message, line=line)
        self.requests = requests


@dataclass(frozen=True)
class ChosenSource:
    """What is read of a pasted text.

    Attributes:
        source: The document, with the place of each of its characters.
        copied: What the text is, where it is no body itself.
        requests: All requests of the text.
        notes: What is to be said of those that are not read, in sentences.
    """

    source: QuotedText = field(repr=False)
    copied: CopiedText | None = None
    requests: tuple[ListedRequest, ...] = ()
    notes: tuple[str, ...] = ()


def choose_source(text: str | PastedReading, request: int | None = None) -> ChosenSource:
    """The document in a pasted text: the text itself, or the bodies of its requests, one after another.

    Args:
        text: The pasted text, its keys masked, or a reading of it.
        request: The number of the only request to read, from 1; by default those that go to a track path.

    Raises :class:`ReadError` where there is none, and :class:`RequestChoiceError` where a person has to choose.
    """
    reading = text if isinstance(text, PastedReading) else PastedReading(text)
    text = reading.text
    try:
        copied = reading.parse()
    except UnclosedQuote as error:
        what = "the quote that opens here is never closed"
        raise JsonSyntaxError(text, error.at, what, "See that all of the command was copied.") from None
    if copied is None:
        return ChosenSource(quote_nothing(text))
    requests = copied.requests
    if request is not None and not 1 <= request <= len(requests):
        raise ReadError(f"There is no request {request:,}: the text holds {format_count(len(requests), 'request')}.")
    if len(requests) == 1 or request is not None:
        chosen = requests[(request or 1) - 1]
        if chosen.body is None:
            line = _count_line(text, chosen.at) if len(requests) > 1 else None
            raise RequestChoiceError(chosen.trouble or NO_BODY, _list_requests(requests, ()), line)
        return ChosenSource(chosen.body, copied, _list_requests(requests, (chosen,)), chosen.notes)
    return _choose_among(text, copied)


def _choose_among(text: str, copied: CopiedText) -> ChosenSource:
    requests = copied.requests
    pool = [one for one in requests if one.goes_to_track]
    if not pool:
        pool = [one for one in requests if one.body is not None]
        if len(pool) != 1:
            raise RequestChoiceError(
                f"None of the {format_count(len(requests), 'request')} goes to a track path (…/track). Choose one that "
                "is to be read anyway.",
                _list_requests(requests, ()),
            )
    troubles = {id(one): _find_trouble(one) for one in pool}
    read = [one for one in pool if not troubles[id(one)]]
    unread = [one for one in pool if troubles[id(one)]]
    if not read:
        first = unread[0]
        number = requests.index(first) + 1
        raise RequestChoiceError(
            f"Request {number:,} of {len(requests):,} cannot be read. {troubles[id(first)]}",
            _list_requests(requests, (), troubles),
            _count_line(text, first.at),
        )
    notes = [
        f"Request {requests.index(one) + 1:,} is not read. {troubles[id(one)]}" for one in unread[:_MAX_UNREAD_NOTES]
    ]
    if len(unread) > _MAX_UNREAD_NOTES:
        notes.append(f"{len(unread) - _MAX_UNREAD_NOTES:,} more requests to a track path are not read.")
    notes += [note for one in read for note in one.notes]
    bodies = [one.body for one in read if one.body is not None]
    return ChosenSource(join_texts(bodies, "\n"), copied, _list_requests(requests, read, troubles), tuple(notes))


def _find_trouble(request: CopiedRequest) -> str:
    """Why a request cannot be read beside others, in sentences; empty where it can."""
    if request.body is None or request.trouble:
        return request.trouble or NO_BODY
    text = request.body.value
    try:
        JsonText(text)
    except ReadError:
        try:
            JsonText(blank_lenient_syntax(text)[0], several=True)
        except JsonSyntaxError as error:
            return f"Its body is no JSON: {error.problem}. {error.fix}"
        except ReadError as error:
            return str(error)
    return "" if text.lstrip(BLANK_CHARACTERS)[:1] not in tuple('"-0123456789tfn') else "Its body holds no events."


def _list_requests(
    requests: Sequence[CopiedRequest], read: Sequence[CopiedRequest], troubles: dict[int, str] | None = None
) -> tuple[ListedRequest, ...]:
    read_ids = {id(one) for one in read}
    return tuple(
        ListedRequest(
            number,
            one.method,
            shorten_value(one.url),
            one.status,
            id(one) in read_ids,
            (troubles or {}).get(id(one)) or one.trouble or ("" if one.goes_to_track else _ELSEWHERE),
        )
        for number, one in enumerate(requests, 1)
    )


def _count_line(text: str, at: int) -> int:
    return len(TEXT_LINE_END.findall(text, 0, at)) + 1
