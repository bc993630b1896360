"""The client against a real server that misbehaves (CONTRACT 3, 5)."""

import asyncio
import base64
import gzip
import json
import random
import ssl
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intempt_core.contract.feeds import FeedIdentity
from intempt_core.contract.fields import MASK
from intempt_core.contract.outcome import Outcome
from intempt_core.settings import Settings
from intempt_core.targets.target import sandbox_target
from intempt_core.transport import exchange as wire
from intempt_core.transport.exchange import HttpClient, open_client
from intempt_core.transport.feed_client import FeedResponse, read_feed
from intempt_core.transport.track_client import (
    MAX_RETRY_AFTER,
    Attempt,
    ConnectionTest,
    check_connection,
    classify_status,
    compute_retry_delay,
    parse_retry_after,
    post_track_request,
)
from tests.core.transport.factories import (
    BODY,
    CREDENTIAL,
    HALF,
    KEY,
    PATIENT,
    PREFIX,
    QUICK,
    SECRET,
    TRUST,
    assert_no_key,
    run_with_client,
    target_at,
)
from tests.core.transport.fault_server import (
    CERTIFICATE,
    Behaviour,
    HostileServer,
    accepts_before_reading,
    answers,
    answers_before_reading,
    closed_port,
    deaf_port,
    drips,
    drops_idle_connections,
    gzip_bomb,
    hangs_before_reading,
    hostile,
    http,
    never_ends,
    outer_address,
    resets_at_once,
    says,
    speaks_no_tls,
)
from tests.examples import scale_examples


def posted(base: str, body: bytes = BODY, *, settings: Settings = PATIENT, trust: ssl.SSLContext = TRUST) -> Attempt:
    attempt = run_with_client(
        lambda client: post_track_request(client, target_at(base), body), settings=settings, trust=trust
    )
    assert_no_key(attempt)
    return attempt


# ── what a response means ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *[(status, Outcome.ACCEPTED) for status in (200, 201, 202, 204)],
        *[(status, Outcome.REJECTED) for status in (301, 302, 307, 308, 400, 401, 403, 404, 405, 409, 413, 422, 451)],
        *[(status, Outcome.NOT_SENT) for status in (429, 503)],
        *[(status, Outcome.UNKNOWN) for status in (408, 500, 502, 504, 520, 599, 999)],
    ],
)
def test_each_status_has_its_outcome(status: int, outcome: Outcome) -> None:
    with hostile(answers(status)) as server:
        attempt = posted(server.url)
    assert (attempt.outcome, attempt.status) == (outcome, status)
    assert attempt.outcome is classify_status(status)
    assert f"127.0.0.1:{server.port}" in attempt.reason
    assert attempt.too_large == (status == 413)


def test_the_request_is_the_body_with_basic_credentials_and_nothing_else() -> None:
    with hostile(answers(201, b"{}")) as server:
        attempt = posted(server.url)
    (request,) = server.received
    assert (request.method, request.body) == ("POST", BODY)
    assert request.path == "/v1/acme/projects/web/sources/1481727395731910656/track"
    assert request.headers["authorization"] == CREDENTIAL.authorization
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert dict(attempt.sent_headers)["authorization"] == f"Basic {MASK}"
    assert {name for name, _ in attempt.sent_headers} <= request.headers.keys()


def test_an_attempt_says_when_it_began_and_how_long_it_took() -> None:
    with hostile(answers(201, b"{}")) as server:
        attempt = run_with_client(
            lambda client: post_track_request(client, target_at(server.url), BODY, clock=lambda: 1_700_000_000_123)
        )
    assert attempt.started_at == 1_700_000_000_123
    assert 0 < attempt.elapsed_ms < 10_000
    assert (attempt.response_body, attempt.response_length, attempt.response_truncated) == (b"{}", 2, False)


def test_a_html_page_with_200_is_accepted_and_called_no_json() -> None:
    page = b"<!DOCTYPE html><html><head><title>Welcome \n to nginx</title></head></html>"
    with hostile(answers(200, page)) as server:
        attempt = posted(server.url)
    assert attempt.outcome is Outcome.ACCEPTED
    assert "The body is not JSON but an HTML page." in attempt.reason
    assert attempt.response_body == page


