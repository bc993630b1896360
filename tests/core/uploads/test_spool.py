"""Files come in whole or not at all, whatever breaks, and only through a door that was opened for them."""

import hashlib
import http.client
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from intempt_core.errors import SpoolError, SpoolTooLarge
from intempt_core.uploads.endpoint import (
    FILE_NAME_HEADER,
    TOKEN_HEADER,
    UPLOAD_CONTENT_TYPE,
    UPLOAD_PATH,
    UploadTokens,
    create_upload_route,
    parse_file_name,
)
from intempt_core.uploads.spool import PART_KEEP_SECONDS, SPOOL_KEEP_SECONDS, Spool, SpooledFile

MOST = 5_000_000


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "data" / "spool", MOST)


@pytest.fixture
def tokens(spool: Spool) -> UploadTokens:
    return UploadTokens(spool, 3 * MOST)


@pytest.fixture
def url(tokens: UploadTokens) -> Iterator[str]:
    """A server with the route alone, on a free port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who comes before the server waits
        server = uvicorn.Server(
            uvicorn.Config(Starlette(routes=[create_upload_route(lambda: tokens)]), log_level="warning")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def put(url: str, token: str, data: bytes, name: str = "events.csv", **changed: str) -> httpx.Response:
    headers = {TOKEN_HEADER: token, FILE_NAME_HEADER: quote(name), "Content-Type": UPLOAD_CONTENT_TYPE, "Origin": url}
    headers |= {key.replace("_", "-"): value for key, value in changed.items()}
    return httpx.put(url + UPLOAD_PATH, content=data, headers=headers, timeout=20)


def files(spool: Spool) -> list[str]:
    return sorted(path.name for path in spool.folder.iterdir()) if spool.folder.is_dir() else []


def until(holds: str, spool: Spool) -> None:
    """Wait until parts are there, or are not."""
    end = time.monotonic() + 10
    while any(name.endswith(".part") for name in files(spool)) != (holds == "parts"):
        assert time.monotonic() < end, files(spool)
        time.sleep(0.01)


# ── the folder ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_called_by_its_digest_and_its_own_name_is_no_path(spool: Spool) -> None:
    with spool.receive("../../etc/passwd") as incoming:
        incoming.write(b"a,b\n")
        incoming.write(b"1,2\n")
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert incoming.spooled == SpooledFile("../../etc/passwd", digest, 8)
    assert files(spool) == [digest]
    assert spool.path(digest).read_bytes() == b"a,b\n1,2\n"


def test_a_page_that_is_loaded_again_adopts_the_file_of_its_former_tab(spool: Spool) -> None:
    tokens = UploadTokens(spool, 1_000)
    former, tab = tokens.create_token(), tokens.create_token()
    with spool.receive("shop.csv") as incoming:
        incoming.write(b"a,b\n1,2\n")
    tokens.add_file(former, incoming.spooled)
    assert tokens.adopt_file(tab, incoming.spooled.digest) == incoming.spooled
    assert tokens.take_newest(tab) is None  # it has not arrived once more
    assert tokens.adopt_file(tab, "0" * 64) is None
    spool.remove(incoming.spooled.digest)
    assert tokens.adopt_file(tab, incoming.spooled.digest) is None


def test_two_at_once_do_not_meet_even_where_they_are_the_same(spool: Spool) -> None:
    with spool.receive("one") as one, spool.receive("other") as other:
        one.write(b"same")
        other.write(b"sa")
        other.write(b"me")
    assert files(spool) == [one.spooled.digest]
    assert one.spooled.digest == other.spooled.digest
    assert spool.path(one.spooled.digest).read_bytes() == b"same"


def test_what_breaks_off_leaves_nothing(spool: Spool) -> None:
    with pytest.raises(KeyboardInterrupt), spool.receive("events.csv") as incoming:  # noqa: PT012  it breaks off inside
        incoming.write(b"half")
        raise KeyboardInterrupt
    assert files(spool) == []


def test_more_than_is_taken_is_rejected_by_its_announcement_and_by_its_bytes(spool: Spool) -> None:
    with pytest.raises(SpoolTooLarge, match=r"has more than 5 MB"), spool.receive("big.csv", MOST + 1):
        pass
    with pytest.raises(SpoolTooLarge, match=r"has more than 5 MB"), spool.receive("big.csv") as incoming:
        incoming.write(bytes(MOST + 1))
    assert files(spool) == []


def test_a_disk_that_is_almost_full_is_a_sentence_before_anything_is_written(tmp_path: Path) -> None:
    full = Spool(tmp_path / "spool", MOST, free_bytes=lambda _: 1000)
    says = r"events.csv does not fit into .*: the disk is almost full\. Free some space"
    with pytest.raises(SpoolError, match=says), full.receive("events.csv", 10):
        pass
    assert files(full) == []


FILLING = """
import resource, sys
from pathlib import Path
from intempt_core.errors import SpoolError
from intempt_core.uploads.spool import Spool
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with Spool(Path(sys.argv[1]), 10**9).receive("events.csv") as incoming:
        for _ in range(100):
            incoming.write(bytes(10_000))
