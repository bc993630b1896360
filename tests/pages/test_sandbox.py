"""Sandbox without a browser: its filters in a link, and the failures that it simulates."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from intempt_core.contract.faults import (
    DisconnectFault,
    Fault,
    FaultDocument,
    LatencyFault,
    NoResponseFault,
    SlowResponseFault,
    StatusFault,
    TooLargeFault,
)
from pages.parts.sandbox.faults_view import describe_simulation
from pages.parts.sandbox.live_view import find_feeds_question
from pages.parts.shared.sandbox_connection import get_sandbox_client, read_active_faults
from pages.parts.shared.screen_state import make_key
from tests.pages.conftest import Screen


@pytest.fixture
def sandbox(tab: Callable[[str], Screen]) -> Screen:
    """The Sandbox screen."""
    return tab("compose.py").go("sandbox.py")


def test_a_link_of_an_earlier_version_still_filters_rejected_requests(sandbox: Screen) -> None:
    sandbox.app.query_params["shown"] = "refused"
    assert sandbox.run().app.selectbox(key="shown").value == "rejected"


def test_a_failure_is_added_shown_and_removed(sandbox: Screen) -> None:
    try:
        screen = sandbox.press("fault-add").run()
        assert "◆ simulating failures" in screen.markdown
        screen.press("fault-deduplicates")
        assert [fault.fault for fault in get_sandbox_client().read_faults().faults] == ["status"]
        assert not get_sandbox_client().read_faults().deduplicates
        assert not screen.press("sandbox-stop").run().has("sandbox-stop")
        assert get_sandbox_client().read_faults() == FaultDocument()
    finally:
        get_sandbox_client().replace_faults(FaultDocument())
        read_active_faults.clear()


def test_failures_of_one_project_are_shown_beside_those_of_everything_and_each_is_removed(sandbox: Screen) -> None:
    client = get_sandbox_client()
    fails, waits = StatusFault(fault="status", status=503), LatencyFault(fault="latency", ms=200)
    try:
        client.replace_faults(FaultDocument(faults=[fails]))
        client.replace_faults(FaultDocument(faults=[fails, waits]), project="a*b_c")
        client.replace_faults(FaultDocument(faults=[waits]), project="other")
        screen = sandbox.run()
        for badge in ("", r" for project a\*b\_c", " for project other"):
            assert f":orange-badge[◆ simulating failures{badge}]" in screen.markdown
        screen.press(make_key("sandbox-remove", 0, "a*b_c")).run()
        assert client.read_faults(project="a*b_c").faults == [waits]
        screen.press(make_key("sandbox-stop", "a*b_c")).run()
        now = client.read_all_faults()
        assert (now.everything.faults, dict(now.projects)) == ([fails], {"other": FaultDocument(faults=[waits])})
        screen.press("sandbox-stop").run()
        assert client.read_faults() == FaultDocument()
        assert screen.has(make_key("sandbox-stop", "other"))
    finally:
        for project in (None, "a*b_c", "other"):
            client.replace_faults(FaultDocument(), project=project)
        read_active_faults.clear()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (StatusFault(fault="status", share=0.1, status=500), "Fail 10 % of requests with 500"),
        (
            StatusFault(fault="status", path="*/track", status=429, retry_after=2),
            "Fail all requests to track with 429, to be tried again after 2 s",
        ),
        (LatencyFault(fault="latency", share=0.1, ms=500), "Delay the response to 10 % of requests by 500 ms"),
        (
            SlowResponseFault(fault="slow_answer", share=0.1, ms=3000),
            "Draw out the response to 10 % of requests over 3,000 ms",
        ),
        (NoResponseFault(fault="no_answer", share=0.5), "Time out 50 % of requests, events stored"),
        (
            DisconnectFault(fault="cut", share=0.5, path="*/feeds/*"),
            "Drop the connection of 50 % of requests to feeds, events not stored",
        ),
        (TooLargeFault(fault="too_large", events=20), "Reject all requests of more than 20 events with 413"),
    ],
)
def test_the_button_says_in_plain_words_what_will_happen(fault: Fault, sentence: str) -> None:
    assert describe_simulation(fault) == sentence


def post(sandbox_url: str, event_id: str, person: str, product: str, project: str = "sandbox") -> None:
    event = {"eventId": event_id, "userId": person, "data": {"productId": product}}
    body = {"track": [{"name": "Added to cart", "payload": [event]}]}
    url = f"{sandbox_url}/v1/{project}/projects/{project}/sources/1001/track"
    httpx.post(url, json=body, auth=("sandbox", "sandbox")).raise_for_status()


def read_last(person: str) -> dict[str, Any]:
    """The last event of a person."""
    row = get_sandbox_client().read_live(text=person).rows[0]
    return get_sandbox_client().read_event(row.seq or 0)


def test_an_event_leads_to_what_it_repeats_to_its_users_feeds_and_to_inspect(sandbox: Screen, sandbox_url: str) -> None:
    person = f"person-{uuid4().hex}"
    post(sandbox_url, f"evt-{person}", f"other-of-{person}", "A1")
    post(sandbox_url, f"evt-{person}", person, "SKU_9")
    event = read_last(f"{person}")
    sandbox.app.query_params["event"] = str(event["seq"])
    screen = sandbox.run()
    assert "◆ ignored" in screen.markdown
    links = {link.proto.label: link.proto.query_string for link in screen.app.get("page_link")}
    assert links[f"Repeat of event {event['repeat_of']}"] == f"event={event['repeat_of']}"
    assert f"person={person}" in links["User's feeds"]
    assert "feed=recently-added-to-cart" in links["User's feeds"]
    screen.press("sandbox-event-inspect")
    payload = screen.inspect_state.payload
    assert payload is not None
    pasted = json.loads(payload.text)
    assert pasted["track"][0]["payload"][0]["data"] == {"productId": "SKU_9"}


def test_an_event_of_another_project_leads_to_no_feeds(sandbox: Screen, sandbox_url: str) -> None:
    person = f"person-{uuid4().hex}"
    post(sandbox_url, f"evt-{person}", person, "A1", project="acme")
    assert find_feeds_question(read_last(person)) == {}


def test_the_consoles_own_reads_of_feeds_are_left_out_until_they_are_asked_for(
    sandbox: Screen, tab: Callable[[str], Screen]
) -> None:
    person = f"person-{uuid4().hex}"
    feeds = tab("feeds.py")
    feeds.fill("feeds-person", person)
    hidden = get_sandbox_client().read_live(limit=10, hidden_reader="event-console")
    shown = get_sandbox_client().read_live(limit=10)
    assert [row.name for row in shown.rows if "/feeds/" in (row.name or "")]
    assert not [row.name for row in hidden.rows if "/feeds/" in (row.name or "")]
    assert not sandbox.app.checkbox(key="sandbox-own-reads").value
