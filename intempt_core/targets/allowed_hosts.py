"""The hosts that targets added on a screen may lead to.

A target of the environment or of ``secrets.toml`` was described by the person who runs the console. One that is added
on a screen may be anybody's who reaches the screen, and may name an environment variable whose value would go to its
host. So where others than that person reach the console, only the hosts of a list are allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from intempt_core.contract import join_words
from intempt_core.errors import TargetIncomplete
from intempt_core.settings import PASSWORD_VARIABLE, Settings
from intempt_core.targets.parsing import STAGING_HOST

ALLOWED_HOSTS_VARIABLE = "CONSOLE_ALLOWED_TARGET_HOSTS"
"""The setting of the list."""

VENDOR_HOSTS = ("api.intempt.com", STAGING_HOST)
"""The vendor's hosts (CONTRACT 1.1), which are allowed unless a list says otherwise."""


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The hosts to which a target from a screen may lead.

    Attributes:
        hosts: Hosts, each with its port where it is another than the usual one; ``None`` where every host is allowed.
    """

    hosts: tuple[str, ...] | None = None

    @classmethod
    def from_settings(cls, settings: Settings, environment: Mapping[str, str]) -> "AllowedHosts":
        """The hosts that are listed; else every host, or the vendor's where others reach the console too."""
        listed = tuple(host.strip().lower() for host in settings.allowed_target_hosts.split(",") if host.strip())
        has_password = bool(environment.get(PASSWORD_VARIABLE, "").strip())
        is_shared = has_password or bool(settings.unprotected) or bool(settings.hosts.strip())
        return cls(listed or (VENDOR_HOSTS if is_shared else None))

    def check(self, url: str, what: str = "Targets") -> None:
        """Raise :class:`TargetIncomplete` where a URL leads to a host that is not allowed; ``what`` has such URLs."""
        if self.hosts is None or urlsplit(url).netloc.lower() in self.hosts:
            return
        raise TargetIncomplete(
            f"{what} that are added here may lead to {join_words(self.hosts, 'or')} only. Who runs the console allows"
            f" more in {ALLOWED_HOSTS_VARIABLE}, or describes the target in secrets.toml."
        )
