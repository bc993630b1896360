"""The sandbox's OpenAPI document is true: a tool sends what it allows and what it forbids, and believes no answer."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from intempt_core.sandbox import SANDBOX_KEY, NeighbouringApi, create_sandbox_app, run_sandbox
from intempt_core.sandbox.http.waiting import ArrivalSignal
from intempt_core.validation import build_validate_paths, build_validate_schemas, create_validate_route

_CASES = """
import schemathesis

@schemathesis.hook
def filter_case(context, case):
    return (case.media_type == "multipart/form-data") is {forms}
"""
_NO_FORMS, _ONLY_FORMS = _CASES.format(forms=False), _CASES.format(forms=True)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A sandbox as the command line serves it, with ``POST /validate`` beside it."""
    beside = NeighbouringApi(build_validate_paths(), build_validate_schemas(), [create_validate_route()])
    # A wait for an event takes a moment, whatever it asks for: most of them wait in vain here.
    with run_sandbox(tmp_path / "s.sqlite3", arrival_signal=ArrivalSignal(limit=0.05), beside=beside) as url:
        yield url


def schemathesis(url: str, folder: Path, *chosen: str, hooks: str = "") -> str:
    """What schemathesis says of the sandbox; few examples, always the same. ``hooks`` is Python for it."""
    (folder / "chosen_cases.py").write_text(hooks)
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "chosen_cases", "PYTHONPATH": str(folder)}
    program = Path(sys.executable).parent / "schemathesis"
    options = "--seed 1 -n 3 --phases examples,coverage,fuzzing --generation-database none --no-color".split()
    call = [str(program), "run", f"{url}/openapi.json", "--auth", SANDBOX_KEY.replace(".", ":"), *options, *chosen]
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.long
def test_schemathesis_finds_no_5xx_and_no_lie(url: str, tmp_path: Path) -> None:
    """All operations but setting faults: a sandbox that simulates failures responds 500 as it should."""
    assert schemathesis(url, tmp_path, "--exclude-operation-id", "setFaults", hooks=_NO_FORMS) == ""


@pytest.mark.long
def test_nor_in_the_fault_document(url: str, tmp_path: Path) -> None:
    assert schemathesis(url, tmp_path, "--include-operation-id", "setFaults") == ""


@pytest.mark.long
def test_nor_in_what_is_checked_and_not_stored(url: str, tmp_path: Path) -> None:
    assert schemathesis(url, tmp_path, "--include-operation-id", "validate", "-n", "150", hooks=_NO_FORMS) == ""


@pytest.mark.long
def test_nor_where_that_is_a_form(url: str, tmp_path: Path) -> None:
    """No schema says that a text is a mapping file which fits another text: that all are accepted is not asked."""
    chosen = ("--include-operation-id", "validate", "-n", "100", "--exclude-checks", "positive_data_acceptance")
    assert schemathesis(url, tmp_path, *chosen, hooks=_ONLY_FORMS) == ""


def test_the_document_needs_no_key_and_knows_where_it_is(url: str) -> None:
    document = httpx.get(f"{url}/openapi.json").json()
    assert document["servers"] == [{"url": "/"}]
    assert {"TrackRequest", "TrackEvent", "Faults", "StatusFault"} <= set(document["components"]["schemas"])


def test_every_route_is_in_the_document(url: str, tmp_path: Path) -> None:
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    documented = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    beside = NeighbouringApi(routes=[create_validate_route()])
    app = create_sandbox_app(tmp_path / "other.sqlite3", beside=beside)
    served = {
        (str(route.path), method) for route in app.routes if isinstance(route, Route) for method in route.methods or ()
    }
    app.state.store.close()
    told = {(path, method) for path, method in served if method != "HEAD" and path != "/openapi.json"}
    assert told - documented == set()


def test_ids_that_no_database_can_hold_are_no_500(url: str) -> None:
    headers = {"content-type": "application/json"}
    asked = (
        b'{"type": "user", "id": "\\ud800", "org": "\\ud800", "project": "p", "by": "userId", "eventIds": ["\\udfff"]}'
    )
    for path in ("/v1/o/projects/p/feeds/recently-viewed/data", "/_sandbox/person"):
        assert httpx.post(url + path, content=asked, headers=headers, auth=("sandbox", "sandbox")).status_code == 200
