"""Requests that mean harm, to every route of a real console: none is answered as if the fault were its own."""

from pathlib import Path

import httpx
import pytest

from tests.bench.consoles import console
from tests.core.web.hostile_requests import attack_with_requests, list_routes

SEED, COUNT = 10, 1_500


@pytest.mark.long  # test_malformed_input.py claims the same of one request of each kind, test_access.py of each route
def test_no_request_gets_5xx_or_hangs_and_the_console_goes_on(tmp_path: Path) -> None:
    """They are a seventh of what ``python3 run.py bench attacks.hostile_requests`` sends."""
    routes = list_routes(tmp_path / "listed")
    assert {"/sandbox/_sandbox/faults", "/_upload", "/healthz", "/_stcore/upload_file/{session_id}/{file_id}"} <= {
        route.path for route in routes
    }
    with console(tmp_path / "data") as attacked:
        result = attack_with_requests(attacked, routes, COUNT, SEED)
        assert [(status, str(request)) for status, request in result.failures] == []
        assert [str(request) for request in result.hung] == []
        assert result.statuses.total() > COUNT * 0.9
        assert {200, 201, 204, 400, 401, 403, 404, 405} <= set(result.statuses)  # they came as far as the routes
        assert httpx.get(f"{attacked.url}/healthz").json()["status"] == "ok"
        assert httpx.get(f"{attacked.url}/history").status_code == 200
    assert "Traceback" not in attacked.log
