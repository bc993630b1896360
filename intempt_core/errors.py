"""Every error that the core raises, drawn so that a caller can pick an ``except`` before reading code.

::

    ConsoleError                    str(error) is a sentence for people
    ├── SettingsError               a setting has a value that cannot be used
    ├── ReadError                   a file or a pasted text cannot be read at all
    │   ├── JsonSyntaxError         a text is no JSON; says where, and how to fix it
    │   ├── RequestChoiceError      no request of a text can be read by itself: a person chooses one of them
    │   └── TableTooLarge           a file becomes a larger table than is taken
    ├── SpoolError                  an upload cannot be stored: no space, or no right to write
    │   └── SpoolTooLarge           an upload has more bytes than are taken
    ├── MappingError                a mapping does not fit its file, or is no mapping
    ├── JourneyError                a journey is none, or no journey has that name
    ├── RulesError                  a file of the team's rules is none, or does not fit the mapping
    ├── FixtureError                a fixture cannot be made as it was asked for
    ├── TargetError                 a target cannot be used
    │   ├── TargetNotFound          no target of that name is described
    │   ├── TargetIncomplete        its description lacks something, or holds something impossible
    │   └── CredentialError         its key is absent or has the wrong form
    ├── CatalogueUnavailable        a loaded catalogue cannot be kept or read: products have no names until it can
    ├── BackupError                 a backup cannot be made, is damaged, or cannot be restored there
    ├── EngineUnavailable           the durable engine cannot use its database: sending stops until it can
    ├── SecretFound                 a file or link was not made, because it would hold a target's key
    ├── PlanError                   the chosen events cannot become a batch
    ├── FaultDocumentUnreadable     a document of simulated failures is no such document
    ├── SandboxUnavailable          the sandbox does not respond as one, or rejects a request
    ├── SandboxRejection            inside the sandbox: a request is answered with an error status
    ├── SandboxStoreUnavailable     inside the sandbox: its database cannot be used; answered with 503
    └── HistoryError                history cannot be read or written
        ├── HistoryUnavailable      read-only, full, locked or gone: sending stops until it returns
        │   └── HistoryConflict     another process wrote the same at the same moment, again and again
        ├── NotFound                no batch, request or event has that id
        └── NotAllowed              a batch in this state cannot do that
            └── SentBefore          the same input or the same events went to this target since the plan was made

Bad input is data and becomes an :class:`~intempt_core.contract.Issue`; only broken plumbing is raised. No message ever
holds a credential. All of them are exported by :mod:`intempt_core`, and a test compares this drawing with the classes.

Seven exceptions are no errors and are not in the tree: they end a parse or a connection from inside a callback or a
loop, and are caught in the package that raises them or by its only caller: ``UnclosedQuote``, ``UnfitRule``,
``_ClashingKeys`` and ``_ImpossibleNumber`` of ``readers``, ``_InexactNumber`` of ``sandbox``,
``_Rejection`` of ``validation``, ``_ClearTextConnection`` of ``transport``. Nor are ``ExpectationFailed``, by which the
pytest plugin fails a test, and ``LaunchError``, by which the starter says that the console cannot be started: it runs
before the core can be imported.
"""

from collections.abc import Mapping


class ConsoleError(Exception):
    """The root: ``str(error)`` says where, what was given, what is allowed and how to fix it."""


class SettingsError(ConsoleError):
    """A setting has a value that cannot be used."""


class ReadError(ConsoleError):
    """A file or a pasted text cannot be read at all.

    Attributes:
        line: The line where, from 1; ``None`` where it is not known.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class TableTooLarge(ReadError):
    """A file becomes a larger table than is taken."""


class SpoolError(ConsoleError):
    """An upload cannot be stored: there is no space for it, or its folder cannot be written."""


class SpoolTooLarge(SpoolError):
    """An upload has more bytes than are taken."""


class MappingError(ConsoleError):
    """A mapping does not fit its file, or is no mapping."""


class JourneyError(ConsoleError):
    """A journey's file is none, its name is taken, or none has that name."""


class RulesError(ConsoleError):
    """A file of the team's rules is none, or does not go together with the mapping."""


class FixtureError(ConsoleError):
    """A fixture cannot be made as it was asked for: its numbers or its defects do not go together."""


class TargetError(ConsoleError):
    """A target cannot be used."""


class TargetNotFound(TargetError):
    """No target of that name is described."""


class TargetIncomplete(TargetError):
    """A target's description lacks something or holds something impossible."""


class CredentialError(TargetError):
    """A target's key is absent or has the wrong form (CONTRACT 1.5); the message never repeats the key."""


class CatalogueUnavailable(ConsoleError):
    """A loaded catalogue cannot be kept or read: full disk, no right to write, a damaged file."""


class BackupError(ConsoleError):
    """A backup cannot be made, is damaged, or cannot be restored there."""


class EngineUnavailable(ConsoleError):
    """The durable engine cannot use its database: sending stops until it can. History is not affected."""


class SecretFound(ConsoleError):
    """A file or a link that was to be made holds a target's key: it is not made. The message never repeats the key."""


class PlanError(ConsoleError):
    """The chosen events cannot become a batch."""


class FaultDocumentUnreadable(ConsoleError):
    """A document of simulated failures is no such document: the sentence says where, and what is allowed."""


class SandboxUnavailable(ConsoleError):
    """The sandbox did not respond, or rejected a request; the sentence repeats its message."""


class SandboxRejection(ConsoleError):
    """The sandbox rejects a request (CONTRACT 3.8). Does not leave the sandbox: it becomes an HTTP response.

    Attributes:
        status: The response's status.
        detail: A second sentence of the response; empty where there is none.
        headers: Headers of the response, ``None`` for none but the usual ones.
    """

    def __init__(
        self, status: int, message: str, *, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail
        self.headers = headers


class SandboxStoreUnavailable(ConsoleError):
    """The sandbox's database is read-only, full, locked, damaged or gone. Nothing of the request was stored."""


class HistoryError(ConsoleError):
    """History cannot be read or written."""


class HistoryUnavailable(HistoryError):
    """History is read-only, full, locked or gone: sending stops until it returns."""


class HistoryConflict(HistoryUnavailable):
    """Another process wrote the same at the same moment, again and again; nothing is written, and it may be tried."""


class NotFound(HistoryError):
    """No batch, request or event has that id."""


class NotAllowed(HistoryError):
    """A batch in this state cannot do that."""


class SentBefore(NotAllowed):
    """The same input, or some of the same events, went or is going to this target since the plan was made.

    The one who planned it decides: to send what is left, all of it, or nothing.

    Attributes:
        batches: The batches that it went in: their numbers, by which a plan confirms them, by their ids.
        stopped: The id of this batch where it was found after a part of it was recorded, which may have been sent;
            empty where nothing was.
    """

    def __init__(self, message: str, batches: Mapping[str, int], stopped: str = "") -> None:
        super().__init__(message)
        self.batches, self.stopped = batches, stopped
