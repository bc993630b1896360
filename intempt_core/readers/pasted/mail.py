"""E-mails and mailboxes, which are pasted whole where only the request in one of them was meant."""

import re

from intempt_core.contract import format_count
from intempt_core.errors import ReadError
from intempt_core.readers.json_text.json_positions import TEXT_LINE_END
from intempt_core.readers.pasted.curl import CURL_COMMAND

_HEADERS = re.compile(
    r"^(?:(From) \S+ .*\d{4}|>?(Return-Path|Received|Delivered-To|Message-ID|MIME-Version|X-Mozilla-Status|Subject|"
    r"From|To|Date|DKIM-Signature|X-GM-THRID|X-Gmail-Labels):[ \t])",
    re.IGNORECASE | re.MULTILINE,
)
_BEGINS_MESSAGE = re.compile(r"^From \S+ .*\d{4}[ \t]*\r?$", re.MULTILINE)
_HEAD_CHARS = 10_000
_MIN_HEADERS = 3


def reject_mail(text: str) -> None:
    """Raise :class:`ReadError` for an e-mail or a mailbox, with what to paste of it."""
    names = {next(filter(None, found.groups())).lower() for found in _HEADERS.finditer(text, 0, _HEAD_CHARS)}
    if len(names) < _MIN_HEADERS or not names & {"from", "received", "message-id", "return-path", "delivered-to"}:
        return
    messages = sum(1 for _ in _BEGINS_MESSAGE.finditer(text))
    what = f"a mailbox of {format_count(messages, 'message')}" if messages > 1 else "an e-mail"
    command = CURL_COMMAND.search(text)
    if command is None:
        raise ReadError(f"This is {what}, and no request. Paste only the request, or its body, from it.")
    line = len(TEXT_LINE_END.findall(text, 0, command.start())) + 1
    raise ReadError(f"This is {what}. Paste only the request from it: “curl” is in line {line:,}.", line=line)
