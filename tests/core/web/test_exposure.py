"""A console that other machines reach needs something that asks who is there, or does not start."""

import pytest

from intempt_core.cli.commands import launch
from intempt_core.errors import SettingsError
from intempt_core.settings import Settings
from intempt_core.web.exposure import Exposure
from intempt_core.web.origins import is_loopback

EVERYWHERE = ["0.0.0.0", "::", "", "10.0.0.5", "fd00::5", "console.example", "127.0.0.1.example"]  # noqa: S104


def expose(address: str, *, has_password: bool = False, **settings: str) -> Exposure:
    environment = {f"CONSOLE_{name.upper()}": value for name, value in settings.items()}
    return Exposure.from_settings(
        Settings.from_environment(environment), address, scheme="http", has_password=has_password
    )


@pytest.mark.parametrize("address", EVERYWHERE)
def test_beyond_loopback_it_needs_a_password_or_the_word_that_something_else_asks(address: str) -> None:
    with pytest.raises(SettingsError, match="Set CONSOLE_PASSWORD, or CONSOLE_UNPROTECTED=1"):
        expose(address)
    protected, told = expose(address, has_password=True), expose(address, unprotected="1")
    assert (protected.notice, protected.loopback_only, told.loopback_only) == ("", False, False)
    assert "asks for no password (CONSOLE_UNPROTECTED=1)" in told.notice


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_at_loopback_it_needs_nothing(address: str) -> None:
    found = expose(address)
    assert (found.notice, found.loopback_only) == ("", True)


def test_behind_a_proxy_on_the_same_machine_it_says_that_it_asks_for_nothing() -> None:
    found = expose("127.0.0.1", hosts="https://console.example,http://localhost:8501")
    assert found.notice.startswith("This console answers at https://console.example and asks for no password.")
    assert expose("127.0.0.1", hosts="https://console.example", has_password=True).notice == ""
    assert expose("127.0.0.1", hosts="http://localhost:8501").notice == ""


def test_an_address_that_was_asked_for_and_is_not_listened_at_is_said() -> None:
    with pytest.raises(SettingsError, match=r"CONSOLE_BIND is 10\.0\.0\.5, but the server listens at 127\.0\.0\.1"):
        expose("127.0.0.1", bind="10.0.0.5", has_password=True)
    assert expose("10.0.0.5", bind="10.0.0.5", has_password=True).addresses.bound == "10.0.0.5"
    assert expose("", bind="0.0.0.0", has_password=True).addresses.bound == ""  # noqa: S104
    with pytest.raises(SettingsError, match="Set CONSOLE_PASSWORD"):
        expose("127.0.0.1", bind="10.0.0.5")


def test_its_own_machine_reaches_it_where_it_listens() -> None:
    urls = [
        expose(address, has_password=True).build_local_url(8501) for address in ("localhost", "10.0.0.5", "::", "::1")
    ]
    assert urls == ["http://127.0.0.1:8501", "http://10.0.0.5:8501", "http://127.0.0.1:8501", "http://[::1]:8501"]


def test_it_answers_at_no_name_of_its_own_where_it_listens_at_every_address() -> None:
    for address in ("0.0.0.0", "::", ""):  # noqa: S104
        assert expose(address, has_password=True).addresses.names == {"localhost", "127.0.0.1", "[::1]"}


@pytest.mark.parametrize(
    "address", [*EVERYWHERE, "127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1", "LOCALHOST"]
)
def test_run_py_which_has_no_package_judges_an_address_alike(address: str) -> None:
    assert launch.is_loopback(address) == is_loopback(address)
