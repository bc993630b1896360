"""Targets and clients for the tests of the transport."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import httpx

from intempt_core.settings import Settings
from intempt_core.targets.credential import Credential
from intempt_core.targets.target import Target
from intempt_core.transport.exchange import HttpClient, open_client

T = TypeVar("T")

PREFIX, SECRET = "k3yPrefixK3yPrefix", "s3cretS3cret/S3cret"
KEY = f"{PREFIX}.{SECRET}"
BODY = b'{"track":[{"name":"Product viewed","payload":[]}]}'
PATIENT = Settings(response_bytes=1000)  # for what must come, however busy the machine is
QUICK = replace(PATIENT, connect_seconds=0.3, write_seconds=0.3, read_seconds=0.8)  # for what never comes
TRUST = httpx.create_ssl_context()  # reading the authorities takes longer than a test
CREDENTIAL = Credential.parse(KEY)
HALF = b"HTTP/1.1 %d Said So\r\nContent-Length: 100\r\n\r\n{"  # a response that is cut off


def target_at(base: str) -> Target:
    """A target with a key, served at ``base``."""
    return Target(
        "shop",
        base,
        "acme",
        "web",
        "1481727395731910656",
        CREDENTIAL,
        "typed",
        "typed",
        feeds={"recently-viewed": "77"},
    )


def run_with_client(
    question: Callable[[HttpClient], Awaitable[T]], *, settings: Settings = PATIENT, trust: ssl.SSLContext = TRUST
) -> T:
    """What a question to an open client comes to."""

    async def ask() -> T:
        async with open_client(settings, trust=trust) as client:
            return await question(client)

    return asyncio.run(ask())


def assert_no_key(value: object) -> None:
    """Assert that the key is in a value in no form."""
    text = repr(value)
    for form in (KEY, SECRET, f"{PREFIX}:{SECRET}", CREDENTIAL.authorization.removeprefix("Basic ")):
        assert form not in text
