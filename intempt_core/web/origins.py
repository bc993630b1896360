"""Web origins (scheme, host, port), and the addresses at which the console answers.

A browser names the origin of the page that asks in the header ``Origin``, and the name it asked for in ``Host``. Both
are compared with addresses that the console was told to answer at, part by part, and never with each other: a page of
another port of this machine, or one whose own name was made to lead here, sends what fits itself.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv6Address, ip_address

from intempt_core.errors import SettingsError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""How a browser calls the machine that it runs on."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}[a-z0-9_])?)(?::([0-9]{1,5}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host with its port, as the header ``Host`` has them.

    Attributes:
        name: The host in lower case; an IPv6 address in brackets, in its shortest form.
        port: Its port; ``None`` where none is written.
    """

    name: str
    port: int | None


@dataclass(frozen=True, slots=True)
class WebOrigin:
    """An origin of the web: pages of one origin trust each other, and no other.

    Attributes:
        scheme: ``http`` or ``https``.
        host: The host in lower case; an IPv6 address in brackets.
        port: The port, also where it is the scheme's own.
    """

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        """Host and port as a browser writes them: without the port where it is the scheme's own."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"


@lru_cache(256)
def parse_host(text: str) -> HostPort | None:
    """Parse the value of a header ``Host``; ``None`` where it is malformed."""
    match = _HOST.fullmatch(text)
    if match is None:
        return None
    name, port = match[1].lower(), int(match[2]) if match[2] else None
    if port is not None and not 1 <= port <= 65535:
        return None
    if name.startswith("["):
        try:
            name = f"[{IPv6Address(name[1:-1])}]"
        except ValueError:
            return None
    return HostPort(name, port)


@lru_cache(256)
def parse_origin(text: str) -> WebOrigin | None:
    """Parse the value of a header ``Origin``; ``None`` where it is malformed, or of no web server (``null``)."""
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _DEFAULT_PORTS or (host := parse_host(rest)) is None:
        return None
    return WebOrigin(scheme, host.name, host.port or _DEFAULT_PORTS[scheme])


def parse_origin_list(text: str, variable: str) -> tuple[WebOrigin, ...]:
    """Parse a setting that lists origins, separated by commas. Raises :class:`SettingsError` with its ``variable``."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        origin = parse_origin(part.removesuffix("/"))
        if origin is None:
            raise SettingsError(
                f"{variable} names “{part}”. It takes origins, separated by commas: scheme, host and, where it is not"
                " the scheme's own, port, for example https://console.example,http://10.0.0.5:8501."
            )
        found.append(origin)
    return tuple(dict.fromkeys(found))


@lru_cache(256)
def is_loopback(address: str) -> bool:
    """Whether a server that listens at an address is reached from its own machine only."""
    if address == "localhost":
        return True
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback


@dataclass(frozen=True)
class AnsweredAddresses:
    """The addresses at which a server answers: those it was told, or else this machine's own.

    Attributes:
        told: The origins that it was told (``CONSOLE_HOSTS``); empty where it was told none.
        scheme: The scheme that the server itself speaks.
        bound: The one address that it listens at; empty where it listens at loopback only, or at several.
    """

    told: tuple[WebOrigin, ...] = ()
    scheme: str = "http"
    bound: str = ""

    @cached_property
    def own_names(self) -> frozenset[str]:
        """The host names by which programs of this machine reach it."""
        bound = f"[{self.bound}]" if ":" in self.bound else self.bound
        parsed = parse_host(bound) if bound else None
        return frozenset(LOOPBACK_NAMES) | ({parsed.name} if parsed else set())

    @cached_property
    def names(self) -> frozenset[str]:
        """The host names at which screens are served."""
        return frozenset(origin.host for origin in self.told) or self.own_names

    def is_own_origin(self, origin: WebOrigin, port: int) -> bool:
        """Whether an origin is this machine's way to it, at the ``port`` that a request came in by."""
        return origin.scheme == self.scheme and origin.host in self.own_names and origin.port == port

    def is_page_origin(self, origin: WebOrigin, port: int) -> bool:
        """Whether an origin is that of its own pages, at the ``port`` that a request came in by."""
        return origin in self.told if self.told else self.is_own_origin(origin, port)
