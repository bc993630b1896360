"""The page that asks for the password: plain HTML, without a script and without anything from elsewhere."""

import base64
import hashlib
from html import escape

from starlette.responses import HTMLResponse

PASSWORD_PATH = "/_password"  # noqa: S105  a path
"""Where the page sends the password."""

PASSWORD_FIELD, NEXT_FIELD = "password", "next"

_STYLE = """
:root { color-scheme: light dark; font-family: 'Source Sans', system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
    background: light-dark(#fcfcfa, #14171a); color: light-dark(#14181c, #f1f3f4) }
form { width: min(22rem, 90vw); display: grid; gap: .75rem }
h1 { font-size: 1.2rem; margin: 0 }
input, button { font: inherit; padding: .5rem .6rem; border-radius: 6px;
    border: 1px solid light-dark(#6b7280, #8b949e) }
input { background: light-dark(#fff, #1d2226); color: inherit }
button { background: #1f5a8c; border-color: #1f5a8c; color: #fff; cursor: pointer }
p { margin: 0; color: light-dark(#8a1a12, #f6aaa2) }
"""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # under no-referrer a browser would send the form with the Origin “null”
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def build_password_page(next_path: str, fault: str = "", *, status: int = 401, wait: float = 0) -> HTMLResponse:
    """Build the page; ``next_path`` is where it leads, ``fault`` a sentence about the last attempt.

    ``wait`` is the seconds after which another attempt is allowed.
    """
    message = f'<p role="alert" id="fault">{escape(fault)}</p>' if fault else ""
    attributes = 'type="password" required autofocus autocomplete="current-password"'
    attributes += ' aria-describedby="fault" aria-invalid="true"' if fault else ""
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Password · Event Console</title><style>{_STYLE}</style></head>
<body><main><form method="post" action="{PASSWORD_PATH}">
<h1>Event Console</h1>
<label for="password">Password of this console</label>
<input id="password" name="{PASSWORD_FIELD}" {attributes}>
<input name="{NEXT_FIELD}" type="hidden" value="{escape(next_path)}">
{message}
<button>Sign in</button>
</form></main></body></html>
"""
    return HTMLResponse(page, status, {**_HEADERS, **({"Retry-After": str(int(wait) + 1)} if wait else {})})


def build_return_page() -> HTMLResponse:
    """Build a page that asks for its own address again, at once.

    A browser that follows a link of another site sends no cookie that is kept to this one; what a page of this site
    asks for, it sends it with.
    """
    page = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Event Console</title>'
    page += '<meta http-equiv="refresh" content="0"></head><body></body></html>\n'
    return HTMLResponse(page, 401, _HEADERS)


def parse_next_path(text: str) -> str:
    """Where to go after the password: a path of this console, never another server's address."""
    local = text.startswith("/") and not text.startswith(("//", "/\\", PASSWORD_PATH))
    return text if local and text.isprintable() and text.isascii() else "/"
