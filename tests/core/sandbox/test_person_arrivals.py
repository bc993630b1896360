"""Every event of one person that reached the sandbox, as its own API tells of it."""

from itertools import count
from typing import Any

import httpx
import pytest

numbers = count(1)


class Shop:
    """One project of the sandbox, used by one test."""

    def __init__(self, http: httpx.Client) -> None:
        self.http, self.name = http, f"arrivals{next(numbers)}"

    def send(self, name: str, *events: dict[str, Any], client: str = "shop-app/1") -> None:
        body = {"track": [{"name": name, "payload": list(events)}]}
        url = f"/v1/acme/projects/{self.name}/sources/1/track"
        self.http.post(url, json=body, headers={"user-agent": client}).raise_for_status()

    def arrivals(self, by: str, id_: str) -> list[dict[str, Any]]:
        question = {"org": "acme", "project": self.name, "sourceId": "1", "by": by, "id": id_, "arrivals": True}
        response = self.http.post("/_sandbox/person", json=question)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["arrivals"]
        return found


@pytest.fixture
def shop(http: httpx.Client) -> Shop:
    return Shop(http)


def event(event_id: str | None, product: str | None = "A", **more: Any) -> dict[str, Any]:
    given = {"eventId": event_id, "data": {} if product is None else {"productId": product}, **more}
    return {key: value for key, value in given.items() if value is not None}


def test_ignored_events_are_among_them_in_the_order_of_arrival_with_their_reason(shop: Shop) -> None:
    shop.send("Product viewed", event("e1", userId="u1"))
    shop.send("Added to cart", event("e2", None, userId="u1"))
    shop.send("Bought", event("e3", userId="u1"))
    shop.send("Product ordered", event("e4", userId="u1"), event("e5", userId="somebody_else"))
    found = shop.arrivals("userId", "u1")
    assert [one["eventId"] for one in found] == ["e1", "e2", "e3", "e4"]
    assert [one["processed"] for one in found] == [True, False, False, True]
    assert found[1]["codes"] == ["product_id_missing"]
    assert '"userId"' in found[1]["event"]
    assert found[0]["event"] is None
    assert {one["client"] for one in found} == {"shop-app/1"}


def test_a_repeat_says_which_event_had_its_id_first_and_whose_that_was(shop: Shop) -> None:
    shop.send("Product viewed", event("same", "X", userId="u9"))
    shop.send("Added to cart", event("same", "A", userId="u1"))
    (found,) = shop.arrivals("userId", "u1")
    assert found["codes"] == ["event_id_repeated"]
    first = found["first"]
    assert (first["person"], first["name"], first["productId"]) == ("u9", "Product viewed", "X")
    assert first["seq"] < found["seq"]
    assert first["received_at"] > 0


def test_a_person_is_found_by_every_id_that_an_event_links(shop: Shop) -> None:
    shop.send("Product viewed", event("e1", userId="u1", profileId="p1"))
    shop.send("Added to cart", event("e2", None, profileId="p1"), event("e3", None, anotherUserId="o1"))
    shop.send("Product viewed", event("e4", userId="u1", accountId="a1"))
    assert [one["eventId"] for one in shop.arrivals("userId", "u1")] == ["e1", "e2", "e4"]
    assert [one["eventId"] for one in shop.arrivals("profileId", "p1")] == ["e1", "e2", "e4"]
    assert [one["eventId"] for one in shop.arrivals("anotherUserId", "o1")] == ["e3"]
    assert [one["eventId"] for one in shop.arrivals("accountId", "a1")] == ["e4"]


def test_nobody_and_another_project_have_none(shop: Shop) -> None:
    assert shop.arrivals("userId", "u1") == []
    shop.send("Product viewed", event("e1", userId="u1"))
    assert Shop(shop.http).arrivals("userId", "u1") == []
