"""The HTTP endpoint for uploads: ``PUT`` with a token of the browser's tab, streamed into the spool.

The server's own checks do not cover this route, so it makes its own: a token that cannot be guessed, the origin of the
console itself, a content type that no form can send. A page of another site has none of the three.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Protocol
from urllib.parse import unquote, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from intempt_core.errors import HistoryUnavailable, SpoolError, SpoolTooLarge
from intempt_core.uploads.spool import IncomingFile, Spool, SpooledFile

UPLOAD_PATH = "/_upload"
TOKEN_HEADER, FILE_NAME_HEADER = "X-Upload-Token", "X-File-Name"
UPLOAD_CONTENT_TYPE = "application/octet-stream"

WRITE_CHUNK_BYTES = 1_048_576
"""Bytes that go to the disk at a time."""

MAX_UPLOAD_TOKENS = 10_000
"""Tabs that may send files; of more the one that has been silent longest is forgotten."""

MAX_FILE_NAME_CHARS = 200


@dataclass
class _TokenFiles:
    """The files of one tab: those that were not taken yet, all that are kept, and the names of those let go."""

    arrived: list[SpooledFile] = field(default_factory=list)
    kept: dict[str, SpooledFile] = field(default_factory=dict)
    let_go: dict[str, str] = field(default_factory=dict)


class UploadRegistry(Protocol):
    """The tokens under which tabs send files, and the files of each: of one console, or of all on one database."""

    @property
    def spool(self) -> Spool:
        """Where the files lie."""

    @property
    def max_tab_bytes(self) -> int:
        """Bytes that the files of one tab may have together."""

    def create_token(self) -> str:
        """Make a token for one tab; no other ever sees it."""

    def is_valid(self, token: str) -> bool:
        """Whether a token is one of ours."""

    def add_file(self, token: str, file: SpooledFile) -> None:
        """Note a file that has arrived whole; where the tab has too many bytes now, its oldest files are let go."""

    def adopt_file(self, token: str, digest: str) -> SpooledFile | None:
        """Keep a file of another tab for this one too, by its digest; ``None`` where no tab has it any more."""

    def take_newest(self, token: str) -> SpooledFile | None:
        """Take the newest file that has arrived under a token; those before it are dropped."""

    def list_let_go(self, token: str) -> list[str]:
        """The names of a tab's files that were let go for newer ones."""

    def was_let_go(self, token: str, digest: str) -> bool:
        """Whether a file was let go for newer ones of its tab."""


class UploadTokens:
    """The uploads of one console; see :class:`UploadRegistry`.

    A tab keeps files of up to ``max_tab_bytes`` together; of more the oldest is let go, unless another tab has it too.
    """

    def __init__(self, spool: Spool, max_tab_bytes: int) -> None:
        self.spool, self.max_tab_bytes = spool, max(max_tab_bytes, spool.max_bytes)
        self._lock = Lock()
        self._files: OrderedDict[str, _TokenFiles] = OrderedDict()

    def create_token(self) -> str:
        """Make a token for one tab; no other ever sees it."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._files[token] = _TokenFiles()
            if len(self._files) > MAX_UPLOAD_TOKENS:
                self._files.popitem(last=False)
        return token

    def is_valid(self, token: str) -> bool:
        """Whether a token is one of ours."""
        with self._lock:
            if token in self._files:
                self._files.move_to_end(token)
            return token in self._files

    def add_file(self, token: str, file: SpooledFile) -> None:
        """Note a file that has arrived whole; where the tab has too many bytes now, its oldest files are let go."""
        with self._lock:
            files = self._files.setdefault(token, _TokenFiles())
            files.arrived.append(file)
            files.kept.pop(file.digest, None)
            files.kept[file.digest] = file
            files.let_go.pop(file.digest, None)
            while sum(one.size for one in files.kept.values()) > self.max_tab_bytes:
                oldest = files.kept.pop(next(iter(files.kept)))
                files.let_go[oldest.digest] = oldest.name
                if not any(oldest.digest in others.kept for others in self._files.values()):
                    self.spool.remove(oldest.digest)

    def adopt_file(self, token: str, digest: str) -> SpooledFile | None:
        """Keep a file of another tab for this one too, by its digest; ``None`` where no tab has it any more.

        A page that is loaded again is a new tab: so it goes on with the file that it had.
        """
        with self._lock:
            file = next((files.kept[digest] for files in self._files.values() if digest in files.kept), None)
            if file is None or not self.spool.touch(digest):
                return None
            self._files.setdefault(token, _TokenFiles()).kept[digest] = file
        return file

    def take_newest(self, token: str) -> SpooledFile | None:
        """Take the newest file that has arrived under a token; those before it are dropped."""
        with self._lock:
            files = self._files.get(token) or _TokenFiles()
            newest = files.arrived[-1] if files.arrived else None
            files.arrived.clear()
        return newest

    def list_let_go(self, token: str) -> list[str]:
        """The names of a tab's files that were let go for newer ones."""
        with self._lock:
            files = self._files.get(token)
            return list(files.let_go.values()) if files else []

    def was_let_go(self, token: str, digest: str) -> bool:
        """Whether a file was let go for newer ones of its tab."""
        with self._lock:
            files = self._files.get(token)
            return files is not None and digest in files.let_go


