"""Requests with keys in any of their places, as browsers, shells and people write them."""

import base64
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.core.readers.test_copied_scripts import powershell
from tests.core.readers.test_windows_words import chrome, chrome_2023, doubled, firefox

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
EVENT = {"eventId": "e1", "userId": "u1", "data": {"productId": "p1", "title": 'it\'s "q" \\'}}
BODY = json.dumps({"track": [{"name": "Product viewed", "payload": [EVENT]}]})

KEY_BEGIN, KEY_END = "S3cr3tZ", "Zq9"
"""How each key begins and ends, so that what is left of one is seen."""

KEY_TRACES = re.compile(f"{KEY_BEGIN}|{KEY_END}|{base64.b64encode(f'pre:{KEY_BEGIN}'.encode()).decode()[:12]}")
"""What must not be left of a key, nor of its base64."""

_HEADERS = (
    "Authorization", "authorization", "Proxy-Authorization", "X-Api-Key", "x-auth-token", "x-shop-secret", "X-Auth",
    "api-key", "X-Access-Token", "apikey",
)  # fmt: skip
_ODD_SIGNS = "-_ +/= ~.!$%^&'\"\\`(){};,@#|<>"


@dataclass
class KeyedRequest:
    """A request with keys in random places."""

    random: Random
    url: str = URL
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("accept", "*/*"), ("content-type", "a/json")])
    cookies: list[tuple[str, str]] = field(default_factory=list)
    login: str = ""

    def __post_init__(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.random.choice((self.add_header, self.add_basic, self.add_query, self.add_cookie, self.add_login))()

    def make_key(self, odd: str = "") -> str:
        signs = "abcdefXYZ0123456789" + odd
        inside = "".join(self.random.choice(signs) for _ in range(self.random.randint(8, 30)))
        return f"{KEY_BEGIN}{inside}{KEY_END}"

    def add_header(self) -> None:
        scheme = self.random.choice(("", "", "Bearer ", "Token "))
        self.headers.append((self.random.choice(_HEADERS), scheme + self.make_key(_ODD_SIGNS)))

    def add_basic(self) -> None:
        self.headers.append(("Authorization", f"Basic {base64.b64encode(f'pre:{self.make_key()}'.encode()).decode()}"))

    def add_query(self) -> None:
        name = self.random.choice(("apiKey", "api_key", "token", "access_token", "key"))
        self.url += f"{'&' if '?' in self.url else '?'}{name}={self.make_key('-_~.')}"

    def add_cookie(self) -> None:
        self.cookies.append(("sid", self.make_key("-_~.%")))

    def add_login(self) -> None:
        if self.random.random() < 0.5:
            self.login = f"pre:{self.make_key(_ODD_SIGNS)}"
        elif "@" not in self.url:
            self.url = self.url.replace("https://", f"https://pre:{self.make_key('-_~.')}@")

    @property
    def all_headers(self) -> list[tuple[str, str]]:
        """Its headers with what cURL would make of cookies and login."""
        login = base64.b64encode(self.login.encode()).decode()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies)
        more = [("Cookie", cookies)] if cookies else []
        return [*self.headers, *more, *([("Authorization", f"Basic {login}")] if login else [])]


def quote_for_bash(text: str) -> str:
    """What Chrome writes."""
    if not re.search(r"[\0-\x1f\x7f-\x9f!']", text):
        return f"'{text}'"
    return "$'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("!", "\\u0021") + "'"


def quote_double(text: str) -> str:
    return '"' + re.sub(r'(["\\$`])', r"\\\1", text) + '"'


def quote_script(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_template(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${") + "`"


def quote_powershell(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_SHELLS = {
    "Chrome, bash": ("curl", quote_for_bash, " \\\n  "),
    "double quotes": ("curl", quote_double, " "),
    "single quotes": ("curl", shlex.quote, " \\\n "),
    "Chrome, cmd": ("curl", chrome, " ^\n  "),
    "Chrome of 2023, cmd": ("curl", chrome_2023, " ^\n  "),
    "Firefox, cmd": ("curl.exe", firefox, " ^\n  "),
    "doubled quotes": ("curl", doubled, " ^\n  "),
    "curl.exe": ("curl.exe", quote_powershell, " `\n  "),
}
_POWERSHELL = {"Chrome, PowerShell": powershell, "PowerShell": quote_powershell}
_SCRIPTS = {"fetch, single quotes": quote_script, "fetch, templates": quote_template}

FORMS = (*_SHELLS, *_POWERSHELL, *_SCRIPTS, "fetch", "HAR")
"""In what forms a request is written."""


def write_request(request: KeyedRequest, form: str) -> str:
    """A request in one of :data:`FORMS`."""
    if form in _SHELLS:
        return _write_curl(request, *_SHELLS[form])
    if form in _POWERSHELL:
        quote = _POWERSHELL[form]
        cookies = "".join(
            f'$session.Cookies.Add((New-Object System.Net.Cookie({quote(name)}, {quote(value)}, "/", "intempt.com")))\n'
            for name, value in request.cookies
        )
        headers = "\n  ".join(f"{quote(name)}={quote(value)}" for name, value in request.all_headers)
        return (
            f"{cookies}Invoke-WebRequest -UseBasicParsing -Uri {quote(request.url)} `\n-Method 'POST' `\n"
            f"-WebSession $session `\n-Headers @{{\n{headers}\n}} `\n-Body {quote(BODY)}"
        )
    if form in _SCRIPTS:
        quote = _SCRIPTS[form]
        headers = ", ".join(f"'{name}': {quote(value)}" for name, value in request.all_headers)
        return f"fetch({quote(request.url)}, {{ method: 'POST', headers: {{ {headers} }}, body: {quote(BODY)} }})"
    if form == "fetch":
        options = {"headers": dict(request.all_headers), "body": BODY, "method": "POST"}
        return f"fetch({json.dumps(request.url)}, {json.dumps(options, indent=2)});"
    pairs = [pair.partition("=") for pair in request.url.partition("?")[2].split("&") if pair]
    sent = {
        "method": "POST",
        "url": request.url,
        "headers": [{"name": name, "value": value} for name, value in request.all_headers],
        "queryString": [{"name": name, "value": value} for name, _, value in pairs],
        "cookies": [{"name": name, "value": value} for name, value in request.cookies],
        "postData": {"mimeType": "application/json", "text": BODY},
    }
    return json.dumps({"log": {"entries": [{"request": sent, "response": {"status": 201}}]}}, indent=1)


def _write_curl(request: KeyedRequest, name: str, quote: Callable[[str], str], between: str) -> str:
    parts = [
        f"{request.random.choice(('-H', '--header'))} {quote(f'{key}: {value}')}" for key, value in request.headers
    ]
    if request.cookies:
        cookies = "; ".join(f"{key}={value}" for key, value in request.cookies)
        parts.append(f"{request.random.choice(('-b', '--cookie'))} {quote(cookies)}")
    if request.login:
        parts.append(f"{request.random.choice(('-u', '--user', '-U', '--proxy-user'))} {quote(request.login)}")
    parts.append(f"--data-raw {quote(BODY)}")
    request.random.shuffle(parts)
    return between.join([f"{name} {quote(request.url)}", *parts])
