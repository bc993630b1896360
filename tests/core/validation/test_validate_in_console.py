"""``POST /validate`` of the console itself, from which it is reached as every other route is."""

import json
from pathlib import Path

import httpx
import jsonschema_rs
import pytest

from intempt_core.validation import build_report_schema
from tests.bench.consoles import console

BODY = json.dumps({"name": "Product viewed", "eventId": "e", "userId": "u", "timestamp": 5})
JSON = {"content-type": "application/json"}


@pytest.mark.long
def test_the_console_checks_a_body_and_stores_nothing_of_it(tmp_path: Path) -> None:
    with console(tmp_path / "data") as running:
        response = httpx.post(f"{running.url}/validate", content=BODY, headers=JSON)
        report = response.json()
        jsonschema_rs.validator_for(build_report_schema()).validate(report)
        assert report["counts"] == {"product_id_missing": 1, "timestamp_before_2010": 1}
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        for method in ("GET", "PUT"):  # Streamlit has a page for every path that is nobody else's
            other = httpx.request(method, f"{running.url}/validate")
            assert (other.status_code, other.headers["allow"]) == (405, "POST")
            assert other.json()["message"].startswith(f"/validate takes POST, and this is {method}.")
        events = httpx.get(f"{running.url}/sandbox/_sandbox/events", auth=("sandbox", "sandbox")).json()["events"]
        assert events == []
        document = httpx.get(f"{running.url}/sandbox/openapi.json").json()
        assert document["servers"] == [{"url": "/sandbox"}]
        assert document["paths"]["/validate"]["post"]["servers"] == [{"url": "/"}]
        for headers in (
            {"origin": "https://shop.example"},
            {"host": "console.example"},
            {"sec-fetch-site": "cross-site"},
        ):
            assert httpx.post(f"{running.url}/validate", content=BODY, headers=headers).status_code == 403


@pytest.mark.long
def test_where_a_password_is_asked_for_it_is_asked_for_here(tmp_path: Path) -> None:
    with console(tmp_path / "data", {"CONSOLE_PASSWORD": "a long password"}) as running:
        response = httpx.post(f"{running.url}/validate", content=BODY, headers=JSON)
    assert (response.status_code, response.text[:35]) == (401, "This console asks for its password.")
