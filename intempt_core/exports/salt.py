"""The salt of pseudonyms: the secret of a console without which no pseudonym can be traced back."""

import logging
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MIN_SALT_BYTES = 16
"""Bytes that a salt has at least: with fewer, every salt can be tried."""

SALT_FILE = "pseudonyms.salt"
"""The file in the data folder that holds the salt."""

_MADE_BYTES = 32
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Salt:
    """A salt that cannot be guessed.

    Attributes:
        secret: Its bytes.
        note: What was wrong with the one before, as a sentence; empty where nothing was.
    """

    secret: bytes = field(repr=False)
    note: str = ""


def check_salt(secret: bytes) -> Salt:
    """Check a salt: one that is empty or short is replaced by a new one, and the note says so."""
    if len(secret) >= MIN_SALT_BYTES:
        return Salt(secret)
    was = f"had {len(secret)} of at least {MIN_SALT_BYTES} bytes" if secret else "was empty"
    note = f"The secret of the pseudonyms {was} and was replaced: other case files have other pseudonyms."
    return Salt(secrets.token_bytes(_MADE_BYTES), note)


def load_salt(folder: Path) -> Salt:
    """Load the salt of this console: made once, kept in a file that only its user can read.

    One that is empty or short is replaced there, too.
    """
    file = folder / SALT_FILE
    try:
        found = check_salt(file.read_bytes())
    except FileNotFoundError:
        return Salt(_write_salt(file, secrets.token_bytes(_MADE_BYTES), replace=False))
    if found.note:
        _log.warning("%s (%s)", found.note, file)
        _write_salt(file, found.secret, replace=True)
    return found


def _write_salt(file: Path, secret: bytes, *, replace: bool) -> bytes:
    """Write a salt whole, so that nobody reads half of it; where another process was first, its salt counts."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as made:
        made.write(secret)
    if replace:
        draft.replace(file)
        return secret
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    return file.read_bytes()