def create_upload_route(upload_tokens: Callable[[], UploadRegistry]) -> Route:
    """Make the route ``PUT`` :data:`UPLOAD_PATH`. It answers 201 ``{"digest", "size"}``, or ``{"error": sentence}``.

    400 no name · 403 origin or token · 413 too large · 415 content type · 503 the database is away ·
    507 no space on the disk.
    """

    async def put(request: Request) -> JSONResponse:
        return await _receive_upload(request, upload_tokens())

    return Route(UPLOAD_PATH, put, methods=["PUT"])


async def _receive_upload(request: Request, upload_tokens: UploadRegistry) -> JSONResponse:
    token, name = request.headers.get(TOKEN_HEADER, ""), parse_file_name(request.headers.get(FILE_NAME_HEADER, ""))
    try:
        known = await asyncio.to_thread(upload_tokens.is_valid, token)
    except HistoryUnavailable as error:
        return _error_response(503, str(error))
    if rejection := _reject_request(request, name, known=known):
        return rejection
    announced = request.headers.get("content-length", "")
    try:
        reception = upload_tokens.spool.receive(name, int(announced) if announced.isdigit() else 0)
        incoming = await asyncio.to_thread(reception.__enter__)
        try:
            await _stream_body(request, incoming)
        except BaseException as error:  # a tab that is closed, a server that stops: whatever it is, nothing may stay
            if not reception.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            await asyncio.to_thread(partial(reception.__exit__, None, None, None))
    except SpoolTooLarge as error:
        return _error_response(413, str(error))
    except SpoolError as error:
        return _error_response(507, str(error))
    except ClientDisconnect:
        return _error_response(400, "The upload broke off.")
    try:
        await asyncio.to_thread(upload_tokens.add_file, token, incoming.spooled)
    except HistoryUnavailable as error:
        return _error_response(503, str(error))
    return JSONResponse({"digest": incoming.spooled.digest, "size": incoming.size}, 201)


def _reject_request(request: Request, name: str, *, known: bool) -> JSONResponse | None:
    """The response to a request that is wrong before its body is read; none where it is right."""
    if urlsplit(request.headers.get("origin", "")).netloc != request.headers.get("host"):
        return _error_response(403, "Files are taken from the console's own page only.")
    if not known:
        return _error_response(
            403, "The console was restarted since this page was opened. Reload the page, then drop the file."
        )
    if request.headers.get("content-type") != UPLOAD_CONTENT_TYPE:
        return _error_response(415, f"A file is sent as {UPLOAD_CONTENT_TYPE}.")
    return None if name else _error_response(400, f"A file has a name, in the header {FILE_NAME_HEADER}.")


async def _stream_body(request: Request, incoming: IncomingFile) -> None:
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) >= WRITE_CHUNK_BYTES:
            await asyncio.to_thread(incoming.write, bytes(held))
            held.clear()
    await asyncio.to_thread(incoming.write, bytes(held))


def parse_file_name(given: str) -> str:
    """The file's name in a percent-encoded header: what follows the last slash of either kind, not too long."""
    name = unquote(given).replace("\\", "/").rpartition("/")[2].strip()
    return name if len(name) <= MAX_FILE_NAME_CHARS else f"…{name[-MAX_FILE_NAME_CHARS:]}"


def _error_response(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)
