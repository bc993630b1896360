"""The prepared request relies on httpx's internals: what it relies on is there, in the versions that are installed."""

import asyncio
import gzip
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

import run
from intempt_core.contract import MASK
from intempt_core.targets.credential import Credential
from intempt_core.transport._httpx_fast import (
    CACHED_LENGTHS,
    TESTED_VERSIONS,
    PreparedPost,
    PreparedTransport,
    RequestHead,
)
from intempt_core.transport.exchange import (
    KNOWN_RESPONSE_HEADS,
    Exchange,
    HttpClient,
    _mask_head,
    open_client,
    post_body,
)
from tests.core.transport.factories import BODY, CREDENTIAL, HALF, KEY, PATIENT, TRUST, run_with_client, target_at
from tests.core.transport.fault_server import Behaviour, Connection, answers, hostile, says

HEAD = RequestHead(httpx.URL("http://127.0.0.1/a"), httpx.Headers({"Content-Type": "application/json"}), {"x": 1})


@pytest.mark.parametrize("package", TESTED_VERSIONS)
def test_the_versions_whose_internals_are_used_are_pinned_and_installed(package: str) -> None:
    assert version(package) == TESTED_VERSIONS[package]
    assert f"\n{package}=={TESTED_VERSIONS[package]} " in Path(run.ROOT, "requirements.txt").read_text()


def test_a_prepared_request_is_what_httpx_itself_would_make() -> None:
    prepared = PreparedPost(HEAD, BODY)
    plain = httpx.Request("POST", HEAD.url, headers=HEAD.headers, content=BODY, extensions=HEAD.extensions)
    plain_headers = {name: text for name, text in plain.headers.items() if name != "host"}  # the transport's to add
    assert (prepared.method, prepared.url, prepared.extensions) == (plain.method, plain.url, plain.extensions)
    assert dict(prepared.headers) == plain_headers
    assert prepared.content == plain.content == BODY
    assert plain._content == BODY, "the attribute that content is kept in"
    assert prepared.__dict__.keys() - plain.__dict__.keys() == {"head", "sent_body"}, "what is ours"


def test_a_body_in_pieces_has_no_content_that_the_transport_would_take_for_the_whole() -> None:
    prepared = PreparedPost(HEAD, BODY, httpx.ByteStream(BODY))
    with pytest.raises(httpx.RequestNotRead):
        _ = prepared.content


def test_headers_of_one_length_are_made_once_and_not_kept_without_bound() -> None:
    head = RequestHead(HEAD.url, HEAD.headers, {})
    assert head.headers_for(5) is head.headers_for(5)
    for length in range(2 * CACHED_LENGTHS):
        assert head.headers_for(length)["content-length"] == str(length)
    assert len(head._by_length) <= CACHED_LENGTHS


def test_a_transport_sends_the_same_bytes_as_of_a_plain_request() -> None:
    async def send_both(url: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENT.read_seconds) as client:
            plain = client.build_request("POST", url, headers={"Content-Type": "application/json"}, content=BODY)
            await client.send(plain)
            headers = httpx.Headers([pair for pair in plain.headers.items() if pair[0] != "content-length"])
            head = RequestHead(plain.url, headers, plain.extensions)
            prepared = PreparedPost(head, BODY)
            prepared.headers = httpx.Headers(list(prepared.headers.items()))  # httpx's own transport reads them
            async with httpx.AsyncHTTPTransport() as transport:
                await (await transport.handle_async_request(prepared)).aread()

    with hostile(answers(201, b"{}")) as server:
        asyncio.run(send_both(target_at(server.url).track_url))
    plain, prepared = server.received
    assert (plain.path, plain.body, plain.headers) == (prepared.path, prepared.body, prepared.headers)


PIECES = b"HTTP/1.1 201 Created\r\nContent-Length: 12\r\nX-One: 1\r\nX-One: 2\r\n\r\n"


async def answers_in_pieces(connection: Connection) -> None:
    while True:
        await connection.request()
        await connection.send(PIECES + b'{"a":')
        await asyncio.sleep(0.05)
        await connection.send(b'"bcde"}')


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(201, b"{}", "Set-Cookie: a=b", "X-Two: é"),
        answers(204),
        answers(400, b"x" * 5_000),
        answers(400, b"x" * 1_000),
        answers(400, gzip.compress(b"no"), "Content-Encoding: gzip"),
        answers_in_pieces,
        says(HALF % 201, then="close"),
        says(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        says(b"HTTP/1.1 201 Created\r\n\r\n{}", then="close"),
    ],
)
def test_the_short_way_brings_what_the_long_one_brings(behaviour: Behaviour) -> None:
    """Twice each, so that a connection that is used again and a head that is remembered are among them."""

    async def ask_twice(url: str, transport: AiohttpTransport) -> list[Exchange]:
        async with open_client(PATIENT, transport=transport) as client:
            target = target_at(url)
            return [await post_body(client, target, target.track_url, BODY, max_bytes=1_000) for _ in range(2)]

    def open_transport(kind: type[AiohttpTransport]) -> AiohttpTransport:
        return kind(verify=TRUST, trust_env=False)

    with hostile(behaviour) as server:
        short, long = (
            asyncio.run(ask_twice(server.url, open_transport(kind))) for kind in (PreparedTransport, AiohttpTransport)
        )
    same = [[replace(one, started_at=0, elapsed_ms=0.0) for one in some] for some in (short, long)]
    assert same[0] == same[1]
    assert same[0][0].status is not None
    assert len({(one.path, one.body, tuple(one.headers.items())) for one in server.received}) == 1


def test_a_head_is_remembered_for_the_key_that_is_masked_in_it_and_not_without_bound() -> None:
    other = "0therPrefix0therPrefix.0therSecret0therSecret"
    target = target_at("")

    async def ask(client: HttpClient, url: str) -> list[Exchange]:
        both = [replace(target, base=url), replace(target, base=url, credential=Credential.parse(other))]
        found = [await post_body(client, one, one.track_url, BODY, max_bytes=1_000) for one in both]
        for number in range(2 * KNOWN_RESPONSE_HEADS):
            known = _mask_head(((b"x-request", b"%d" % number),), CREDENTIAL, client.response_heads)
            assert known.headers == (("x-request", str(number)),)
        assert len(client.response_heads) <= KNOWN_RESPONSE_HEADS
        return found

    with hostile(answers(201, b"{}", f"X-Echo: {KEY} {other}")) as server:
        mine, others = run_with_client(lambda client: ask(client, server.url))
    assert dict(mine.headers)["x-echo"] == f"{MASK} {other}"
    assert dict(others.headers)["x-echo"] == f"{KEY} {MASK}"


def test_no_other_module_touches_private_attributes_of_a_request() -> None:
    private = re.compile(r"\._content\b|httpx\._")
    found = {file.name for file in Path(run.ROOT, "intempt_core").rglob("*.py") if private.search(file.read_text())}
    assert found == {"_httpx_fast.py"}
