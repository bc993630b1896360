"""Access: everything that stands in front of a server, made from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.middleware import Middleware

from intempt_core.settings import PASSWORD_VARIABLE, Settings
from intempt_core.web.exposure import SANDBOX_ORIGINS_VARIABLE, Exposure
from intempt_core.web.guard import RequestGuard
from intempt_core.web.origins import WebOrigin, parse_origin_list
from intempt_core.web.password import PasswordCheck, PasswordGate

KEY_FILE = "password.key"
"""The file, in the data folder, with the key of the sessions that the password begins."""


@dataclass(frozen=True, slots=True)
class AccessControl:
    """Who may reach a console.

    Attributes:
        exposure: Where it listens and answers.
        sandbox_origins: The origins of pages that may call its sandbox.
        password: The check of its password; ``None`` where it asks for none.
    """

    exposure: Exposure
    sandbox_origins: tuple[WebOrigin, ...]
    password: PasswordCheck | None

    @classmethod
    def open(cls, settings: Settings, environment: Mapping[str, str], exposure: Exposure) -> "AccessControl":
        """The access control of settings; the data folder must be there.

        Raises :class:`~intempt_core.errors.SettingsError` where a setting cannot be used.
        """
        password = environment.get(PASSWORD_VARIABLE, "").strip()
        return cls(
            exposure,
            parse_origin_list(settings.sandbox_origins, SANDBOX_ORIGINS_VARIABLE),
            PasswordCheck.open(settings.data / KEY_FILE, password) if password else None,
        )

    def build_middleware(self, sandbox_path: str) -> list[Middleware]:
        """Build the middleware that stands before every application, in its order."""
        told = self.exposure.addresses.told
        schemes = {origin.scheme for origin in told} or {self.exposure.addresses.scheme}
        guard = Middleware(
            RequestGuard,
            self.exposure.addresses,
            sandbox_path=sandbox_path,
            sandbox_origins=self.sandbox_origins,
            loopback_only=self.exposure.loopback_only,
        )
        if self.password is None:
            return [guard]
        return [
            guard,
            Middleware(PasswordGate, self.password, sandbox_path=sandbox_path, https_only=schemes == {"https"}),
        ]
