"""Origins and hosts are parsed strictly, and an address is answered only where it was told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.errors import SettingsError
from intempt_core.web.origins import (
    AnsweredAddresses,
    WebOrigin,
    is_loopback,
    parse_host,
    parse_origin,
    parse_origin_list,
)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost:8501", WebOrigin("http", "localhost", 8501)),
        ("https://console.example", WebOrigin("https", "console.example", 443)),
        ("http://console.example:80", WebOrigin("http", "console.example", 80)),
        ("HTTP://LocalHost:8501", WebOrigin("http", "localhost", 8501)),
        ("http://[::1]:8501", WebOrigin("http", "[::1]", 8501)),
        ("http://[0:0:0:0:0:0:0:1]:8501", WebOrigin("http", "[::1]", 8501)),
        ("http://my_service:8501", WebOrigin("http", "my_service", 8501)),
    ],
)
def test_an_origin_is_scheme_host_and_port(text: str, origin: WebOrigin) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "http://", "http:/localhost", "localhost:8501", "ftp://localhost", "file://", "http://[bad",
        "http://[::1", "http://[zz::1]", "http://local host", "http://user@localhost:8501", "http://localhost:8501/",
        "http://localhost:8501?x", "http://localhost:", "http://localhost:0", "http://localhost:65536",
        "http://localhost:8501:1", "http://localhost:٣", "http://локал", "http://-x", "http://x-", "http://.", "http://x.",
        "chrome-extension://abc", "http://localhost:8501, http://evil.example", "http://localhost:8501\n", "\x00",
    ],
)  # fmt: skip
def test_what_is_no_origin_of_a_web_server_is_none(text: str) -> None:
    assert parse_origin(text) is None


@given(st.text(max_size=40))
def test_no_text_makes_the_parser_raise_and_what_it_takes_it_writes_again(text: str) -> None:
    for given_text in (text, f"http://{text}", f"https://{text}:1"):
        origin = parse_origin(given_text)
        assert origin is None or parse_origin(str(origin)) == origin
    host = parse_host(text)
    assert host is None or host.name == host.name.lower()


def test_an_origin_is_written_without_the_port_of_its_scheme() -> None:
    assert str(WebOrigin("https", "console.example", 443)) == "https://console.example"
    assert str(WebOrigin("https", "console.example", 80)) == "https://console.example:80"


def test_a_list_of_origins_is_read_and_anything_else_is_named() -> None:
    read = parse_origin_list(
        " https://console.example/ , http://10.0.0.5:8501,,https://console.example", "CONSOLE_HOSTS"
    )
    assert [str(origin) for origin in read] == ["https://console.example", "http://10.0.0.5:8501"]
    assert parse_origin_list("", "CONSOLE_HOSTS") == ()
    for wrong in ("console.example", "*", "https://*.example", "https://console.example/app"):
        with pytest.raises(SettingsError, match="CONSOLE_HOSTS names “"):
            parse_origin_list(f"http://10.0.0.5:8501,{wrong}", "CONSOLE_HOSTS")


def test_without_being_told_it_answers_at_loopback_at_the_real_port_and_at_the_one_address_it_listens_at() -> None:
    here = AnsweredAddresses()
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert here.is_page_origin(WebOrigin("http", name, 8501), 8501)
        assert not here.is_page_origin(WebOrigin("http", name, 9000), 8501)
        assert not here.is_page_origin(WebOrigin("https", name, 8501), 8501)
    assert not here.is_page_origin(WebOrigin("http", "10.0.0.5", 8501), 8501)
    assert AnsweredAddresses(bound="10.0.0.5").is_page_origin(WebOrigin("http", "10.0.0.5", 8501), 8501)
    assert "[fd00::5]" in AnsweredAddresses(bound="fd00:0::5").names


def test_told_where_to_answer_it_answers_only_there() -> None:
    told = AnsweredAddresses((WebOrigin("https", "console.example", 443),))
    assert told.names == {"console.example"}
    assert told.is_page_origin(WebOrigin("https", "console.example", 443), 8501)
    assert not told.is_page_origin(WebOrigin("http", "localhost", 8501), 8501)
    assert told.is_own_origin(WebOrigin("http", "localhost", 8501), 8501)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback_is_reached_from_its_own_machine_only(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::", "10.0.0.5", "fe80::1", "::ffff:10.0.0.5", "console.example"])  # noqa: S104
def test_any_other_address_may_be_reached_by_others(address: str) -> None:
    assert not is_loopback(address)
