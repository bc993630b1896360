"""The last check before a file or a link leaves the console: none with a target's key in it is given out.

No export is given a key, so none should be found. But a person may have pasted one into an event, and a server may
echo one in a form that is not masked: a file or a link that holds a key in any form is not made.
"""

from collections.abc import Iterable, Iterator

from intempt_core.errors import SecretFound
from intempt_core.targets import Credential


def reject_secrets(pieces: Iterable[str], credentials: Iterable[Credential]) -> Iterator[str]:
    """Yield the pieces unchanged; raise :class:`SecretFound` before the first piece that has a part of a key in it.

    A key across two pieces is found too. Memory stays flat.
    """
    known = list(credentials)
    overlap = max((credential.longest_form for credential in known), default=1) - 1
    held = ""
    for piece in pieces:
        held += piece
        _check_for_secret(held, known)
        safe = max(0, len(held) - overlap)  # the beginning of a key waits until its end was checked
        yield held[:safe]
        held = held[safe:]
    yield held


def require_no_secret(text: str, credentials: Iterable[Credential]) -> str:
    """Return a text unchanged; raise :class:`SecretFound` where it has a key in it."""
    _check_for_secret(text, credentials)
    return text


def _check_for_secret(text: str, credentials: Iterable[Credential]) -> None:
    if any(credential.is_in(text) for credential in credentials):
        raise SecretFound(
            "This was not made: a target's key is in it. Look for it in the events and answers, and give the target a "
            "new key if it was seen by others."
        )
