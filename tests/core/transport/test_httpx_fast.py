"""The prepared request relies on httpx's internals: what it relies on is there, in the versions that are installed."""

import asyncio
import re
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

import run
from intempt_core.transport._httpx_fast import CACHED_LENGTHS, TESTED_VERSIONS, PreparedPost, RequestHead
from tests.core.transport.factories import BODY, PATIENT, target_at
from tests.core.transport.fault_server import answers, hostile

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
    assert prepared.__dict__.keys() <= plain.__dict__.keys()


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


def test_no_other_module_touches_private_attributes_of_a_request() -> None:
    private = re.compile(r"\._content\b|httpx\._")
    found = {file.name for file in Path(run.ROOT, "intempt_core").rglob("*.py") if private.search(file.read_text())}
    assert found == {"_httpx_fast.py"}
