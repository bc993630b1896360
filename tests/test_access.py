"""Who may drive a console: real attacks on a real process, over its own port."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect
from websockets.typing import Origin

import run
from tests.access_attacks import (
    PASSWORD,
    ROUTES,
    UNPROTECTED,
    UNPROTECTED_STARTS,
    WRONG_FRAMES,
    ask_by_other_hosts,
    ask_every_route,
    build_message,
    copy_project,
    find_header_faults,
    list_open_to_others,
    list_other_origins,
    open_socket,
    open_sockets_of_other_origins,
    open_to_everybody,
    read_close_code,
    read_socket_status,
    receive_until_closed,
    send_head,
    send_unneeded_messages,
    start_in_vain,
)
from tests.bench.consoles import Console, console, free_port, screen, start
from tests.network_audit import is_of_this_machine, make_audited_environment, read_calls

pytestmark = pytest.mark.long  # of the application, without a process: tests/core/web/


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console at loopback, as it comes; in the end its log holds no traceback."""
    with console(tmp_path_factory.mktemp("access") / "data") as opened:
        yield opened
    assert "Traceback" not in opened.log
    assert "Error" not in opened.log


# ── origins and hosts ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_socket_opens_to_its_own_pages_only(running: Console) -> None:
    assert open_sockets_of_other_origins(running) == {403: 15}
    own = f"Origin: http://127.0.0.1:{running.port}"
    assert read_socket_status(running, own) == 101
    assert read_socket_status(running, f"Origin: http://localhost:{running.port}", host="localhost") == 101
    assert read_socket_status(running) == 101  # a program of this machine, which has no origin
    assert read_socket_status(running, own, own) in (400, 403)  # the parser of handshakes rejects it first
    assert (
        read_socket_status(running, own, f"Cookie: {'x' * 20_000}", *(f"X-{number}: 1" for number in range(500))) == 101
    )
    assert read_socket_status(running, "Origin: null", f"Cookie: {'x' * 20_000}") == 403


def test_every_route_is_closed_to_pages_of_other_origins_also_malformed_ones(running: Console) -> None:
    assert ask_every_route(running) == {(403, False): 1050}


def test_every_response_says_what_a_browser_may_do_with_it(running: Console) -> None:
    assert find_header_faults(running) == {"none": 240}


def test_two_origins_two_hosts_and_no_host_are_closed_too(running: Console) -> None:
    host, own = f"Host: 127.0.0.1:{running.port}", f"Origin: http://127.0.0.1:{running.port}"
    assert send_head(running, "GET / HTTP/1.1", host, own) == 200
    assert send_head(running, "GET / HTTP/1.1", host, own, own) == 403
    assert send_head(running, "GET / HTTP/1.1", host, own, "Origin: http://evil.example") == 403
    assert send_head(running, "GET / HTTP/1.0") == 403
    assert send_head(running, "GET / HTTP/1.1", host, host) in (400, 403)  # the server itself rejects it
    assert set(ask_by_other_hosts(running)) <= {400, 403}  # some the server itself rejects


