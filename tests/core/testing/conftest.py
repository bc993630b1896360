"""The plugin's fixtures as a project has them that installed it; and a program that sends events."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from intempt_core.testing import TrackApi
from intempt_core.testing.pytest_plugin import _track_api_server, track_api

__all__ = ["_track_api_server", "track_api"]

Sender = Callable[..., httpx.Response]


def send_event(api: TrackApi, name: str, *, url: str = "", key: str = "", **fields: Any) -> httpx.Response:
    """Send one event as an application would; ``fields`` are its own."""
    body = {"track": [{"name": name, "payload": [fields]}]}
    prefix, _, secret = (key or api.key).partition(".")
    return httpx.post(url or api.url, json=body, auth=(prefix, secret), timeout=10, trust_env=False)


@pytest.fixture
def send(track_api: TrackApi) -> Sender:
    return lambda name, **fields: send_event(track_api, name, **fields)