def test_a_json_answer_needs_no_words() -> None:
    with hostile(answers(201, b'{"stored":3}')) as server:
        assert posted(server.url).reason == f"127.0.0.1:{server.port} accepted it: 201 Created."


def test_the_servers_own_words_are_shown_for_a_400() -> None:
    words = b'{"message": "Can\'t create a collection for auto-event"}\r\n\x1b[31m'
    with hostile(answers(400, words)) as server:
        attempt = posted(server.url)
    assert "Can't create a collection for auto-event" in attempt.reason
    assert "known to pass" in attempt.reason
    assert attempt.outcome is Outcome.REJECTED
    assert "\x1b" not in attempt.reason
    assert "\n" not in attempt.reason


def test_any_other_400_is_about_the_body() -> None:
    with hostile(answers(400, b'{"message": "track is empty"}')) as server:
        reason = posted(server.url).reason
    assert "does not accept this body as it is." in reason
    assert "known to pass" not in reason


def test_long_words_are_cut_in_the_sentence_and_kept_in_the_answer() -> None:
    with hostile(answers(400, b"no " * 300)) as server:
        attempt = posted(server.url)
    assert len(attempt.reason) < 500
    assert attempt.response_body == b"no " * 300


def test_a_redirect_is_rejected_and_not_followed() -> None:
    with hostile(answers(302, b"", "Location: /elsewhere")) as server:
        attempt = posted(server.url)
    assert attempt.outcome is Outcome.REJECTED
    assert "no redirect is followed" in attempt.reason
    assert len(server.received) == 1


# ── what a failure proves ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refused_connection_is_not_sent() -> None:
    attempt = posted(f"http://127.0.0.1:{closed_port()}")
    assert (attempt.outcome, attempt.status) == (Outcome.NOT_SENT, None)
    assert "refuses connections" in attempt.reason


def test_a_refused_connection_on_both_families_is_not_sent() -> None:
    attempt = posted(f"http://localhost:{closed_port()}")
    assert attempt.outcome is Outcome.NOT_SENT
    assert "localhost" in attempt.reason


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    attempt = posted("https://nothing.invalid", settings=PATIENT)
    assert attempt.outcome is Outcome.NOT_SENT
    assert attempt.reason == "The name nothing.invalid does not resolve. Nothing was sent."


def test_a_connect_timeout_is_not_sent() -> None:
    with deaf_port() as port:
        attempt = posted(f"http://127.0.0.1:{port}", settings=QUICK)
    assert attempt.outcome is Outcome.NOT_SENT
    assert "within 0.3 s" in attempt.reason


def test_a_tls_handshake_that_hangs_is_not_sent() -> None:
    with hostile(hangs_before_reading) as server:
        attempt = posted(f"https://127.0.0.1:{server.port}", settings=QUICK)
    assert attempt.outcome is Outcome.NOT_SENT


def test_an_untrusted_certificate_is_not_sent() -> None:
    with hostile(answers(201, b"{}"), tls=True) as server:
        attempt = posted(server.url)
    assert attempt.outcome is Outcome.NOT_SENT
    assert "certificate" in attempt.reason
    assert server.received == []


def test_a_certificate_that_is_trusted_is_enough() -> None:
    trust = ssl.create_default_context(cadata=CERTIFICATE)
    with hostile(answers(201, b"{}"), tls=True) as server:
        assert posted(server.url, trust=trust).outcome is Outcome.ACCEPTED


def test_a_server_without_tls_is_not_sent_over_https() -> None:
    with hostile(speaks_no_tls) as server:
        attempt = posted(f"https://127.0.0.1:{server.port}")
    assert attempt.outcome is Outcome.NOT_SENT
    assert "No TLS with" in attempt.reason
    assert server.received == []


def test_a_target_without_a_key_is_not_sent() -> None:
    with hostile(answers(201)) as server:
        target = replace(target_at(server.url), credential=None)
        attempt = run_with_client(lambda client: post_track_request(client, target, BODY))
    assert attempt.outcome is Outcome.NOT_SENT
    assert "has no key" in attempt.reason
    assert server.received == []