def test_told_where_to_answer_it_answers_there_and_nowhere_else(tmp_path: Path) -> None:
    port = free_port()
    told = {"CONSOLE_HOSTS": f"https://console.example, http://10.0.0.5:{port}"}
    page = {"Host": "console.example", "Origin": "https://console.example"}
    opened = start(tmp_path / "data", told, port=port)
    try:
        statuses = {
            (host, origin): httpx.get(
                opened.url, headers={"Host": host, **({"Origin": origin} if origin else {})}
            ).status_code
            for host in ("console.example", f"10.0.0.5:{port}", f"127.0.0.1:{port}", "evil.example")
            for origin in ("", "https://console.example", "http://console.example", f"http://127.0.0.1:{port}")
        }
        assert {asked for asked, status in statuses.items() if status == 200} == {
            ("console.example", ""), ("console.example", "https://console.example"),
            (f"10.0.0.5:{port}", ""), (f"10.0.0.5:{port}", "https://console.example"),
        }  # fmt: skip
        assert set(statuses.values()) == {200, 403}
        assert read_socket_status(opened, "Origin: https://console.example", host="console.example") == 101
        # A proxy that sends another port: Streamlit would ask an outside host who it is, and then close the socket.
        assert read_socket_status(opened, "Origin: https://console.example", host=f"console.example:{port}") == 101
        assert read_socket_status(opened, f"Origin: http://127.0.0.1:{port}") == 403
        assert httpx.get(f"{opened.url}/healthz").json()["status"] == "ok"
        assert httpx.get(f"{opened.url}/sandbox/_sandbox/events", auth=("sandbox", "sandbox")).status_code == 200
        assert (
            httpx.get(f"{opened.url}/sandbox/_sandbox/events", headers=page, auth=("sandbox", "sandbox")).status_code
            == 200
        )
    finally:
        opened.stop()


