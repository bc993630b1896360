"""Exposure: whether other machines reach the console, and what has to be set before they may."""

from dataclasses import dataclass
from ipaddress import ip_address

from intempt_core.errors import SettingsError
from intempt_core.settings import Settings
from intempt_core.web.origins import LOOPBACK_NAMES, AnsweredAddresses, is_loopback, parse_origin_list

HOSTS_VARIABLE, SANDBOX_ORIGINS_VARIABLE = "CONSOLE_HOSTS", "CONSOLE_SANDBOX_ORIGINS"


@dataclass(frozen=True, slots=True)
class Exposure:
    """Where a server listens, and whether something asks who is there.

    Attributes:
        address: The address that it listens at: an IP address or a host name; empty is every address.
        addresses: Where it answers.
        has_password: Whether it asks for a password.
        unprotected: Whether it was told that something in front of it asks.
    """

    address: str
    addresses: AnsweredAddresses
    has_password: bool
    unprotected: bool

    @classmethod
    def from_settings(cls, settings: Settings, address: str, *, scheme: str, has_password: bool) -> "Exposure":
        """The exposure of a server that listens at ``address`` and speaks ``scheme``.

        Raises :class:`SettingsError` where ``CONSOLE_HOSTS`` lists something else than origins, where ``CONSOLE_BIND``
        asks for another address than the server listens at, and where nothing would ask other machines who is there.
        """
        bind = settings.bind or address
        protected = has_password or bool(settings.unprotected)
        for asked in (address, bind):
            if not (protected or is_loopback(asked)):
                raise SettingsError(
                    f"It would listen at {_name_address(asked)}, where other machines reach it, and nothing would ask"
                    " who is there. Set CONSOLE_PASSWORD, or CONSOLE_UNPROTECTED=1 where something in front of it asks,"
                    " or listen at 127.0.0.1."
                )
        if bind != address and not (_is_every_address(bind) and _is_every_address(address)):
            raise SettingsError(
                f"CONSOLE_BIND is {bind}, but the server listens at {_name_address(address)}: Streamlit was started"
                f" without it. Start it with python3 run.py, or say --server.address {bind}."
            )
        told = parse_origin_list(settings.hosts, HOSTS_VARIABLE)
        bound = "" if address == "localhost" or _is_every_address(address) else address
        return cls(address, AnsweredAddresses(told, scheme, bound), has_password, bool(settings.unprotected))

    @property
    def loopback_only(self) -> bool:
        """Whether a connection from another machine must be rejected, because nothing asks who is there."""
        return not (self.has_password or self.unprotected)

    def build_local_url(self, port: int) -> str:
        """The URL by which its own machine reaches it, without a last slash."""
        host = self.addresses.bound or "127.0.0.1"
        return f"{self.addresses.scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def notice(self) -> str:
        """What every screen has to say about it, as a sentence; empty where nothing has to be said."""
        if self.has_password:
            return ""
        if self.unprotected:
            return "This console asks for no password (CONSOLE_UNPROTECTED=1). Something in front of it has to."
        others = [str(origin) for origin in self.addresses.told if origin.host not in LOOPBACK_NAMES]
        if not others:
            return ""
        return (
            f"This console answers at {', '.join(others)} and asks for no password. Set CONSOLE_PASSWORD, or"
            " CONSOLE_UNPROTECTED=1 where something in front of it asks."
        )


def _is_every_address(address: str) -> bool:
    try:
        return not address or ip_address(address).is_unspecified
    except ValueError:
        return False


def _name_address(address: str) -> str:
    return address or "every address"
