"""A request as it stands in a pasted text: its address, its body with every character's place, and what came back."""

import re
from dataclasses import dataclass, field

from intempt_core.readers.pasted.quoted_text import QuotedText

SECRET_HEADER = re.compile(r"auth(?!ority)|key|token|secret|password|cookie", re.IGNORECASE)
"""In the name of a header: its value is a key."""

_TRACK_ADDRESS = re.compile(r"[^?#]*/track/?(?:[?#].*)?", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class CopiedRequest:
    """A request as it was written.

    Attributes:
        at: The offset in the text at which it begins.
        url: Its address; empty where it has none.
        method: Its method in capitals.
        body: What it would send; none where the text does not hold it, or nothing is sent.
        trouble: Why there is no body to be read, in sentences; empty where there is one.
        notes: What else is to be said of it, in sentences.
        status: What came back, such as ``201``; empty where the text does not say it.
        headers: Its headers and cookies by their names, where they are not found by the options of a command.
        address: The address with the place of each of its characters, where that is known.
    """

    at: int
    url: str
    method: str = "POST"
    body: QuotedText | None = field(default=None, repr=False)
    trouble: str = ""
    notes: tuple[str, ...] = ()
    status: str = ""
    headers: tuple[tuple[str, QuotedText], ...] = field(default=(), repr=False)
    address: QuotedText | None = field(default=None, repr=False)

    @property
    def goes_to_track(self) -> bool:
        """Whether its address is one that takes events (CONTRACT 1.1)."""
        return is_track_address(self.url)


@dataclass(frozen=True)
class CopiedText:
    """A pasted text that holds requests and is no body itself.

    Attributes:
        form: What it is, such as ``cURL command``.
        requests: Its requests, in their order.
        has_other_commands: Whether it holds other commands, which are not read.
        notes: What else is to be said of it, in sentences.
    """

    form: str
    requests: tuple[CopiedRequest, ...]
    has_other_commands: bool = False
    notes: tuple[str, ...] = ()


def is_track_address(url: str) -> bool:
    """Whether an address is one that takes events (CONTRACT 1.1)."""
    return _TRACK_ADDRESS.fullmatch(url) is not None
