"""Access control: what stands before a server is made from its settings, in an order that nothing passes by."""

from pathlib import Path

import pytest

from intempt_core.errors import SettingsError
from intempt_core.settings import Settings
from intempt_core.web.access import AccessControl
from intempt_core.web.exposure import Exposure
from intempt_core.web.guard import RequestGuard
from intempt_core.web.origins import parse_origin_list
from intempt_core.web.password import PasswordGate
from intempt_core.web.sandbox_access import build_sandbox_middleware


def open_access(folder: Path, *, scheme: str = "http", **environment: str) -> AccessControl:
    given = {"CONSOLE_DATA": str(folder), **environment}
    settings = Settings.from_environment(given)
    has_password = bool(environment.get("CONSOLE_PASSWORD", "").strip())
    exposure = Exposure.from_settings(settings, "127.0.0.1", scheme=scheme, has_password=has_password)
    return AccessControl.open(settings, given, exposure)


def test_the_guard_comes_before_the_password(tmp_path: Path) -> None:
    kinds: list[object] = [
        one.cls for one in open_access(tmp_path, CONSOLE_PASSWORD="pass").build_middleware("/sandbox")
    ]
    assert kinds == [RequestGuard, PasswordGate]
    assert (tmp_path / "password.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("password", ["", "  "])
def test_without_a_password_there_is_a_guard_only_and_no_key(tmp_path: Path, password: str) -> None:
    access = open_access(tmp_path, CONSOLE_PASSWORD=password)
    (guard,) = access.build_middleware("/sandbox")
    kind: object = guard.cls
    assert kind is RequestGuard
    assert guard.kwargs["loopback_only"] is True
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("hosts", "scheme", "secure"),
    [
        ("https://console.example", "http", True),
        ("https://console.example,http://10.0.0.5:8501", "http", False),  # it could not be signed in to by the other
        ("", "https", True),
        ("", "http", False),
    ],
)
def test_the_cookie_is_kept_to_https_where_every_address_is(
    tmp_path: Path, hosts: str, scheme: str, *, secure: bool
) -> None:
    access = open_access(tmp_path, scheme=scheme, CONSOLE_PASSWORD="pass", CONSOLE_HOSTS=hosts)
    assert access.build_middleware("/sandbox")[1].kwargs["https_only"] is secure


def test_origins_of_the_sandbox_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CONSOLE_SANDBOX_ORIGINS names “shop”"):
        open_access(tmp_path, CONSOLE_SANDBOX_ORIGINS="shop")
    access = open_access(tmp_path, CONSOLE_SANDBOX_ORIGINS="http://localhost:3000")
    assert [str(origin) for origin in access.sandbox_origins] == ["http://localhost:3000"]


def test_a_sandbox_that_is_served_alone_is_all_sandbox_and_for_this_machine() -> None:
    _, guard = build_sandbox_middleware(parse_origin_list("http://localhost:3000", "CONSOLE_SANDBOX_ORIGINS"))
    assert (guard.kwargs["sandbox_path"], guard.kwargs["loopback_only"]) == ("", True)
