"""The page of the console's frontend, and the content security policy under which it runs.

Streamlit serves one page, which draws everything by scripts. It is sent with two things added: a nonce, which the
frontend gives to the styles that it makes, and a script that prepares its start.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable
from html.parser import HTMLParser

_HEAD = "<head>"

_PREPARATION = "delete globalThis.WebAssembly; globalThis.__streamlit = {BACKEND_BASE_URL: location.origin}"
"""A script that runs before all others. Programs in a binary form are as little wanted as ``eval``, and the frontend
does without them. And the server is at the root of this origin: the frontend would otherwise look for it below the
address of the screen first (``/history/_stcore/health``), report two errors, and wait before it looks above.
"""

_STARTING = """
#root:empty::before, [data-testid=stAppSkeleton]::before {
    content: "Event Console is starting …"; display: block; padding: 1rem 2rem; font: 600 1rem system-ui, sans-serif
}
"""
"""A style that says what is awaited until the first screen is drawn, in the place of grey boxes without a word."""

_NONCE_BYTES = 18


class FrontendPage:
    """The page of a frontend as it is installed, and as it is sent.

    ``html`` is the page; ``styles`` are the contents of style elements that scripts add to it without the nonce.
    """

    def __init__(self, html: str, styles: Iterable[str] = ()) -> None:
        self.original = html.encode()
        self._before, head, self._after = html.partition(_HEAD)
        self._before += head
        scripts = [*([_PREPARATION] if head else []), *read_inline_scripts(html)]
        self._scripts = " ".join(_hash_source(text) for text in dict.fromkeys(scripts))
        # An empty style element is one whose rules a script adds afterwards.
        self._styles = " ".join(_hash_source(text) for text in dict.fromkeys(("", *styles)))

    def make_nonce(self) -> str:
        """Make a nonce, which is used for one response."""
        return secrets.token_urlsafe(_NONCE_BYTES)

    def render(self, nonce: str) -> bytes:
        """The page as it is sent."""
        if not self._after:
            return self.original
        added = f'<meta property="csp-nonce" nonce="{nonce}"><script>{_PREPARATION}</script>'
        added += f'<style nonce="{nonce}">{_STARTING}</style>'
        return (self._before + added + self._after).encode()

    def describe_policy(self, nonce: str) -> str:
        """The content security policy of the page.

        No text becomes a script, neither by ``eval`` nor in the page, and none comes from elsewhere; components are
        modules that the frontend makes itself (``blob:``).
        """
        return "; ".join(
            (
                "default-src 'none'",
                f"script-src 'self' blob: {self._scripts}".rstrip(),
                "script-src-attr 'none'",
                f"style-src 'self' 'nonce-{nonce}' {self._styles}",
                "style-src-attr 'none'",
                "img-src 'self' data: blob:",
                "font-src 'self' data:",
                "media-src 'self'",
                "connect-src 'self'",
                "worker-src 'self' blob:",
                "manifest-src 'self'",
                "object-src 'none'",
                "frame-src 'none'",
                "base-uri 'self'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            )
        )


def read_inline_scripts(html: str) -> list[str]:
    """The texts of a page's script elements that name no file, in their order."""
    reader = _InlineScriptReader()
    reader.feed(html.replace("\r\n", "\n"))  # as browsers read it
    reader.close()
    return reader.scripts


class _InlineScriptReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and "src" not in dict(attrs)
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def _hash_source(text: str) -> str:
    """The source expression that allows one text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
