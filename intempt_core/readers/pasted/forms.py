"""What a pasted text is: a body, or requests that were copied in one of several forms."""

import re
from collections.abc import Callable
from typing import NamedTuple

from intempt_core.readers.pasted.copied_request import CopiedText
from intempt_core.readers.pasted.curl import CURL_COMMAND, looks_like_json, parse_curl_commands
from intempt_core.readers.pasted.fetch_calls import FETCH_CALL, parse_fetch_calls
from intempt_core.readers.pasted.har import HAR_BEGINNING, parse_har
from intempt_core.readers.pasted.powershell import POWERSHELL_REQUEST, parse_powershell
from intempt_core.readers.pasted.quoted_text import UnclosedQuote


class CopiedForm(NamedTuple):
    """A form in which requests are copied: how one begins in a text, and what reads them."""

    begins: "re.Pattern[str]"
    parse: Callable[[str], CopiedText]


COPIED_FORMS = (
    CopiedForm(CURL_COMMAND, parse_curl_commands),
    CopiedForm(POWERSHELL_REQUEST, parse_powershell),
    CopiedForm(FETCH_CALL, parse_fetch_calls),
)
"""The forms that are read."""


def parse_copied_text(text: str) -> CopiedText | None:
    """The requests in a pasted text; none where the text is a body itself.

    A text may speak of several forms ("the same with curl"): the first one that gives a body is read.

    Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`, and
    :class:`~intempt_core.errors.ReadError` for a HAR file that is not whole.
    """
    if HAR_BEGINNING.match(text):
        return parse_har(text)
    if looks_like_json(text):
        return None
    begins = [(found.start(), form) for form in COPIED_FORMS if (found := form.begins.search(text))]
    first: CopiedText | UnclosedQuote | None = None
    for _, form in sorted(begins, key=lambda pair: pair[0]):
        try:
            copied = form.parse(text)
        except UnclosedQuote as error:
            first = first or error
            continue
        if any(request.body is not None for request in copied.requests):
            return copied
        first = first or copied
    if isinstance(first, UnclosedQuote):
        raise first
    return first
