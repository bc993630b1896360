"""What a pasted text is: a body, or requests that were copied in one of several forms."""

import re
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from intempt_core.errors import ReadError
from intempt_core.readers.pasted.command_line import CommandReadings
from intempt_core.readers.pasted.copied_request import CopiedText
from intempt_core.readers.pasted.curl import CURL_COMMAND, looks_like_json, parse_curl_commands
from intempt_core.readers.pasted.fetch_calls import FETCH_CALL, parse_fetch_calls
from intempt_core.readers.pasted.har import HAR_BEGINNING, parse_har
from intempt_core.readers.pasted.name_search import search_from_parts
from intempt_core.readers.pasted.powershell import POWERSHELL_REQUEST, POWERSHELL_WORDS, parse_powershell
from intempt_core.readers.pasted.quoted_text import UnclosedQuote


class CopiedForm(NamedTuple):
    """A form in which requests are copied.

    Attributes:
        begins: How one begins in a text.
        words: Texts with one of which every such beginning begins, in small letters.
        parse: What reads them.
    """

    begins: "re.Pattern[str]"
    words: tuple[str, ...]
    parse: Callable[[str], CopiedText]


COPIED_FORMS = (
    CopiedForm(CURL_COMMAND, ("curl",), parse_curl_commands),
    CopiedForm(POWERSHELL_REQUEST, POWERSHELL_WORDS, parse_powershell),
    CopiedForm(FETCH_CALL, ("fetch", "window.", "globalthis."), parse_fetch_calls),
)
"""The forms that are read."""


class PastedReading:
    """A pasted text, of which each of its readings is worked out once.

    Attributes:
        text: What was pasted.
        command_readings: It as a command line.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._copied: CopiedText | UnclosedQuote | ReadError | None = None
        self._is_parsed = False

    @cached_property
    def command_readings(self) -> CommandReadings:
        return CommandReadings(self.text)

    def parse(self) -> CopiedText | None:
        """Parse it (:func:`parse_copied_text`)."""
        if not self._is_parsed:
            try:
                self._copied = parse_copied_text(self.text, self.command_readings)
            except (UnclosedQuote, ReadError) as error:
                self._copied = error
            self._is_parsed = True
        if isinstance(self._copied, UnclosedQuote | ReadError):
            raise self._copied
        return self._copied


def parse_copied_text(text: str, readings: CommandReadings | None = None) -> CopiedText | None:
    """The requests in a pasted text; none where the text is a body itself.

    Its ``readings`` as a command line may be known. A text may speak of several forms ("the same with curl"): the first
    one that gives a body is read.

    Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`, and
    :class:`~intempt_core.errors.ReadError` for a HAR file that is not whole.
    """
    if HAR_BEGINNING.match(text):
        return parse_har(text)
    if looks_like_json(text):
        return None
    begins = [
        (found.start(), form) for form in COPIED_FORMS if (found := search_from_parts(form.begins, text, form.words))
    ]
    first: CopiedText | UnclosedQuote | None = None
    for _, form in sorted(begins, key=lambda pair: pair[0]):
        try:
            copied = parse_curl_commands(text, readings) if form.begins is CURL_COMMAND else form.parse(text)
        except UnclosedQuote as error:
            first = first or error
            continue
        if any(request.body is not None for request in copied.requests):
            return copied
        first = first or copied
    if isinstance(first, UnclosedQuote):
        raise first
    return first
