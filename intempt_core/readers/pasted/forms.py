"""What a pasted text is: a body, or requests that were copied in one of several forms."""

from intempt_core.readers.pasted.copied_request import CopiedText
from intempt_core.readers.pasted.curl import is_curl_command, parse_curl_commands


def parse_copied_text(text: str) -> CopiedText | None:
    """The requests in a pasted text; none where the text is a body itself.

    Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`.
    """
    if is_curl_command(text):
        return parse_curl_commands(text)
    return None
