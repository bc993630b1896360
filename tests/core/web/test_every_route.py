"""Every route of the console, ours and Streamlit's, as a document for schemathesis: no request of it gets 5xx."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from intempt_core.sandbox import SANDBOX_KEY
from tests.bench.consoles import console
from tests.core.web.hostile_requests import Route, list_routes

QUERY_NAMES = ("limit", "families", "x")
BODY_TYPES = ("application/json", "multipart/form-data", "text/plain")


def describe_routes(routes: Sequence[Route]) -> dict[str, object]:
    """An OpenAPI document of routes that allows everything: any text in a path, any JSON as a body."""
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        parameters: list[dict[str, object]] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"\{(\w+)\}", path)
        ]
        query: list[dict[str, object]] = [
            {"name": name, "in": "query", "schema": {}} for name in ("limit", "families", "x")
        ]
        body: dict[str, object] = {
            "content": {kind: {"schema": {}} for kind in ("application/json", "multipart/form-data", "text/plain")}
        }
        for method in (method.lower() for method in route.methods if method not in ("HEAD", "OPTIONS")):
            operation: dict[str, object] = {
                "parameters": parameters + query,
                "responses": {"default": {"description": "Anything."}},
            }
            if method not in ("get", "delete"):
                operation["requestBody"] = body
            paths.setdefault(path, {})[method] = operation
    return {"openapi": "3.0.3", "info": {"title": "Every route", "version": "1"}, "paths": paths}


@pytest.mark.long  # as test_hostile_requests.py, to the same routes
def test_schemathesis_finds_no_5xx_in_any_route(tmp_path: Path) -> None:
    routes = list_routes(tmp_path / "listed")
    document = tmp_path / "routes.json"
    document.write_text(json.dumps(describe_routes([*routes, Route("/_password", ["POST"])])))
    program = Path(sys.executable).parent / "schemathesis"
    options = "--seed 1 -n 4 --phases fuzzing --generation-database none --no-color --request-timeout 10".split()
    checks = ["--checks", "not_a_server_error", "--auth", SANDBOX_KEY.replace(".", ":")]
    with console(tmp_path / "data") as attacked:
        call = [str(program), "run", str(document), "--url", attacked.url, *options, *checks]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=160, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert "Traceback" not in attacked.log
