"""No key leaves with a file or a link: everything that is taken along passes here first (CONTRACT 1.5).

Nothing that is written here sees a key, so none should be found. But a person may have put one into an event, and a
server may echo one in words that nobody masked: a file or a link that holds a key in any form is refused.
"""

from collections.abc import Iterable, Iterator

from intempt_core.errors import SecretFound
from intempt_core.targets import Credential


def reject_secrets(pieces: Iterable[str], credentials: Iterable[Credential]) -> Iterator[str]:
    """The pieces as they are; :class:`SecretFound` before the first piece that has a part of a key in it.

    A key that lies over the border of two pieces is found too. Memory stays flat.
    """
    known = list(credentials)
    overlap = max((credential.longest_form for credential in known), default=1) - 1
    held = ""
    for piece in pieces:
        held += piece
        _check_for_secret(held, known)
        safe = max(0, len(held) - overlap)  # what may begin a key waits until its end was seen
        yield held[:safe]
        held = held[safe:]
    yield held


def require_no_secret(text: str, credentials: Iterable[Credential]) -> str:
    """A text as it is, or :class:`SecretFound`."""
    _check_for_secret(text, credentials)
    return text


def _check_for_secret(text: str, credentials: Iterable[Credential]) -> None:
    if any(credential.is_in(text) for credential in credentials):
        raise SecretFound(
            "This was not made: a target's key is in it. Look for it in the events and answers, and give the target a "
            "new key if it was seen by others."
        )