def test_an_impossible_address_is_not_sent() -> None:
    assert posted("https://" + "a" * 70 + ".example").outcome is Outcome.NOT_SENT
    assert posted("https://exa mple").outcome is Outcome.NOT_SENT


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        pytest.param(says(b"", then="close"), "closed the connection without a response", id="closes after reading"),
        pytest.param(resets_at_once, "closed the connection without a response", id="resets after reading"),
        pytest.param(says(b"", then="hang"), "did not answer in time", id="hangs after reading"),
        pytest.param(hangs_before_reading, "did not answer in time", id="hangs before reading"),
        pytest.param(says(b"HTTP/1.1 201 Cre", then="close"), "closed the connection", id="cuts the status line"),
        pytest.param(says(b"HTTP/1.1 201 Created\r\nContent-", then="close"), "closed", id="cuts the headers"),
        pytest.param(says(b"HTTP/1.1 201 Created\r\nX: y", then="hang"), "in time", id="hangs in the headers"),
        pytest.param(says(b"\x00\xff nothing like HTTP\r\n\r\n", then="close"), "not HTTP", id="speaks no HTTP"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9.6\r\n", then="hang"), "", id="speaks SSH"),
        pytest.param(says(http(101, b"")), "", id="switches protocols"),
    ],
)
def test_without_a_whole_answer_the_outcome_is_unknown(behaviour: Behaviour, words: str) -> None:
    with hostile(behaviour) as server:
        attempt = posted(server.url, settings=QUICK)
    assert attempt.outcome is Outcome.UNKNOWN
    assert words in attempt.reason
    assert "may have arrived" in attempt.reason


@pytest.mark.parametrize("then", ["close", "reset", "hang"])
def test_half_a_yes_is_unknown(then: str) -> None:
    with hostile(says(HALF % 201, then=then)) as server:
        attempt = posted(server.url, settings=QUICK if then == "hang" else PATIENT)
    assert (attempt.outcome, attempt.status) == (Outcome.UNKNOWN, 201)
    assert "answered 201 Created, but" in attempt.reason
    assert attempt.response_body == b"{"


def test_a_broken_chunked_body_of_a_yes_is_unknown() -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"
    with hostile(says(data, then="close")) as server:
        assert posted(server.url).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("then", ["close", "reset", "hang"])
@pytest.mark.parametrize(
    ("status", "outcome"), [(400, Outcome.REJECTED), (413, Outcome.REJECTED), (503, Outcome.NOT_SENT)]
)
def test_half_a_no_is_still_a_no(status: int, outcome: Outcome, then: str) -> None:
    with hostile(says(HALF % status, then=then)) as server:
        attempt = posted(server.url, settings=QUICK if then == "hang" else PATIENT)
    assert (attempt.outcome, attempt.status, attempt.too_large) == (outcome, status, status == 413)


def test_a_dripping_body_ends_in_bounded_time() -> None:
    with hostile(drips) as server:
        attempt = posted(server.url, settings=QUICK)
    assert (attempt.outcome, attempt.status) == (Outcome.UNKNOWN, 200)
    assert attempt.elapsed_ms < 10_000
    assert "in time" in attempt.reason


def test_a_body_that_nobody_reads_ends_in_bounded_time() -> None:
    with hostile(hangs_before_reading) as server:
        attempt = posted(server.url, b"x" * 30_000_000, settings=QUICK)
    assert attempt.outcome is Outcome.UNKNOWN
    assert attempt.elapsed_ms < 10_000


def test_a_yes_before_the_body_has_left_is_unknown() -> None:
    with hostile(accepts_before_reading) as server:
        attempt = posted(server.url, b"x" * 30_000_000)
    assert (attempt.outcome, attempt.status) == (Outcome.UNKNOWN, 201)
    assert "before the whole request was sent" in attempt.reason


def test_a_large_body_that_is_rejected_on_the_way_is_too_large() -> None:
    with hostile(answers_before_reading) as server:
        attempt = posted(server.url, b"x" * 30_000_000)
    assert (attempt.outcome, attempt.too_large) == (Outcome.REJECTED, True)


