"""The sandbox's feeds of everybody's events, its own approximation of CONTRACT 4.5, and what it says of a person."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import httpx
import pytest

from intempt_core.contract.feeds import SHARED_FEEDS
from intempt_core.sandbox.storage import shared_feeds as trends

DAY = 86_400_000
numbers = count(1)


class Shop:
    """One project of the sandbox, used by one test."""

    def __init__(self, http: httpx.Client) -> None:
        self.http, self.name = http, f"trends{next(numbers)}"

    def did(self, name: str, products: Sequence[str], person: str = "u1", **more: Any) -> None:
        payload = [
            {"eventId": f"e{next(numbers)}", "userId": person, "data": {"productId": product}, **more}
            for product in products
        ]
        body = {"track": [{"name": name, "payload": payload}]}
        answer = self.http.post(f"/v1/acme/projects/{self.name}/sources/1/track", json=body)
        assert answer.status_code == 201, answer.text

    def viewed(self, products: Sequence[str], person: str = "u1", **more: Any) -> None:
        self.did("Product viewed", products, person, **more)

    def ordered(self, products: Sequence[str], person: str = "u1", **more: Any) -> None:
        self.did("Product ordered", products, person, **more)

    def feed(self, feed: str, person: str = "nobody", **more: Any) -> list[str]:
        body = {"type": "user", "id": person, **more}
        answer = self.http.post(f"/v1/acme/projects/{self.name}/feeds/{feed}/data", json=body)
        assert answer.status_code == 200, answer.text
        return [product["id"] for product in answer.json()["products"]]

    def person(self, **asked: Any) -> httpx.Response:
        return self.http.post("/_sandbox/person", json={"org": "acme", "project": self.name, **asked})


@pytest.fixture
def shop(http: httpx.Client) -> Shop:
    return Shop(http)


@pytest.mark.parametrize("feed", SHARED_FEEDS)
def test_where_nothing_happened_they_are_empty(shop: Shop, feed: str) -> None:
    assert shop.feed(feed) == []
    assert shop.feed(feed, productId="A") == []


def test_best_selling_counts_orders_and_nothing_else(shop: Shop) -> None:
    shop.viewed(["C", "C", "C"])
    shop.ordered(["A"], "u1")
    shop.ordered(["B"], "u1")
    shop.ordered(["B"], "u2")
    assert shop.feed("best-selling") == ["B", "A"]
    assert shop.feed("best-selling", limit=1, offset=1) == ["A"]


def test_what_was_not_processed_sells_nothing(shop: Shop) -> None:
    shop.ordered(["A"], eventId="same")
    shop.ordered(["B"], eventId="same")
    shop.did("purchase", ["C"])
    assert shop.feed("best-selling") == ["A"]


def test_most_popular_weighs_an_order_more_than_an_add_and_an_add_more_than_a_view(shop: Shop) -> None:
    shop.viewed(["V", "V2", "V2"])
    shop.did("Added to cart", ["A", "gone"])
    shop.did("Removed from cart", ["gone", "never there"])
    shop.ordered(["O"])
    assert shop.feed("most-popular") == ["O", "A", "V2", "gone", "V"]


def test_viewed_together_goes_by_session_and_without_one_by_a_persons_day(shop: Shop) -> None:
    shop.viewed(["A", "B"], "u1", sessionId="s1")
    shop.viewed(["A", "B", "C"], "u2", sessionId="s2")
    shop.viewed(["D"], "u2", sessionId="s3")
    shop.viewed(["A", "E"], "u3", timestamp=20_000 * DAY)
    shop.viewed(["F"], "u3", timestamp=20_001 * DAY)
    assert shop.feed("viewed-together", productId="A") == ["B", "E", "C"]
    assert shop.feed("viewed-together", productId="D") == []


def test_purchased_together_demotes_what_is_bought_with_everything(shop: Shop) -> None:
    for number, products in enumerate(("A bag case", "A bag case", "A bag", "B bag", "C bag", "D bag", "E bag")):
        shop.ordered(products.split(), f"u{number}", timestamp=20_000 * DAY)
    assert shop.feed("purchased-together", productId="A") == ["case", "bag"]
    assert shop.feed("purchased-together", productId="B") == ["bag"]


def test_without_a_product_what_the_person_did_last_is_the_seed(shop: Shop) -> None:
    shop.viewed(["A", "B"], "u1", sessionId="s")
    shop.ordered(["X", "Y"], "u1")
    assert shop.feed("viewed-together", "u1") == ["A"]
    assert shop.feed("purchased-together", "u1") == ["X"]


def test_a_body_that_sqlite_cannot_read_is_viewed_all_the_same(shop: Shop) -> None:
    shop.viewed(["A"], "u1", timestamp=20_000 * DAY)
    deep: Any = []
    for _ in range(150):
        deep = [deep]
    shop.viewed(["B"], "u1", timestamp=20_000 * DAY, userAttributes={"deep": deep, "sessionId": 7})
    assert shop.feed("viewed-together", productId="A") == ["B"]


def test_they_look_back_on_so_many_events_and_no_further(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trends, "FEED_WINDOW_EVENTS", 2)
    shop.ordered(["A", "B", "C"])
    assert shop.feed("best-selling") == ["C", "B"]


# ── what it says of a person ─────────────────────────────────────────────────────────────────────────────────────────


def test_it_tells_of_a_person_what_was_processed_and_of_event_ids_why_they_were_not(shop: Shop) -> None:
    shop.viewed(["A"], eventId="one")
    shop.viewed(["B"], eventId="one")
    shop.did("Product viewed", [""], eventId="two")
    found = shop.person(by="userId", id="u1", eventIds=["one", "two", "three"]).json()
    assert [(event["eventId"], event["productId"]) for event in found["events"]] == [("one", "A")]
    assert found["events"][0]["client"].startswith("python-httpx")
    assert "was already used: repeat of event" in found["unprocessed"]["one"]
    assert "product id" in found["unprocessed"]["two"]
    assert "three" not in found["unprocessed"]
    assert shop.person(by="anotherUserId", id="u1").json() == {"events": [], "unprocessed": {}}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"by": "userId"},
        {"by": "email", "id": "u"},
        {"by": "userId", "id": "u", "eventIds": "x"},
        {"by": "userId", "id": "u", "eventIds": [1]},
        {"by": "userId", "id": "u", "eventIds": ["x"] * 1001},
    ],
    ids=repr,
)
def test_a_question_without_identity_is_400_with_a_sentence(shop: Shop, asked: dict[str, Any]) -> None:
    answer = shop.person(**asked)
    assert answer.status_code == 400
    assert answer.json()["message"].endswith(".")
