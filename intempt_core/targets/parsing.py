"""Parsers of the fields of a target's description, one a field: :data:`FIELD_PARSERS`.

A parser raises :class:`TargetIncomplete` or :class:`CredentialError` with a sentence that does not repeat the value.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from intempt_core.contract import FEED_TITLES, INVISIBLE_CHARACTERS
from intempt_core.errors import TargetIncomplete
from intempt_core.targets.credential import Credential
from intempt_core.targets.loopback import leads_to_this_machine
from intempt_core.targets.webhook import parse_secret_variable, parse_webhook_url

STAGING_HOST = "api.staging.intempt.com"
"""The vendor's staging host (CONTRACT 1.1)."""

TRACK_PATH = re.compile(r"(?P<prefix>.*)/v1/([^/]+)/projects/([^/]+)/sources/([^/]+)/track/?", re.DOTALL)
"""The path of a track URL: any prefix before ``/v1``, then org, project and source, percent-encoded (CONTRACT 1.1)."""


def _parse_base_url(value: Any) -> str:
    """Parse a host into the URL before ``/v1``: a bare host means https."""
    text = _parse_text(value)
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname or "", parts.port
        host = f"[{ipaddress.IPv6Address(host)}]" if ":" in host else host
    except ValueError:
        raise TargetIncomplete(
            "This is no host. It takes HOST, HOST:PORT or a URL such as https://HOST/prefix."
        ) from None
    if parts.scheme not in ("http", "https"):
        raise TargetIncomplete("Only https:// is spoken here, and http:// to this machine.")
    if "@" in parts.netloc:
        raise TargetIncomplete("The host has an @: a key or a user does not belong there.")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise TargetIncomplete("The host has a ? or #; it takes a host and at the most a path.")
    if TRACK_PATH.fullmatch(parts.path):
        raise TargetIncomplete(
            "This is a whole track URL. Give what stands before /v1, and org, project and source apart."
        )
    if ":" not in host and not re.fullmatch(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?", host):
        raise TargetIncomplete("This is no host name. A name beyond ASCII is written in its xn-- form.")
    if parts.scheme == "http" and not leads_to_this_machine(host):
        found = " This name does not lead to this machine." if host.rstrip(".").endswith("localhost") else ""
        raise TargetIncomplete(f"Over http:// the key would travel in clear text.{found} Write https://.")
    if {".", ".."} & set(unquote(parts.path).split("/")):
        raise TargetIncomplete("The path has a . or .. as a step.")
    where = host if port is None else f"{host}:{port}"
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~")
    return f"{parts.scheme}://{where}{path}".rstrip("/")


def is_production(base: str) -> bool:
    """Whether a target whose description does not say holds a shop's own data: all but this machine and staging.

    Taking a staging system for production costs one more confirmation; the other way round costs a shop's data.
    """
    host = urlsplit(base).hostname or ""
    return not (leads_to_this_machine(host) or host == STAGING_HOST)


def _parse_text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # a TOML integer is exact in Python, every digit of it
    if not isinstance(value, str):
        raise TargetIncomplete("This is not text. Write it in quotes: an id that once was a number has lost digits.")
    if not value.strip():
        raise TargetIncomplete("This is empty.")
    if set(value.strip()) & set(INVISIBLE_CHARACTERS):
        raise TargetIncomplete("This has invisible characters inside.")
    return value.strip()


def _parse_segment(value: Any) -> str:
    text = _parse_text(value)
    if text in (".", ".."):
        raise TargetIncomplete("This would be a step of the path, not a name.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TargetIncomplete("This holds half a character.") from None
    return text


def _parse_boolean(value: Any) -> bool:
    values = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    text = str(value).strip().lower()
    if text not in values:
        raise TargetIncomplete("This is neither true nor false.")
    return values[text]


def _parse_rate(value: Any) -> float:
    try:
        rate = float(str(value).strip())
    except ValueError:
        rate = 0.0
    if isinstance(value, bool) or not 0.01 <= rate <= 100_000:
        raise TargetIncomplete("This is no number of requests a second from 0.01 to 100000.")
    return rate


def _parse_in_flight(value: Any) -> int:
    text = str(value).strip()
    count = int(text) if text.isdecimal() and len(text) < 5 else 0
    if isinstance(value, bool) or not 1 <= count <= 1000:
        raise TargetIncomplete("This is no number of requests in flight from 1 to 1000.")
    return count


def _parse_feed_ids(value: Any) -> Mapping[str, str]:
    """Parse feed ids (the console's name → its id there): a table, or text as JSON or ``recently-viewed=123,…``."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = json.loads(value, parse_float=lambda _: None)
        except (ValueError, RecursionError):
            raise TargetIncomplete("This is no JSON.") from None
    elif isinstance(value, str):
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        value = {feed: there for feed, _, there in pairs}
    if not isinstance(value, Mapping):
        raise TargetIncomplete("This is no table of feed and id.")
    feeds = {str(feed).strip().replace("_", "-").lower(): _parse_segment(there) for feed, there in value.items()}
    if not feeds.keys() <= FEED_TITLES.keys():
        raise TargetIncomplete(f"A feed is not known. Known are {', '.join(FEED_TITLES)}.")
    return MappingProxyType(feeds)


@lru_cache(1024)
def encode_segment(text: str) -> str:
    """Percent-encode one segment of a URL's path (CONTRACT 1.2)."""
    return quote(text, safe="")


FIELD_PARSERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "host": _parse_base_url,
        "org": _parse_segment,
        "project": _parse_segment,
        "source": _parse_segment,
        "key": lambda value: Credential.parse(_parse_text(value)),
        "production": _parse_boolean,
        "deduplicates": _parse_boolean,
        "feeds": _parse_feed_ids,
        "requests_per_second": _parse_rate,
        "requests_in_flight": _parse_in_flight,
        "webhook": parse_webhook_url,
        "webhook_secret": parse_secret_variable,
    }
)
"""Field → the parser of what TOML, the environment or a form gave for it."""