except SpoolError as error:
    print(error)
"""


def test_a_disk_that_fills_half_way_is_a_sentence_and_nothing_stays(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0
    sentence = subprocess.run([sys.executable, "-c", FILLING, tmp_path], capture_output=True, text=True, check=True)
    assert sentence.stdout.startswith(f"events.csv could not be kept in {tmp_path}: File too large.")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_a_sentence(spool: Spool) -> None:
    spool.folder.parent.mkdir(parents=True)
    spool.folder.write_text("a file in the place of the folder")
    says = r"could not be kept in .* then drop the file again\."
    with pytest.raises(SpoolError, match=says), spool.receive("events.csv"):
        pass
    spool.sweep()


def test_what_is_not_read_for_a_day_goes_and_so_do_parts_that_are_not_written(tmp_path: Path) -> None:
    now = time.time()
    spool = Spool(tmp_path, MOST, clock=lambda: now)
    for name in ("old", "read"):
        with spool.receive(name) as incoming:
            incoming.write(name.encode())
    left = tmp_path / "left.part"
    left.write_bytes(b"half")
    now += PART_KEEP_SECONDS + 10
    spool.sweep()
    assert not left.exists()
    assert len(files(spool)) == 2
    read = hashlib.sha256(b"read").hexdigest()
    assert spool.touch(read)
    now += SPOOL_KEEP_SECONDS - 100
    spool.sweep()
    assert files(spool) == [read]
    assert not spool.touch(hashlib.sha256(b"old").hexdigest())


# ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_arrives_at_the_door_that_it_was_brought_to_and_is_taken_once(url: str, tokens: UploadTokens) -> None:
    mine, other = tokens.create_token(), tokens.create_token()
    data = bytes(range(256)) * 10_000
    response = put(url, mine, data, "Köln/späte\\events.csv")
    assert (response.status_code, response.json()) == (
        201,
        {"digest": hashlib.sha256(data).hexdigest(), "size": len(data)},
    )
    assert tokens.take_newest(other) is None
    assert tokens.take_newest(mine) == SpooledFile("events.csv", hashlib.sha256(data).hexdigest(), len(data))
    assert tokens.take_newest(mine) is None
    assert tokens.take_newest("nonsense") is None


def test_of_several_files_the_newest_is_taken(url: str, tokens: UploadTokens) -> None:
    token = tokens.create_token()
    assert [put(url, token, b"a", "a.csv").status_code, put(url, token, b"b", "b.csv").status_code] == [201, 201]
    taken = tokens.take_newest(token)
    assert taken is not None
    assert taken.name == "b.csv"
    assert tokens.take_newest(token) is None


@pytest.mark.parametrize(
    ("changed", "status", "sentence"),
    [
        ({"Origin": "http://evil.example"}, 403, "the console's own page only"),
        ({"Origin": "null"}, 403, "the console's own page only"),
        ({TOKEN_HEADER: "guessed"}, 403, "Reload the page"),
        ({"Content_Type": "text/plain"}, 415, "is sent as application/octet-stream"),
        ({FILE_NAME_HEADER: "a/"}, 400, "A file has a name"),
    ],
)
def test_what_another_page_could_send_is_rejected_and_nothing_is_kept(
    url: str, tokens: UploadTokens, changed: dict[str, str], status: int, sentence: str
) -> None:
    token = tokens.create_token()
    response = put(url, token, b"a,b\n", **changed)
    assert response.status_code == status
    assert sentence in response.json()["error"]
    assert tokens.take_newest(token) is None
    assert files(tokens.spool) == []


def test_only_put_is_taken_and_no_other_site_is_allowed(url: str) -> None:
    assert httpx.post(url + UPLOAD_PATH, content=b"x").status_code == 405
    asked = httpx.options(
        url + UPLOAD_PATH, headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
    )
    assert "access-control-allow-origin" not in asked.headers


def test_too_large_a_file_is_rejected_also_where_it_does_not_say_so(url: str, tokens: UploadTokens) -> None:
    token = tokens.create_token()
    headers = {TOKEN_HEADER: token, FILE_NAME_HEADER: "big.csv", "Content-Type": UPLOAD_CONTENT_TYPE, "Origin": url}
    response = httpx.put(url + UPLOAD_PATH, content=(bytes(1_000_000) for _ in range(6)), headers=headers)
    assert response.status_code == 413
    assert "big.csv has more than 5 MB" in response.json()["error"]
    assert files(tokens.spool) == []


def test_no_space_is_a_response(url: str, tokens: UploadTokens) -> None:
    tokens.spool.folder.parent.mkdir(parents=True)
    tokens.spool.folder.write_text("a file in the place of the folder")
    response = put(url, tokens.create_token(), b"a,b\n")
    assert response.status_code == 507
    assert "events.csv could not be kept in" in response.json()["error"]


def test_an_upload_that_breaks_off_leaves_nothing_while_another_arrives(url: str, tokens: UploadTokens) -> None:
    token, other = tokens.create_token(), tokens.create_token()
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.putrequest("PUT", UPLOAD_PATH)
    headers = {
        TOKEN_HEADER: token,
        FILE_NAME_HEADER: "half.csv",
        "Content-Type": UPLOAD_CONTENT_TYPE,
        "Origin": url,
        "Content-Length": "4000000",
    }
    for name, content in headers.items():
        connection.putheader(name, content)
    connection.endheaders()
    connection.send(bytes(2_000_000))
    until("parts", tokens.spool)
    assert put(url, other, b"whole").status_code == 201
    connection.close()
    until("no parts", tokens.spool)
    assert files(tokens.spool) == [hashlib.sha256(b"whole").hexdigest()]
    assert tokens.take_newest(token) is None
    assert tokens.take_newest(other) is not None


def test_of_very_many_doors_the_one_silent_longest_is_forgotten(
    tokens: UploadTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intempt_core.uploads.endpoint.MAX_UPLOAD_TOKENS", 2)
    first, second = tokens.create_token(), tokens.create_token()
    assert tokens.is_valid(first)
    third = tokens.create_token()
    assert [tokens.is_valid(token) for token in (first, second, third)] == [True, False, True]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.csv", "a.csv"),
        ("..%2F..%2Fa.csv", "a.csv"),
        ("C%3A%5Ca.csv", "a.csv"),
        ("%F0%9F%8D%8E.csv", "🍎.csv"),
        ("", ""),
    ],
)
def test_a_name_is_what_stands_behind_the_last_slash(given: str, name: str) -> None:
    assert parse_file_name(given) == name
    assert len(parse_file_name("x" * 1000)) == 201


# ── what a tab keeps ─────────────────────────────────────────────────────────────────────────────────────────────────


def keep(upload_tokens: UploadTokens, token: str, name: str, content: bytes) -> SpooledFile:
    with upload_tokens.spool.receive(name, len(content)) as incoming:
        incoming.write(content)
    upload_tokens.add_file(token, incoming.spooled)
    return incoming.spooled


def test_a_tab_that_uploads_more_than_it_may_keep_loses_its_oldest_files_and_is_told(spool: Spool) -> None:
    upload_tokens = UploadTokens(spool, 2 * MOST)
    token = upload_tokens.create_token()
    files = [keep(upload_tokens, token, f"{n}.csv", bytes([n]) * (MOST // 2)) for n in range(7)]
    assert [spool.path(file.digest).exists() for file in files] == [False] * 3 + [True] * 4
    assert upload_tokens.list_let_go(token) == ["0.csv", "1.csv", "2.csv"]
    assert upload_tokens.was_let_go(token, files[0].digest)
    assert upload_tokens.take_newest(token) == files[-1]


def test_a_file_that_another_tab_has_too_stays(spool: Spool) -> None:
    upload_tokens = UploadTokens(spool, MOST)
    one, other = upload_tokens.create_token(), upload_tokens.create_token()
    shared = keep(upload_tokens, one, "shared.csv", b"a" * MOST)
    keep(upload_tokens, other, "shared.csv", b"a" * MOST)
    keep(upload_tokens, one, "next.csv", b"b" * MOST)
    assert spool.path(shared.digest).exists()
    assert upload_tokens.was_let_go(one, shared.digest)
    assert not upload_tokens.was_let_go(other, shared.digest)


def test_a_file_that_is_uploaded_again_counts_once_and_is_the_newest(spool: Spool) -> None:
    upload_tokens = UploadTokens(spool, MOST)
    token = upload_tokens.create_token()
    first = keep(upload_tokens, token, "first.csv", b"a" * (MOST // 3))
    second = keep(upload_tokens, token, "second.csv", b"b" * (MOST // 3))
    keep(upload_tokens, token, "first.csv", b"a" * (MOST // 3))
    keep(upload_tokens, token, "third.csv", b"c" * (MOST // 2))
    assert spool.path(first.digest).exists()
    assert not spool.path(second.digest).exists()


def test_a_tab_may_always_keep_one_file_of_the_largest_size(spool: Spool) -> None:
    upload_tokens = UploadTokens(spool, 1)
    token = upload_tokens.create_token()
    assert spool.path(keep(upload_tokens, token, "large.csv", b"a" * MOST).digest).exists()
    assert upload_tokens.list_let_go(token) == []
