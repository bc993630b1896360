"""Credentials: the key of a target, masked wherever it is shown or echoed (CONTRACT 1.5)."""

import base64
import hmac
import re
from typing import Never

from intempt_core.contract import MASK
from intempt_core.errors import CredentialError
from intempt_core.targets.key_search import KeySearch


class Credential:
    """An API key ``prefix.secret`` (CONTRACT 1.5) that is never shown.

    ``repr``, ``str`` and ``format`` are masked; it cannot be pickled, so that no cache, session or queue stores it; a
    copy is the same object. Only :attr:`authorization` reveals the key.
    """

    __slots__ = ("__prefix", "__search", "__secret")

    def __init__(self, prefix: str, secret: str) -> None:
        self.__prefix = prefix
        self.__secret = secret
        self.__search = KeySearch(prefix, secret)

    @classmethod
    def parse(cls, text: str) -> "Credential":
        """Parse a text; :class:`CredentialError` says what is wrong with it, and never repeats it."""
        text = text.strip()
        prefix, dot, secret = text.partition(".")
        if not text:
            raise CredentialError("The key is empty. It has the form prefix.secret.")
        if not dot:
            raise CredentialError("This is a key without a dot. It has the form prefix.secret.")
        if not prefix or not secret:
            raise CredentialError("One side of the key's dot is empty. It has the form prefix.secret.")
        if not re.fullmatch(r"[!-~]+", text) or ":" in prefix:
            raise CredentialError("The key holds a character that no key has. It has the form prefix.secret.")
        return cls(prefix, secret)

    @classmethod
    def from_authorization(cls, header: str) -> "Credential":
        """The key of an :attr:`authorization`, for a process that is given it by another one of this program."""
        prefix, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return cls(prefix, secret)

    @property
    def authorization(self) -> str:
        """The value of the ``Authorization`` header: HTTP Basic (CONTRACT 1.5)."""
        return "Basic " + base64.b64encode(f"{self.__prefix}:{self.__secret}".encode()).decode()

    @property
    def longest_form(self) -> int:
        """Bytes of the longest form of an echoed key: to be read beyond a limit, so that a key there is recognised."""
        return self.__search.longest_form

    def mask_text(self, text: str) -> str:
        """Replace the key in a text by the mask, in every form that :mod:`~intempt_core.targets.key_search` finds."""
        spans = self.__search.find_spans(text)
        if not spans:
            return text
        kept, done = "", 0
        for start, end in spans:
            kept, done = kept + text[done:start] + MASK, end
        return kept + text[done:]

    def mask_bytes(self, data: bytes, keep: int) -> bytes:
        """Cut data to ``keep`` bytes and mask the key in it as :meth:`mask_text` does, in UTF-8 and in UTF-16.

        A key that begins before the cut is masked whole, and nothing from behind the cut moves before it.
        """
        kept, done = bytearray(), 0
        for start, end in self.__search.find_spans(data.decode("latin-1")):
            if start >= keep:
                break
            kept += data[done:start] + MASK.encode()
            done = end
        return bytes(kept + data[done:keep])[:keep]

    def is_in(self, text: str) -> bool:
        """Whether a text holds the key in any form."""
        return self.__search.is_in(text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credential):
            return NotImplemented
        return hmac.compare_digest(self.authorization, other.authorization)

    def __hash__(self) -> int:
        return hash((self.__prefix, self.__secret))

    def __repr__(self) -> str:
        return f"Credential({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __copy__(self) -> "Credential":
        return self

    def __deepcopy__(self, memo: object) -> "Credential":
        return self

    def __getstate__(self) -> Never:
        raise TypeError("A credential cannot be stored: pass the target's name and look it up there.")

    def __reduce_ex__(self, protocol: object) -> Never:
        self.__getstate__()
