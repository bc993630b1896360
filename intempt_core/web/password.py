"""The password of the console: asked for once a browser, before any screen, socket or route.

It is checked before Streamlit sees a request. The cookie is signed with a key that is made of a file in the data
folder and of the password itself, so that a new password ends every session that the old one began.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from intempt_core.errors import SettingsError
from intempt_core.web.guard import MONITORING_PATHS, POLICY_VIOLATION
from intempt_core.web.password_page import (
    NEXT_FIELD,
    PASSWORD_FIELD,
    PASSWORD_PATH,
    build_password_page,
    build_return_page,
    parse_next_path,
)
from intempt_core.web.throttle import AttemptThrottle

SESSION_SECONDS = 30 * 24 * 3600
"""Seconds after which a browser is asked again."""

FORM_BYTES = 65_536
"""Bytes of a sent form at the most."""

FORM_SECONDS = 10.0
"""Seconds that a form may take to arrive."""

_KEY_BYTES = 32
_SIGNED_IN = "intempt_core.signed_in"
"""The key of the scope under which the answer is held: Streamlit's own middleware replaces ``scope["session"]``."""

_FORM_TYPE = "application/x-www-form-urlencoded"


class PasswordCheck:
    """The password that is expected, and the key that sessions are signed with; neither is shown by ``repr``."""

    def __init__(self, file_key: bytes, password: str) -> None:
        self._file_key = file_key
        self.session_key = self._derive_key(password)
        self.cookie_name = f"console_{hashlib.sha256(file_key).hexdigest()[:12]}"  # browsers share cookies among ports

    @classmethod
    def open(cls, key_file: Path, password: str) -> "PasswordCheck":
        """The check of a password, with the key of a file, which is made where it is not there.

        Raises :class:`SettingsError` where the file can be neither read nor made.
        """
        try:
            return cls(_read_key(key_file), password)
        except OSError as error:
            raise SettingsError(
                f"CONSOLE_PASSWORD is set, but the key of its sessions cannot be kept in {key_file}: {error.strerror}."
            ) from None

    def is_right(self, given: str) -> bool:
        """Whether a password is the expected one; it takes as long for any."""
        return hmac.compare_digest(self._derive_key(given), self.session_key)

    def _derive_key(self, password: str) -> str:
        text = unicodedata.normalize("NFC", password.strip()).encode("utf-8", "surrogatepass")
        return hmac.new(self._file_key, b"console session " + text, hashlib.sha256).hexdigest()


def _read_key(file: Path) -> bytes:
    """The key of a file. One of another size, such as of a disk that was full, is replaced. Raises OSError."""
    for _ in range(2):
        with suppress(FileNotFoundError):
            if len(key := file.read_bytes()) == _KEY_BYTES:
                return key
            file.unlink()
        made = file.with_name(f"{file.name}.{uuid4().hex}")
        try:
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:  # noqa: PTH123  its mode
                opened.write(secrets.token_bytes(_KEY_BYTES))
            try:
                os.link(made, file)
            except FileExistsError:
                pass  # another process was quicker: its key is read
            except OSError:  # a file system without links
                made.replace(file)
        finally:
            made.unlink(missing_ok=True)
    return file.read_bytes()


class PasswordGate:
    """Middleware that asks for the password everywhere but below ``sandbox_path`` and at the paths of monitoring.

    ``https_only`` keeps the cookie to HTTPS.
    """

    def __init__(
        self,
        app: ASGIApp,
        check: PasswordCheck,
        *,
        sandbox_path: str,
        https_only: bool,
        throttle: AttemptThrottle | None = None,
    ) -> None:
        self.app = app
        self._check = check
        self._sandbox_prefix = sandbox_path + "/"
        self._throttle = throttle or AttemptThrottle()
        self._sessions = SessionMiddleware(
            self._decide,
            secret_key=check.session_key,
            session_cookie=check.cookie_name,
            max_age=SESSION_SECONDS,
            same_site="strict",
            https_only=https_only,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or one socket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        else:
            await self._sessions(scope, receive, send)

    async def _decide(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = scope["session"]
        signed_in = session.get("signed_in") is True
        path = scope["path"]
        if scope["type"] == "http" and path == PASSWORD_PATH:
            response = await self._answer_form(Request(scope, receive), session)
            await response(scope, receive, send)
        elif signed_in or path in MONITORING_PATHS or path.startswith(self._sandbox_prefix):
            inner = {name: value for name, value in scope.items() if name != "session"}
            await self.app({**inner, _SIGNED_IN: signed_in}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            await _ask(scope)(scope, receive, send)

    async def _answer_form(self, request: Request, session: dict[str, Any]) -> Response:
        if request.method != "POST":
            return RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
            return PlainTextResponse(f"The password is sent as {_FORM_TYPE}.\n", 415)
        try:
            async with asyncio.timeout(FORM_SECONDS):
                body = await _read_form(request)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse("The form did not arrive in time.\n", 408, {"Connection": "close"})
        if body is None:
            return PlainTextResponse("The form is too large.\n", 413, {"Connection": "close"})
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        next_path = parse_next_path(fields.get(NEXT_FIELD, ["/"])[0])
        client = request.client.host if request.client else ""
        if wait := self._throttle.take(client):
            fault = f"Too many attempts. Try again in {int(wait) + 1} seconds."
            return build_password_page(next_path, fault, status=429, wait=wait)
        if not self._check.is_right(fields.get(PASSWORD_FIELD, [""])[0]):
            return build_password_page(next_path, "That is not the password.")
        self._throttle.forgive(client)
        session["signed_in"] = True
        return RedirectResponse(next_path, 303, {"Cache-Control": "no-store"})


async def _read_form(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            return None
    return bytes(body)


def _ask(scope: Scope) -> Response:
    """The response to a request without the password: the page for a person, a sentence for a program."""
    headers = Headers(scope=scope)
    if scope["method"] not in ("GET", "HEAD") or "text/html" not in headers.get("accept", ""):
        sentence = "This console asks for its password. Open it in a browser first.\n"
        return PlainTextResponse(sentence, 401, {"Cache-Control": "no-store"})
    if headers.get("sec-fetch-site") == "cross-site":
        return build_return_page()
    query = scope["query_string"].decode("latin-1")
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    return build_password_page(path + (f"?{query}" if query else ""))


def is_signed_in(scope: Scope) -> bool:
    """Whether a request comes from a browser that has given the password; true where none is asked for."""
    return bool(scope.get(_SIGNED_IN, True))
