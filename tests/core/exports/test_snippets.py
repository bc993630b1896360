"""Snippets send the very bytes, by the real shell, Python and Node, and hold no key."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intempt_core.exports.snippets import render_curl_snippet, render_node_snippet, render_python_snippet
from intempt_core.targets.credential import Credential
from intempt_core.targets.target import Target, sandbox_target
from tests.core.transport.fault_server import Received, answers, hostile
from tests.examples import keep_first_quick, scale_examples

KEY = "k3yPrefix.s3cret.with'quote\"and$(dot)"
CREDENTIAL = Credential.parse(KEY)

BODIES = [
    b'{"track":[{"name":"Product viewed","payload":[{"eventId":"e1"}]}]}',
    b"",
    b"@/etc/passwd",
    b'it\'s "quoted" $(touch x) `id` \\n %s %% !! \\',
    b"-- two\nlines\r\n\r\n and no end\n\n",
    "Zażółć \u2028\u2029 \U0001f6d2 \ufeff".encode(),
    b"\xef\xbb\xbf{}",
    b"\x00nothing\x00 has \xff\xfe ended",
    b"{" + b'"a":"' + b"x'" * 80_000 + b'"}',
]

_BODY = st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))


def target_at(base: str) -> Target:
    return replace(sandbox_target(base), org="My 'Org'", project="a/b", credential=CREDENTIAL)


def sent(snippet: Callable[[Target, bytes], str], command: list[str], body: bytes) -> Received:
    """What arrives when a snippet is run with the key in the environment."""
    with hostile(answers(201, b"{}")) as server:
        text = snippet(target_at(server.url), body)
        environment = {"PATH": os.environ["PATH"], "INTEMPT_API_KEY": KEY, "HOME": "/nonexistent"}
        ran = subprocess.run(
            command, input=text.encode(), env=environment, capture_output=True, timeout=60, check=False
        )
    assert ran.returncode == 0, ran.stderr.decode()
    assert b"{}" in ran.stdout
    (request,) = server.received
    return request


def assert_sent(request: Received, body: bytes) -> None:
    assert request.body == body
    assert request.method == "POST"
    assert request.path == "/v1/My%20%27Org%27/projects/a%2Fb/sources/1001/track"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == CREDENTIAL.authorization


@pytest.mark.parametrize("shell", ["bash", pytest.param("sh", marks=pytest.mark.long)])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_curl_sends_the_very_request(body: bytes, shell: str) -> None:
    assert_sent(sent(render_curl_snippet, [shell], body), body)


@pytest.mark.parametrize("body", keep_first_quick(BODIES, 4), ids=range(len(BODIES)))
def test_python_sends_the_very_request(body: bytes) -> None:
    assert_sent(sent(render_python_snippet, [sys.executable, "-"], body), body)


@pytest.mark.parametrize("kind", ["module", pytest.param("commonjs", marks=pytest.mark.long)])
@pytest.mark.parametrize("body", keep_first_quick(BODIES, 4), ids=range(len(BODIES)))
@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
def test_node_sends_the_very_request(body: bytes, kind: str) -> None:
    assert_sent(sent(render_node_snippet, ["node", f"--input-type={kind}", "-"], body), body)


@pytest.fixture(scope="module")
def fake_curl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A curl that prints its body and nothing else."""
    folder = tmp_path_factory.mktemp("bin")
    file = folder / "curl"
    file.write_text('#!/bin/sh\nfor last; do :; done\ncase "$last" in @-) cat;; *) printf %s "$last";; esac\n')
    file.chmod(0o755)
    return folder


@given(body=_BODY.filter(lambda body: body != b"@-"))
@settings(max_examples=scale_examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_survives_the_shell(body: bytes, fake_curl: Path) -> None:
    text = render_curl_snippet(target_at("http://127.0.0.1:1"), body)
    environment = {"PATH": f"{fake_curl}:/usr/bin:/bin", "INTEMPT_API_KEY": KEY}
    ran = subprocess.run(["bash", "-c", text], env=environment, capture_output=True, timeout=20, check=True)
    assert (ran.stdout, ran.stderr) == (body, b"")


@given(body=_BODY)
def test_any_body_survives_python(body: bytes) -> None:
    text = render_python_snippet(target_at("http://127.0.0.1:1"), body)
    lines = text.split("\nbody = ", 1)[1].split("\nresponse = ", 1)[0]
    compile(text, "snippet", "exec")
    assert eval(lines) == body  # noqa: S307  the literal that we just wrote


@given(body=_BODY)
def test_no_snippet_holds_the_key(body: bytes) -> None:
    for snippet in (render_curl_snippet, render_python_snippet, render_node_snippet):
        text = snippet(target_at("https://api.example"), body)
        assert "INTEMPT_API_KEY" in text
        assert not CREDENTIAL.is_in(text)


def test_a_snippet_reads_well() -> None:
    target = replace(sandbox_target("https://api.intempt.com"), org="acme", project="web")
    assert render_curl_snippet(target, b'{"track":[]}') == (
        "curl --request POST https://api.intempt.com/v1/acme/projects/web/sources/1001/track \\\n"
        '  --user "${INTEMPT_API_KEY%%.*}:${INTEMPT_API_KEY#*.}" \\\n'
        "  --header 'Content-Type: application/json' \\\n"
        "  --data-raw '{\"track\":[]}'\n"
    )
    assert "body = '{\"track\":[]}'.encode()\n" in render_python_snippet(target, b'{"track":[]}')
    assert 'const body = "{\\"track\\":[]}";\n' in render_node_snippet(target, b'{"track":[]}')