def test_a_sandbox_that_is_served_alone_takes_the_same_rule(tmp_path: Path) -> None:
    port, shop = free_port(), "http://localhost:3000"
    command = [sys.executable, "-m", "intempt_core", "sandbox", "--port", str(port)]
    environment = {**os.environ, "CONSOLE_DATA": str(tmp_path / "data"), "CONSOLE_SANDBOX_ORIGINS": shop}
    url, key = f"http://127.0.0.1:{port}/_sandbox/events", ("sandbox", "sandbox")
    with subprocess.Popen(command, cwd=run.ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                try:
                    assert httpx.get(url, auth=key).status_code == 200
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            named = httpx.delete(url, auth=key, headers={"Origin": shop})
            assert (named.status_code, named.headers["access-control-allow-origin"]) == (200, shop)
            asked = {"Origin": shop, "Access-Control-Request-Method": "DELETE"}
            assert httpx.options(url, headers=asked).status_code == 200
            for origin in list_other_origins(port)[:10]:
                for method in ("GET", "DELETE", "OPTIONS"):
                    headers = {**asked, "Origin": origin}
                    assert httpx.request(method, url, auth=key, headers=headers).status_code == 403, origin
            assert httpx.get(url, auth=key, headers={"Host": "evil.example"}).status_code == 403
            assert list_open_to_others(tmp_path / "data") == []
        finally:
            process.terminate()


# ── the socket's messages ────────────────────────────────────────────────────────────────────────────────────────────


def test_messages_that_no_screen_sends_change_nothing(running: Console) -> None:
    before = httpx.get(f"{running.url}/healthz").json()["engine"]["owner"]
    assert send_unneeded_messages(running)  # the socket is open, and what a screen needs is answered
    assert "Sandbox on this machine" in screen(running, "").words
    health = httpx.get(f"{running.url}/healthz").json()
    assert (health["status"], health["engine"]["owner"]) == ("ok", before)
    event = {
        "track": [{"name": "Product viewed", "payload": [{"eventId": "1", "userId": "u", "data": {"productId": "p"}}]}]
    }
    track = f"{running.url}/sandbox/v1/o/projects/p/sources/1/track"
    assert httpx.post(track, json=event, auth=("sandbox", "sandbox")).status_code == 201


@pytest.mark.parametrize(("frame", "code"), WRONG_FRAMES)
def test_a_frame_that_is_no_message_closes_the_socket(running: Console, frame: str | bytes, code: int) -> None:
    assert read_close_code(running, frame) == code


def test_text_that_is_no_text_closes_the_socket(running: Console) -> None:
    with open_socket(running) as opened:
        opened.socket.sendall(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True))
        with pytest.raises(ConnectionClosed):
            receive_until_closed(opened)


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the console, whose configuration a test may change."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize(("arguments", "environment"), UNPROTECTED_STARTS, ids=str)
def test_where_others_would_reach_it_and_nothing_asks_it_ends_with_one_sentence_and_answers_nothing(
    tmp_path: Path, project: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> None:
    code, output, answered = start_in_vain(project, tmp_path / "data", *arguments, **environment)
    said = [line for line in output.splitlines() if "MemoryCacheStorageManager" not in line]
    assert (code, len(said), answered) == (1, 1, b""), output
    assert UNPROTECTED in said[0]


@pytest.mark.parametrize("line", ['address = "0.0.0.0"', 'address = ""', ""])
def test_the_same_holds_for_its_configuration(tmp_path: Path, project: Path, line: str) -> None:
    config = project / ".streamlit" / "config.toml"
    given = config.read_text()
    config.write_text(given.replace('address = "127.0.0.1"', line))
    try:
        code, output, answered = start_in_vain(project, tmp_path / "data")
    finally:
        config.write_text(given)
    assert (code, answered) == (1, b"")
    assert UNPROTECTED in output


def test_an_address_that_streamlit_was_not_told_is_said(tmp_path: Path, project: Path) -> None:
    code, output, _ = start_in_vain(project, tmp_path / "data", CONSOLE_BIND="0.0.0.0")  # noqa: S104
    assert (code, UNPROTECTED in output) == (1, True)
    code, output, _ = start_in_vain(project, tmp_path / "data", CONSOLE_BIND="0.0.0.0", CONSOLE_PASSWORD=PASSWORD)  # noqa: S104
    assert code == 1
    assert "CONSOLE_BIND is 0.0.0.0, but the server listens at 127.0.0.1" in output


def test_origins_that_are_none_end_the_start(tmp_path: Path, project: Path) -> None:
    for variable in ("CONSOLE_HOSTS", "CONSOLE_SANDBOX_ORIGINS"):
        code, output, _ = start_in_vain(project, tmp_path / "data", **{variable: "console.example"})
        assert code == 1
        assert f"{variable} names “console.example”." in output


def own_address() -> str:
    """An address of this machine that others reach; the test is skipped where it has none."""
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    addresses = [address for address in found if "." in address]
    if not addresses:
        pytest.skip("this machine has no address but loopback")
    return addresses[0]


def test_beyond_loopback_the_password_opens_screens_sockets_and_routes(tmp_path: Path) -> None:
    address, port = own_address(), free_port()
    at = f"http://{address}:{port}"
    token = "read-the-metrics-only"
    environment = {
        "CONSOLE_PASSWORD": PASSWORD, "CONSOLE_BIND": "0.0.0.0", "CONSOLE_HOSTS": at,  # noqa: S104
        "CONSOLE_METRICS_TOKEN": token,
    }  # fmt: skip
    opened = start(tmp_path / "data", environment, "--server.address", "0.0.0.0", port=port)  # noqa: S104
    url, page = f"ws://{address}:{port}/_stcore/stream", {"Accept": "text/html"}
    try:
        with httpx.Client(base_url=at) as browser:
            assert browser.get("/healthz").json() == {"status": "ok"}
            told, all_told = (
                browser.get("/metrics"),
                browser.get("/metrics", headers={"Authorization": f"Bearer {token}"}),
            )
            assert [line for line in told.text.splitlines() if line[0] != "#"] == ["event_console_healthy 1.0"]
            assert 'event_console_queue_requests{state="pending"} 0.0' in all_told.text
            assert browser.get("/metrics", headers={"Authorization": f"Bearer {PASSWORD}"}).text == told.text
            for path in ROUTES[:12]:
                assert browser.get(path).status_code == 401, path
            assert "Password of this console" in browser.get("/history?batch=1", headers=page).text
            with pytest.raises(InvalidStatus, match="403"):
                connect(url, origin=Origin(at), proxy=None).close()
            assert browser.get("/sandbox/_sandbox/events").status_code == 401  # its own key
            assert browser.get("/sandbox/_sandbox/events", auth=("sandbox", "sandbox")).status_code == 200
            form = {"password": PASSWORD, "next": "/history?batch=1"}
            assert browser.post("/_password", data=form, headers={"Origin": "http://evil.example"}).status_code == 403
            assert browser.post("/_password", data=form, headers={"Origin": at}).headers["location"] == form["next"]
            assert browser.get("/history", headers=page).status_code == 200
            assert browser.get("/healthz").json()["queue"]["batches"] == 0
            assert "event_console_database_up 1.0" in browser.get("/metrics").text
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            with connect(url, origin=Origin(at), additional_headers={"Cookie": cookie}, proxy=None) as signed_in:
                signed_in.send(build_message("app_heartbeat"))
                assert signed_in.recv(timeout=10)
    finally:
        opened.stop()
    assert PASSWORD not in opened.log
    assert token not in opened.log
    for file in opened.data.rglob("*"):
        assert file.is_dir() or PASSWORD.encode() not in file.read_bytes()


def test_unprotected_it_says_so_on_every_screen_and_at_start(tmp_path: Path) -> None:
    environment = {"CONSOLE_UNPROTECTED": "1", **make_audited_environment(tmp_path)}
    with console(tmp_path / "data", environment, "--server.address", "0.0.0.0") as opened:  # noqa: S104
        for page in ("", "upload", "inspect", "history", "feeds", "watch", "targets"):
            assert "asks for no password (CONSOLE_UNPROTECTED=1)" in screen(opened, page).words, page
    (line,) = [json.loads(line) for line in opened.log.splitlines() if "CONSOLE_UNPROTECTED" in line]
    assert line["level"] == "warning"
    # Streamlit's own greeting would ask an outside host for the address of this machine.
    assert [call for call in read_calls(tmp_path) if not is_of_this_machine(call)] == []


def test_served_by_another_program_at_an_address_of_others_it_rejects_them(tmp_path: Path) -> None:
    address, port = own_address(), free_port()
    command = [sys.executable, "-m", "uvicorn", "app:app", "--host", "0.0.0.0", "--port", str(port)]  # noqa: S104
    environment = {**os.environ, "CONSOLE_DATA": str(tmp_path / "data")}
    with subprocess.Popen(
        command, cwd=run.ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as process:
        try:
            for _ in range(300):
                try:
                    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            for host in (f"127.0.0.1:{port}", f"{address}:{port}"):
                assert httpx.get(f"http://{address}:{port}/", headers={"Host": host}).status_code == 403
        finally:
            process.terminate()


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_data_is_for_its_own_user_also_what_was_there_before(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with console(data) as opened:
        assert list_open_to_others(data) == []
    open_to_everybody(data)
    assert list_open_to_others(data)
    with console(data) as opened:
        assert list_open_to_others(data) == []
        screen(opened, "history")
    assert list_open_to_others(data) == []


def test_what_the_command_line_keeps_is_for_its_own_user_too(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "events.csv"
    data.mkdir(mode=0o777)
    (data / "history.sqlite3").touch(0o666)
    file.write_text("name,userId,data.productId,eventId\nProduct viewed,u1,p1,e1\n")
    command = [sys.executable, "-m", "intempt_core", "send", str(file), "--target", "sandbox", "--yes"]
    environment = {**os.environ, "CONSOLE_DATA": str(data)}
    done = subprocess.run(command, cwd=run.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list_open_to_others(data) == []


def test_a_file_of_keys_that_others_may_open_is_said_on_screen_and_at_start(tmp_path: Path, project: Path) -> None:
    secrets = project / ".streamlit" / "secrets.toml"
    secrets.write_text("")
    secrets.chmod(0o644)
    try:
        with console(tmp_path / "data", project=project) as opened:
            assert f"chmod 600 {secrets}" in screen(opened, "").words
            secrets.chmod(0o600)
            assert "chmod" not in screen(opened, "").words
        assert f"chmod 600 {secrets}" in opened.log
    finally:
        secrets.unlink()
