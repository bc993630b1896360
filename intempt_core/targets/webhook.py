"""Where a target's webhook leads, and what signs it: the fields ``webhook`` and ``webhook_secret`` of a description.

A webhook's URL may hold a token of its receiver, so it is shown to nobody: only its host is.
"""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from intempt_core.contract import INVISIBLE_CHARACTERS
from intempt_core.errors import TargetIncomplete
from intempt_core.targets.loopback import leads_to_this_machine

WEBHOOK_SECRET_MEANING = "It names the environment variable of the secret that signs each message."  # noqa: S105  no secret
"""What the field ``webhook_secret`` is."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?")
_FORM = "It takes a URL such as https://hooks.example/console."


def parse_webhook_url(value: Any) -> str:
    """The URL of a webhook. Raises :class:`TargetIncomplete` with a sentence that does not repeat it."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isascii() or set(text) & {*INVISIBLE_CHARACTERS, " ", "\\"} or not text.isprintable():
        raise TargetIncomplete(f"This is no URL. {_FORM} Characters beyond ASCII are written with %.")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise TargetIncomplete(f"This is no URL. {_FORM}") from None
    if parts.scheme not in ("http", "https"):
        raise TargetIncomplete("Only https:// is spoken here, and http:// to this machine.")
    if "@" in parts.netloc or parts.fragment or text.endswith("#"):
        raise TargetIncomplete("The URL has an @ in its host, or a #, which do not belong there.")
    if ":" not in host and not _HOST.fullmatch(host):
        raise TargetIncomplete(f"This has no host name. {_FORM}")
    if parts.scheme == "http" and not leads_to_this_machine(f"[{host}]" if ":" in host else host):
        raise TargetIncomplete("Over http:// others could read and change the message. Write https://.")
    return urlunsplit(parts._replace(path=parts.path or "/"))


def parse_secret_variable(value: Any) -> str:
    """The name of the environment variable that has the secret of a webhook. Raises :class:`TargetIncomplete`."""
    text = value.strip().removeprefix("$") if isinstance(value, str) else ""
    if not _VARIABLE.fullmatch(text):
        raise TargetIncomplete(
            "This is no name of an environment variable, such as SHOP_WEBHOOK_SECRET. The secret itself is in that"
            " variable and nowhere else."
        )
    return text
