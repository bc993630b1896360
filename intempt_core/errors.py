"""Every error the core raises, so that a caller picks an ``except`` before reading code.

::

    ConsoleError                  str(error) is a sentence that a person may read
    ├── SettingsError             a setting has a value that cannot be used
    ├── ReadError                 a file or a pasted text cannot be read at all
    ├── SpoolError                a file cannot be taken in: there is no room for it
    │   └── SpoolTooLarge         it has more bytes than are taken
    ├── MappingError              a mapping does not fit its file, or is no mapping
    ├── TargetError               a target cannot be used
    │   ├── NoSuchTarget          nobody has described a target of that name
    │   ├── TargetIncomplete      its description lacks something or holds something impossible
    │   └── CredentialError       its key is absent or has the wrong form
    ├── CatalogueUnavailable      a loaded catalogue cannot be kept or read: products have no names until it can
    ├── EngineUnavailable         the durable engine cannot use its database: sending stops until it can
    ├── SecretFound               what was to be taken along holds a target's key
    ├── SandboxSilent             the sandbox does not answer as one, or refuses
    ├── PlanError                 the chosen events cannot become a batch
    └── HistoryError              history cannot be read or written
        ├── HistoryUnavailable    read-only, full, locked or gone: sending stops until it returns
        ├── NotFound              no batch, request or event has that id
        └── NotAllowed            a batch in this state cannot do that

Bad input is data and becomes an :class:`~intempt_core.contract.issues.Issue`; only broken plumbing is raised.
No message ever holds a credential.
"""


class ConsoleError(Exception):
    """The root: ``str(error)`` says where, what was given, what is allowed and how to mend it."""


class SettingsError(ConsoleError):
    """A setting has a value that cannot be used."""


class ReadError(ConsoleError):
    """A file or a pasted text cannot be read at all; ``line`` is where (counted from 1), where that is known."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class SpoolError(ConsoleError):
    """A file cannot be taken in: there is no room for it, or its folder cannot be written."""


class SpoolTooLarge(SpoolError):
    """A file has more bytes than are taken."""


class MappingError(ConsoleError):
    """A mapping does not fit its file, or is no mapping."""


class TargetError(ConsoleError):
    """A target cannot be used."""


class TargetNotFound(TargetError):
    """Nobody has described a target of that name."""


class TargetIncomplete(TargetError):
    """A target's description lacks something or holds something impossible."""


class CredentialError(TargetError):
    """A target's key is absent or has the wrong form (CONTRACT 1.5); the message never repeats the key."""


class CatalogueUnavailable(ConsoleError):
    """A loaded catalogue cannot be kept or read: full disk, no right to write, a damaged file."""


class EngineUnavailable(ConsoleError):
    """The durable engine cannot use its database: sending stops until it can. History is not touched by it."""


class SecretFound(ConsoleError):
    """A file or a link that was to be made holds a target's key: it is not made. The message never repeats the key."""


class SandboxUnavailable(ConsoleError):
    """The sandbox did not answer, or refused; the sentence says what it said."""


class PlanError(ConsoleError):
    """The chosen events cannot become a batch."""


class HistoryError(ConsoleError):
    """History cannot be read or written."""


class HistoryUnavailable(HistoryError):
    """History is read-only, full, locked or gone: sending stops until it returns."""


class NotFound(HistoryError):
    """No batch, request or event has that id."""


class NotAllowed(HistoryError):
    """A batch in this state cannot do that."""
