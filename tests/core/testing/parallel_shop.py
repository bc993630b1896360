"""Tests of a shop, all of them with the same ids, each of which sends an event late, when it has ended itself.

They are run by ``test_plugin.py``, in several processes at once. ``STRAGGLER_TESTS`` is how many there are.
"""

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import intempt
import pytest

from intempt_core.testing import TrackApi

late: list[tuple[threading.Thread, TrackApi]] = []


@pytest.fixture(scope="session", autouse=True)
def all_stragglers_arrived(request: pytest.FixtureRequest) -> Iterator[None]:
    """When the last test has ended: what was sent late is in the project of its own test, and nowhere else."""
    request.getfixturevalue("_track_api_server")  # ends after this
    yield
    for thread, _ in late:
        thread.join()
    found = {api.project: [event.body["data"]["productId"] for event in api.events()] for _, api in late}
    Path(f"stragglers-{os.getpid()}.json").write_text(json.dumps(found), "utf-8")


def open_shop(track_api: TrackApi) -> Any:
    return intempt.Intempt(
        org=track_api.org,
        project=track_api.project,
        source_id=track_api.source,
        api_key=track_api.key,
        host=track_api.host,
        scheme=track_api.scheme,
    )


def send_late(track_api: TrackApi, number: int) -> None:
    def send() -> None:
        time.sleep(random.random() / 5)
        with open_shop(track_api) as shop:
            shop.ecommerce.added_to_cart(product_id=f"late {number}", quantity=1, user_id="u1")

    thread = threading.Thread(target=send)
    late.append((thread, track_api))
    thread.start()


@pytest.mark.parametrize("number", range(int(os.environ["STRAGGLER_TESTS"])))
def test_cart(track_api: TrackApi, number: int) -> None:
    assert track_api.events() == []
    with open_shop(track_api) as shop:
        shop.ecommerce.added_to_cart(product_id="A1", quantity=1, user_id="u1")
        shop.ecommerce.added_to_cart(product_id=f"B{number}", quantity=1, user_id="u1")
        shop.ecommerce.product_viewed(product_id="C1", user_id="u1")
    first = track_api.expect("Added to cart", userId="u1")
    second = track_api.expect("Added to cart", userId="u1", after=first)
    track_api.expect("Product viewed", userId="u1", data={"productId": "C1"})
    assert [first.product_id, second.product_id] == ["A1", f"B{number}"]
    assert track_api.feed("recently-added-to-cart", userId="u1") == [f"B{number}", "A1"]
    track_api.expect_nothing_else(within=0.02)
    send_late(track_api, number)
