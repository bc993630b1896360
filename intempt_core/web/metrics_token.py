"""The token with which a program reads the metrics of a console that asks for a password: it cannot fill in a form."""

import hmac
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import Scope

from intempt_core.errors import SettingsError
from intempt_core.settings import METRICS_TOKEN_VARIABLE

MIN_TOKEN_CHARACTERS = 16
"""A shorter token could be guessed by trying."""


class MetricsToken:
    """A token that a request carries as ``Authorization: Bearer TOKEN``. It is never shown."""

    __slots__ = ("__token",)

    def __init__(self, token: str) -> None:
        self.__token = token.encode("utf-8", "surrogateescape")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "MetricsToken":
        """The token of an environment, perhaps none. Raises :class:`SettingsError` where it is too short."""
        token = environment.get(METRICS_TOKEN_VARIABLE, "").strip()
        if token and (len(token) < MIN_TOKEN_CHARACTERS or not token.isascii() or not token.isprintable()):
            raise SettingsError(
                f"{METRICS_TOKEN_VARIABLE} takes at least {MIN_TOKEN_CHARACTERS} letters, digits and signs of ASCII:"
                " a shorter one could be guessed. Such as: openssl rand -hex 16."
            )
        return cls(token)

    def is_in(self, scope: Scope) -> bool:
        """Whether a request carries the token; never where there is none."""
        return self.is_bearer(Headers(scope=scope).get("authorization", ""))

    def is_bearer(self, authorization: str) -> bool:
        """Whether the header ``Authorization`` has the token; never where there is none."""
        scheme, _, given = authorization.partition(" ")
        is_same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self.__token)
        return bool(self.__token) and scheme.lower() == "bearer" and is_same

    def __repr__(self) -> str:
        return "MetricsToken(…)"