@pytest.mark.parametrize("size", [0, 1, 511 * 1024, 512 * 1024, 3_000_001])
def test_a_body_of_any_size_arrives_whole(size: int) -> None:
    body = random.Random(size).randbytes(size)
    with hostile(answers(201)) as server:
        assert posted(server.url, body).outcome is Outcome.ACCEPTED
    (request,) = server.received
    assert request.body == body
    assert "transfer-encoding" not in request.headers


def test_a_cancelled_post_is_cancelled_and_leaves_the_client_usable() -> None:
    async def cancelled(client: HttpClient, server: HostileServer) -> Attempt:
        task = asyncio.create_task(post_track_request(client, target_at(server.url), BODY))
        await asyncio.sleep(0.2)
        assert server.received
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.behaviour = answers(201)
        return await post_track_request(client, target_at(server.url), BODY)

    with hostile(says(b"", then="hang")) as server:
        assert run_with_client(lambda client: cancelled(client, server)).outcome is Outcome.ACCEPTED


@given(data=st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail))
@settings(max_examples=scale_examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_server_says_becomes_an_attempt_and_a_feed_answer(data: bytes) -> None:
    async def both(client: HttpClient) -> tuple[Attempt, FeedResponse, ConnectionTest]:
        target = target_at(server.url)
        read = await read_feed(client, target, "recently-viewed", FeedIdentity.USER, "u1")
        return await post_track_request(client, target, BODY), read, await check_connection(client, target)

    with hostile(says(data, then="close")) as server:
        attempt, feed, test = run_with_client(both)
    assert attempt.reason
    assert feed.message
    assert test.message
    if attempt.status is None:
        assert attempt.outcome is Outcome.UNKNOWN


def test_other_transports_prove_the_same() -> None:
    async def through(error: Exception) -> Attempt:
        def answer(request: httpx.Request) -> httpx.Response:
            raise error

        async with open_client(QUICK, transport=httpx.MockTransport(answer)) as client:
            return await post_track_request(client, target_at("http://127.0.0.1"), BODY)

    proofs: list[Exception] = [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")]
    doubts: list[Exception] = [
        httpx.ReadTimeout("x"),
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("x"),
        OSError("x"),
    ]
    assert {asyncio.run(through(error)).outcome for error in proofs} == {Outcome.NOT_SENT}
    assert {asyncio.run(through(error)).outcome for error in doubts} == {Outcome.UNKNOWN}


# ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_connection_is_used_again() -> None:
    async def twice(client: HttpClient) -> None:
        for _ in range(3):
            assert (await post_track_request(client, target_at(server.url), BODY)).outcome is Outcome.ACCEPTED

    with hostile(answers(201, b"{}")) as server:
        run_with_client(twice)
    assert server.connections == 1


def test_a_connection_that_idled_too_long_is_not_used_again() -> None:
    async def twice() -> None:
        async with open_client(QUICK, trust=TRUST, idle_seconds=0.05) as client:
            for _ in range(2):
                assert (await post_track_request(client, target_at(server.url), BODY)).outcome is Outcome.ACCEPTED
                await asyncio.sleep(0.2)

    with hostile(answers(201, b"{}")) as server:
        asyncio.run(twice())
    assert server.connections == 2
    assert wire.IDLE_SECONDS < 5


def test_a_connection_that_the_server_dropped_is_not_used_again() -> None:
    async def thrice(client: HttpClient) -> None:
        for _ in range(3):
            assert (await post_track_request(client, target_at(server.url), BODY)).outcome is Outcome.ACCEPTED
            await asyncio.sleep(0.05)

    with hostile(drops_idle_connections) as server:
        run_with_client(thrice)
    assert server.connections == 3


def test_no_cookie_is_kept() -> None:
    async def twice(client: HttpClient) -> None:
        for _ in range(2):
            attempt = await post_track_request(client, target_at(server.url), BODY)
            assert dict(attempt.headers)["set-cookie"] == MASK

    with hostile(answers(201, b"{}", "Set-Cookie: session=1; Path=/")) as server:
        run_with_client(twice)
    assert all("cookie" not in request.headers for request in server.received)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{closed_port()}")
    with hostile(answers(201, b"{}")) as server:
        assert posted(server.url).outcome is Outcome.ACCEPTED


_STEP = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(lambda text: text not in (".", ".."))


@given(org=_STEP, project=_STEP, source=_STEP)
@settings(max_examples=scale_examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_org_project_and_source_arrive_as_they_are(org: str, project: str, source: str) -> None:
    with hostile(answers(201, b"{}")) as server:
        target = replace(target_at(server.url), org=org, project=project, source=source)
        run_with_client(lambda client: post_track_request(client, target, BODY))
    steps = server.received[0].path.split("/")
    assert [unquote(step) for step in steps] == ["", "v1", org, "projects", project, "sources", source, "track"]


# ── answers that are too much, or say too much ───────────────────────────────────────────────────────────────────────


def test_an_endless_answer_is_cut_and_counts() -> None:
    with hostile(never_ends) as server:
        attempt = posted(server.url)
    assert (attempt.outcome, attempt.response_body, attempt.response_truncated) == (Outcome.ACCEPTED, b"x" * 1000, True)
    assert attempt.elapsed_ms < 10_000


def test_a_long_answer_is_cut_and_says_its_length() -> None:
    with hostile(answers(400, b"y" * 100_000)) as server:
        attempt = posted(server.url)
    assert (attempt.response_body, attempt.response_length, attempt.response_truncated) == (b"y" * 1000, 100_000, True)


def test_no_answer_is_kept_where_none_shall_be() -> None:
    with hostile(answers(400, b"words")) as server:
        attempt = posted(server.url, settings=replace(PATIENT, response_bytes=0))
    assert (attempt.response_body, attempt.response_length, attempt.response_truncated) == (b"", 5, True)


def test_a_gzip_bomb_is_unpacked_only_as_far_as_it_is_kept() -> None:
    with hostile(says(gzip_bomb(50))) as server:
        started = time.process_time()
        attempt = posted(server.url)
    assert attempt.outcome is Outcome.REJECTED
    assert (attempt.response_body, attempt.response_truncated) == (bytes(1000), True)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"no such source")),
        ("X-Gzip", gzip.compress(b"no such source")),
        ("deflate", zlib.compress(b"no such source")),
        ("deflate", zlib.compress(b"no such source", wbits=-15)),
        ("identity", b"no such source"),
    ],
)
def test_a_packed_answer_is_readable(encoding: str, packed: bytes) -> None:
    with hostile(answers(400, packed, f"Content-Encoding: {encoding}")) as server:
        attempt = posted(server.url)
    assert attempt.response_body == b"no such source"
    assert "no such source" in attempt.reason


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_an_answer_that_cannot_be_unpacked_is_left_out_and_said(encoding: str) -> None:
    with hostile(answers(200, b"\x8b\x03\x80neither", f"Content-Encoding: {encoding}")) as server:
        attempt = posted(server.url)
    assert (attempt.outcome, attempt.response_body) == (Outcome.ACCEPTED, b"")
    assert "compressed in a way that was not asked for" in attempt.reason


@pytest.mark.parametrize("pack", [lambda body: body, gzip.compress])
@pytest.mark.parametrize("settings", [PATIENT, *(replace(PATIENT, response_bytes=keep) for keep in range(0, 90, 7))])
def test_an_echoed_key_is_masked_wherever_the_answer_is_cut(settings: Settings, pack: Callable[[bytes], bytes]) -> None:
    token = CREDENTIAL.authorization.removeprefix("Basic ")
    echo = f"bad key {KEY} {SECRET} {token} {json.dumps(KEY)} {KEY.replace('/', '%2F')} {PREFIX}:{SECRET}".encode()
    encoding = "identity" if pack(echo) == echo else "gzip"
    headers = (f"Location: /?apiKey={KEY}", f"X-Echo: {CREDENTIAL.authorization}", f"Content-Encoding: {encoding}")
    with hostile(answers(401, pack(echo), *headers, "Authorization: nothing")) as server:
        attempt = posted(server.url, settings=settings)
    whole = repr(attempt)
    for part in (KEY[-12:], SECRET[:12], token[:12], token[-12:]):
        assert part not in whole
    assert dict(attempt.headers)["location"] == f"/?apiKey={MASK}"
    assert dict(attempt.headers)["authorization"] == MASK


# ── retrying ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _attempt(outcome: Outcome, wait: float | None = None) -> Attempt:
    return Attempt(outcome, None, "", 0, 0.0, retry_after=wait)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("99999999999999999999999999", MAX_RETRY_AFTER),
        ("Wed, 21 Oct 2015 07:28:10 GMT", 10.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 9999 07:27:00 GMT", MAX_RETRY_AFTER),
        ("Wed, 21 Oct 2015 07:28:10 -0000", 10.0),
        *(
            (garbage, None)
            for garbage in ("", "-5", "soon", "nan", "inf", "1e9", "٣", "0x10", "Wed, 99 Foo 2015", "," * 50)
        ),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_read_and_bounded(header: str, seconds: float | None) -> None:
    now = 1_445_412_480_000  # 2015-10-21T07:28:00Z
    assert parse_retry_after({"retry-after": header}, now) == seconds


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "written", ["Wed, 21 Oct 2015 07:28:10", "Wed Oct 21 07:28:10 2015", "Wed, 21 Oct 2015 07:28:10 -0000"]
)
def test_a_date_without_a_zone_is_gmt_whatever_the_zone_of_the_machine(
    zone: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        now = 1_445_412_480_000  # 2015-10-21T07:28:00Z
        assert parse_retry_after({"retry-after": written}, now) == 10.0
        earlier = written.replace(":10", ":00")
        assert parse_retry_after({"retry-after": written, "date": earlier}, 0) == 10.0
        assert parse_retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:10 GMT", "date": earlier}, 0) == 10.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_retry_date_is_measured_by_the_servers_own_clock() -> None:
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:10 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert parse_retry_after(headers, 1_900_000_000_000) == 10.0


def test_a_429_carries_its_retry_after_and_a_bare_one_does_not() -> None:
    with hostile(answers(429, b"", "Retry-After: 3")) as server:
        assert posted(server.url).retry_after == 3.0
    with hostile(answers(429)) as server:
        assert posted(server.url).retry_after is None


@given(
    tries=st.integers(0, 10_000),
    wait=st.none() | st.floats(0, MAX_RETRY_AFTER),
    seed=st.integers(),
    first=st.floats(0, 60),
    limit=st.floats(0, 3600),
)
def test_a_pause_is_at_least_what_was_asked_and_beyond_it_never_longer_than_the_limit(
    tries: int, wait: float | None, seed: int, first: float, limit: float
) -> None:
    settings = Settings(tries=20_000, backoff_seconds=first, backoff_limit_seconds=limit)
    pause = compute_retry_delay(_attempt(Outcome.NOT_SENT, wait), tries, settings, random.Random(seed))
    assert pause is not None
    assert (wait or 0.0) <= pause <= (wait or 0.0) + limit


def test_the_pause_doubles_with_full_jitter() -> None:
    settings = Settings(backoff_seconds=1.0, backoff_limit_seconds=1000.0, tries=100)
    rng = random.Random(1)
    for tries in range(1, 8):
        pauses = [compute_retry_delay(_attempt(Outcome.NOT_SENT), tries, settings, rng) or 0.0 for _ in range(400)]
        assert 0.9 * 2 ** (tries - 1) < max(pauses) <= 2 ** (tries - 1)
        assert min(pauses) < 0.1 * 2 ** (tries - 1)


def test_only_what_did_not_arrive_is_tried_again_and_only_so_often() -> None:
    rng, settings = random.Random(1), Settings(tries=3)
    assert compute_retry_delay(_attempt(Outcome.NOT_SENT), 2, settings, rng) is not None
    assert compute_retry_delay(_attempt(Outcome.NOT_SENT), 3, settings, rng) is None
    for outcome in (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.UNKNOWN):
        assert compute_retry_delay(_attempt(outcome), 1, settings, rng) is None
    assert compute_retry_delay(_attempt(Outcome.UNKNOWN), 1, settings, rng, resend_unknown=True) is not None
    assert compute_retry_delay(_attempt(Outcome.REJECTED), 1, settings, rng, resend_unknown=True) is None


# ── testing a connection ─────────────────────────────────────────────────────────────────────────────────────────────


def connection_to(base: str, *, settings: Settings = PATIENT) -> ConnectionTest:
    test = run_with_client(lambda client: check_connection(client, target_at(base)), settings=settings)
    assert_no_key(test)
    return test


def test_a_connection_test_holds_no_event() -> None:
    with hostile(answers(201, b"{}")) as server:
        test = connection_to(server.url)
    assert test.ok
    assert "nothing was stored" in test.message
    assert json.loads(server.received[0].body) == {"track": []}


@pytest.mark.parametrize(
    ("answer", "ok", "words"),
    [
        (http(201, b"{}"), True, "takes requests for this source with this key"),
        (http(204), True, "takes requests"),
        (http(400, b'{"message":"track is empty"}'), True, "track is empty"),
        (http(400, b"<html><title>The plain HTTP request"), False, "not as a Track API"),
        (http(200, b"<html><title>Parked domain</title>"), False, "not as a Track API"),
        (http(302, b"", "Location: https://login.example"), False, "not as a Track API"),
        (http(405), False, "not as a Track API"),
        (http(401), False, "the key is wrong"),
        (http(403), False, "the key is not allowed"),
        (http(404), False, "nothing is at this path"),
        (http(429), False, "try later"),
        (http(502), False, "502 Bad Gateway"),
    ],
)
def test_a_connection_test_tells_what_is_wrong(answer: bytes, ok: bool, words: str) -> None:
    with hostile(says(answer)) as server:
        test = connection_to(server.url)
    assert (test.ok, words in test.message) == (ok, True), test.message


def test_a_connection_test_tells_how_far_it_came() -> None:
    assert "does not resolve" in connection_to("https://nothing.invalid").message
    assert "refuses connections" in connection_to(f"http://127.0.0.1:{closed_port()}").message
    with hostile(answers(201), tls=True) as server:
        assert "certificate" in connection_to(server.url).message
    with hostile(says(b"", then="hang")) as server:
        assert "in time" in connection_to(server.url, settings=QUICK).message
    with hostile(says(HALF % 201, then="close")) as server:
        assert "broke off" in connection_to(server.url).message
    keyless = replace(target_at("http://127.0.0.1"), credential=None)
    assert "has no key" in run_with_client(lambda client: check_connection(client, keyless)).message


def test_the_sandbox_target_can_be_posted_to_and_its_words_stay_readable() -> None:
    with hostile(answers(401, b"the sandbox does not know this key")) as server:
        attempt = run_with_client(lambda client: post_track_request(client, sandbox_target(server.url), BODY))
    assert "the sandbox does not know this key" in attempt.reason


# ── where a key may go ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(outer_address() is None, reason="this machine has one address only, and that is its own")
def test_a_name_that_leads_elsewhere_after_it_was_checked_gets_no_key_in_clear_text() -> None:
    """``*.localhost`` led to this machine when the target was described, and to another one when it was sent to."""
    with hostile(answers(201, b"{}"), address=outer_address() or "") as server:
        attempt = posted(server.url)
        assert server.received == []
        assert (attempt.outcome, attempt.status) == (Outcome.NOT_SENT, None)
        assert "over http:// the key would travel in clear text" in attempt.reason
        sandbox = sandbox_target(server.url)  # its key is public, and it may be on another machine
        found = run_with_client(lambda client: post_track_request(client, sandbox, BODY))
        assert (found.outcome, len(server.received)) == (Outcome.ACCEPTED, 1)


def test_a_key_is_masked_in_a_response_in_every_form_it_may_take() -> None:
    pair, large = f"{PREFIX}:{SECRET}", "".join(f"\\u{ord(char):04x}" for char in KEY)
    forms = [
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(f"Authorization: {pair}".encode()).decode(),
        KEY.encode().hex(),
        SECRET.encode().hex().upper(),
        quote(KEY, safe="").lower(),
        KEY.upper(),
        large,
    ]
    for form in forms:
        with hostile(answers(400, f'{{"you sent": "{form}"}}'.encode(), f"X-Echo: {form}")) as server:
            attempt = posted(server.url)
        shown = f"{attempt.reason} {attempt.headers} {attempt.response_body.decode()}"
        assert form not in shown
        assert MASK in attempt.response_body.decode()
        assert MASK in dict(attempt.headers)["x-echo"]
        assert not any(form[at : at + 12] in shown for at in range(24, len(form) - 12))  # before that: Authorization
