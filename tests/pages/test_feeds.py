"""Feeds without a browser: links of any content, expected and actual feeds, a feed API that responds with anything."""

import json
import time
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest

from intempt_core.targets.target import TargetRegistry, derive_target_key
from intempt_core.validation import build_catalogue, read_catalogue_file
from pages.parts.shared.services import get_services
from tests.core.transport.fault_server import Behaviour, answers, closed_port, hostile, never_ends, resets_at_once, says
from tests.examples import keep_first_quick
from tests.pages.conftest import Screen
from tests.pages.tabs import tab_at

numbers = count(1)


@pytest.fixture
def person() -> str:
    """A person that no other test has: the sandbox is shared."""
    return f"person-{uuid4().hex}"


@pytest.fixture
def opened(tab: Callable[[str], Screen]) -> Callable[..., Screen]:
    """Opens the Feeds screen cold with these query parameters."""

    def open_(**params: str) -> Screen:
        app = tab_at("feeds.py")
        for name, text in params.items():
            app.query_params[name] = text
        return Screen(app).run()

    return open_


def sent(tab: Callable[[str], Screen], person: str, product: str = "SKU_1", by: str = "userId") -> Screen:
    """Compose's event of one person, sent and accepted: added to the cart."""
    compose = tab("compose.py")
    if by != "userId":
        compose.press(f"compose-show-{by}")
    compose.fill("compose-data-productId", product).fill(f"compose-{by}", person)
    return compose.send()


def elsewhere(
    sandbox_url: str, person: str, name: str, *products: str, event_id: str = "", key: str = "productId"
) -> None:
    """Another client sends an event of the same person for each product."""
    payload = [
        {"eventId": event_id or f"other-{uuid4().hex}", "userId": person, "data": {key: product}}
        for product in products
    ]
    httpx.post(
        f"{sandbox_url}/v1/sandbox/projects/sandbox/sources/1001/track",
        json={"track": [{"name": name, "payload": payload}]},
        auth=("sandbox", "sandbox"),
        headers={"user-agent": "another-client/1"},
    ).raise_for_status()


def find_components(screen: Screen, key: str) -> list[dict[str, Any]]:
    """The data of the components that have this key in it."""
    found = []
    for element in screen.app.get("bidi_component"):
        data = json.loads(element.proto.json or "{}")
        if key in data:
            found.append(data)
    return found


def component_data(screen: Screen, key: str) -> dict[str, Any]:
    (found,) = find_components(screen, key)
    return found


def shown_products(screen: Screen) -> dict[str, list[str]]:
    """The products of the tiles, by what they are called."""
    return {data["label"]: [tile["id"] for tile in data["tiles"]] for data in find_components(screen, "tiles")}


def next_second(screen: Screen) -> Screen:
    """The screen after more than a second: what is watched is read again then."""
    time.sleep(1.1)
    return screen.run()


def test_a_new_screen_shows_what_it_is_for_and_where_to_begin(opened: Callable[..., Screen]) -> None:
    screen = opened()
    assert "Enter the id of a user in any identity field" in screen.texts
    assert "Nothing was sent to Sandbox yet." in screen.texts
    assert "◆" not in screen.markdown


def test_the_person_of_the_last_event_is_one_click_away(tab: Callable[[str], Screen], person: str) -> None:
    sent(tab, person)
    screen = tab("feeds.py").press("feeds-last")
    assert screen.app.text_input(key="feeds-person").value == person
    assert screen.markdown.count("✓ matches") == 3


def test_a_link_opens_cold(tab: Callable[[str], Screen], opened: Callable[..., Screen], person: str) -> None:
    sent(tab, person, "SKU_77")
    screen = opened(target="sandbox", by="userId", person=person)
    assert shown_products(screen) == {"Recently Added to Cart, shown": ["SKU_77"]}
    assert screen.app.query_params["person"] == person
    assert "1 event of this user reached the sandbox or was sent here, all sent by this console." in screen.texts


@pytest.mark.parametrize(
    ("params", "sentence"),
    keep_first_quick(
        [
            ({"target": "<b>shop", "by": "userId", "person": "u1"}, "There is no target <b>shop"),
            ({"target": "sandbox", "by": "email", "person": "u1"}, "The link names email, which is no identity field"),
            ({"by": "userId", "person": "x" * 5000}, "This id has 5,000 characters"),
            ({"by": "userId"}, "Enter the id of a user"),
            ({"person": "\x00"}, "Enter the id of a user"),
            ({"person": "\u200b"}, "Enter the id of a user"),
            ({"person": "[x](http://e.example)"}, "Nothing reached the sandbox for this user"),
            ({"person": "'; DROP TABLE events; --"}, "Nothing reached the sandbox for this user"),
            ({"by": "accountId", "person": "\u202egnirts"}, "Nothing reached the sandbox for this user"),
        ],
        3,
    ),
    ids=repr,
)
def test_a_link_that_makes_no_sense_is_a_sentence(
    opened: Callable[..., Screen], params: dict[str, str], sentence: str
) -> None:
    assert sentence in opened(**params).texts


def test_what_another_client_sent_is_known_and_explained(
    tab: Callable[[str], Screen], opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    sent(tab, person, "SKU_1")
    elsewhere(sandbox_url, person, "Added to cart", "SKU_2")
    elsewhere(sandbox_url, person, "Removed from cart", "SKU_1")
    screen = opened(by="userId", person=person)
    assert screen.markdown.count("✓ matches") == 3
    assert shown_products(screen) == {"Recently Added to Cart, shown": ["SKU_2"]}
    assert (
        "3 events of this user reached the sandbox or were sent here, 2 of them sent by other clients." in screen.texts
    )
    assert "◌ SKU_1 is not in Recently Added to Cart: its “Removed from cart” at" in screen.texts
    assert "from another-client/1 was processed, after the “Added to cart” at" in screen.texts


def test_why_a_product_is_not_shown_is_answered_first_for_an_event_of_an_application(
    opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    """An application repeated an id and misspelt a key, and the console sent nothing."""
    elsewhere(sandbox_url, f"{person}-9", "Product viewed", "A1", event_id=f"evt-{person}")
    elsewhere(sandbox_url, person, "Added to cart", "SKU_9", event_id=f"evt-{person}")
    elsewhere(sandbox_url, person, "Added to cart", "SKU_10", key="productID")
    screen = opened(by="userId", person=person, product="SKU_9", feed="recently-added-to-cart")
    assert "■ not shown" in screen.markdown
    assert f"repeated the id evt-{person}, already used at" in screen.texts
    assert f"by {person}-9, in “Product viewed” of A1." in screen.texts
    assert screen.has("feeds-new-id")
    screen.fill("feeds-product", "SKU_10")
    assert "because it gives SKU_10 as “data.productID”, not as “data.productId”." in screen.texts
    assert screen.app.query_params["product"] == "SKU_10"


def test_the_button_that_only_opens_compose_is_no_button_that_sends(
    opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    """What is red on a production target has a key that ends in “send” around it."""
    elsewhere(sandbox_url, f"{person}-9", "Product viewed", "A1", event_id=f"evt-{person}")
    elsewhere(sandbox_url, person, "Added to cart", "SKU_9", event_id=f"evt-{person}")
    screen = opened(by="userId", person=person, product="SKU_9", feed="recently-added-to-cart")
    button = screen.app.button(key="feeds-new-id")
    assert "-send" not in str(button.key)
    assert button.proto.type == "secondary"


def test_the_question_is_offered_persons_used_before_and_products_of_the_catalogue(
    opened: Callable[..., Screen], tab: Callable[[str], Screen], person: str
) -> None:
    sent(tab, person)
    rows = "".join(f"{number},Brush {number}\n" for number in range(100, 200)).encode()
    file = read_catalogue_file(b"productId,name\nSKU_1,Lipstick 04\n" + rows, name="items.csv")
    target = derive_target_key(get_services().targets["sandbox"])
    get_services().catalogues.save(target, build_catalogue(file, "productId", ["name"]))
    offered = {data["field"]: data for data in find_components(opened(), "isAsked")}
    assert offered["feeds-person"]["options"][0] == {"value": person, "name": ""}
    assert len(offered["feeds-product"]["options"]) == 20
    assert offered["feeds-product"]["hint"] == "20 of 101 products: type more to find others."
    by_profile = {data["field"]: data for data in find_components(opened(by="profileId"), "isAsked")}
    assert "feeds-person" not in by_profile  # no event named a profile


def test_the_tiles_of_feeds_lead_to_the_event_that_put_the_product_there(
    opened: Callable[..., Screen], tab: Callable[[str], Screen], sandbox_url: str, person: str
) -> None:
    sent(tab, person, "SKU_1")
    elsewhere(sandbox_url, person, "Added to cart", "SKU_2")
    screen = opened(by="userId", person=person)
    tiles = {
        tile["id"]: tile["link"]
        for data in find_components(screen, "tiles")
        if data["label"].startswith("Recently Added to Cart")
        for tile in data["tiles"]
    }
    assert (tiles["SKU_1"]["path"], list(tiles["SKU_1"]["params"])) == ("history", ["event"])
    assert (tiles["SKU_2"]["path"], list(tiles["SKU_2"]["params"])) == ("watch", ["event"])
    history = tab("history.py")
    history.app.query_params["event"] = tiles["SKU_1"]["params"]["event"]
    assert "Added to cart · SKU_1" in history.run().texts


def test_the_reason_of_an_ignored_event_is_not_folded(
    opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    """It once stood under a grey line."""
    elsewhere(sandbox_url, person, "Product viewed", "SKU_1", event_id=f"evt-{person}")
    elsewhere(sandbox_url, person, "Product viewed", "SKU_2", event_id=f"evt-{person}")
    screen = opened(by="userId", person=person)
    assert "◌ SKU_2 is not in Recently Viewed: its “Product viewed” at" in screen.texts
    assert "already used at" in screen.texts
    folded = [text.value for expander in screen.app.expander for text in expander.text]
    assert not any("SKU_2" in text for text in folded)


def test_a_live_target_opens_with_what_cannot_be_known(opened: Callable[..., Screen]) -> None:
    with hostile(answers(200, PRODUCTS % b"")) as server:
        screen = at_shop(opened, server.url).fill("feeds-product", "SKU_9")
    assert screen.texts.index("Only what this console sent is known here.") < screen.texts.index("SKU_9 is not in")
    assert "◆ not shown, the reason is not certain" in screen.markdown


def test_every_event_is_a_mark_and_a_row_and_an_ignored_one_is_hollow(
    opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    elsewhere(sandbox_url, person, "Product viewed", "SKU_1")
    elsewhere(sandbox_url, person, "Bought", "SKU_1")
    data = component_data(opened(by="userId", person=person), "lanes")
    assert data["lanes"] == ["viewed", "added", "removed", "ordered", "other"]
    assert [(mark["lane"], mark["look"]) for mark in data["marks"]] == [(0, "full"), (4, "hollow")]
    assert "processed: put it into Recently Viewed. Sent by another-client/1" in data["marks"][0]["sentence"]
    assert all(len(mark["cells"]) == len(data["heads"]) for mark in data["marks"])


def test_two_thousand_events_are_drawn_a_hundred_at_a_time(
    opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    elsewhere(sandbox_url, person, "Product viewed", *(f"P{number}" for number in range(2_000)))
    screen = opened(by="userId", person=person, product="P7", feed="recently-viewed")
    data = component_data(screen, "lanes")
    assert [mark["number"] for mark in data["marks"]] == [8]  # alone, because it would be lost among all
    screen.app.button_group(key="feeds-timeline-filter").set_value("All 2,000")
    assert [mark["number"] for mark in component_data(screen.run(), "lanes")["marks"]] == list(range(1_901, 2_001))


def test_refresh_reads_the_feeds_again(
    tab: Callable[[str], Screen], opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    sent(tab, person)
    screen = opened(by="userId", person=person)
    elsewhere(sandbox_url, person, "Product viewed", "SKU_3")
    assert shown_products(screen.run()) == {"Recently Added to Cart, shown": ["SKU_1"]}
    assert shown_products(screen.press("feeds-refresh"))["Recently Viewed, shown"] == ["SKU_3"]


def test_no_feed_is_read_by_another_user_id_and_the_screen_shows_why(
    tab: Callable[[str], Screen], opened: Callable[..., Screen], person: str
) -> None:
    sent(tab, person, "SKU_5", by="anotherUserId")
    screen = opened(by="anotherUserId", person=person)
    assert "no feed can be read by anotherUserId" in screen.markdown
    assert shown_products(screen) == {"Recently Added to Cart, expected": ["SKU_5"]}
    assert screen.markdown.count("expected only, not read") == 3


def test_a_watched_feed_shows_what_it_gains_and_never_that_nothing_happened(
    tab: Callable[[str], Screen], opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    sent(tab, person, "SKU_1")
    screen = opened(by="userId", person=person).press("feeds-watch")
    assert "Recently Viewed: No change yet after" in screen.texts
    elsewhere(sandbox_url, person, "Product viewed", "SKU_9")
    refreshed = next_second(screen)
    assert "Recently Viewed: “SKU_9” is now #1." in refreshed.texts
    assert shown_products(refreshed)["Recently Viewed, shown"] == ["SKU_9"]  # the card follows
    assert "Since you started watching" not in screen.press("feeds-unwatch").markdown


def test_compose_shows_which_places_its_event_gained(tab: Callable[[str], Screen], person: str) -> None:
    texts = sent(tab, person, "SKU_1").texts
    assert "Recently Added to Cart\n“SKU_1” is now #1." in texts
    assert "Recently Viewed\nNo change, as expected." in texts


def test_the_global_feeds_are_read_and_called_an_approximation(
    tab: Callable[[str], Screen], opened: Callable[..., Screen], sandbox_url: str, person: str
) -> None:
    elsewhere(sandbox_url, person, "Product ordered", "BEST")
    screen = opened(by="userId", person=person).press("feeds-load-shared")
    assert "approximates them" in screen.texts
    assert "BEST" in shown_products(screen)["Best Selling, shown"]
    assert "Best Selling" in screen.texts


def test_the_conversion_of_a_batch_is_in_words_beside_its_chart(
    tab: Callable[[str], Screen], opened: Callable[..., Screen], person: str
) -> None:
    sent(tab, person)
    batch = get_services().history.queries.batches().items[0].id
    screen = opened(batch=batch)
    assert "1 accepted event of 1 person" in screen.texts
    assert "Added: 1 person (100.0%), 1 of them without the previous stage" in screen.texts
    assert "Viewed: 0 persons (0.0%)" in screen.texts


@pytest.mark.parametrize("batch", ["nonsense", "\x00", "<img src=x onerror=alert(1)>"], ids=repr)
def test_a_link_to_no_batch_is_a_sentence(opened: Callable[..., Screen], batch: str) -> None:
    assert f"History knows no batch {batch}." in opened(batch=batch).texts


def test_an_id_that_holds_a_targets_key_is_not_looked_up_and_in_no_link(opened: Callable[..., Screen]) -> None:
    with hostile(answers(200, b'{"products": []}')) as server:
        screen = at_shop(opened, server.url).fill("feeds-person", "prefix.secret99")
        asked = len(server.received)
        assert "This holds a target's key." in screen.texts
        assert len(server.received) == asked
    assert "person" not in screen.app.query_params


PRODUCTS = b'{"products": [%s]}'


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    keep_first_quick([
        (answers(200, b"<html><title>Gateway</title></html>"), "but not with JSON: an HTML page. It says: Gateway"),
        (answers(200, b"\xff\xfe\x00garbage"), "but not with JSON"),
        (answers(200, b"[]"), "but without a list of products"),
        (answers(200, b'{"products": {"id": "1"}}'), "but without a list of products"),
        (answers(200, PRODUCTS % b'{"title": "no id"}'), "product 1 of its list has no id"),
        (answers(200, PRODUCTS % b"null, 7"), "product 1 of its list has no id"),
        (answers(200, b"[" * 100_000), "but not with JSON"),
        (answers(200, PRODUCTS % b",".join([b'{"id": "x"}'] * 200_000)), "the response is too long to be read"),
        (answers(500, b"oh"), "answered 500"),
        (answers(400, b"Name is null"), "may not be known there"),
        (says(b"\x00\x01 not http at all\r\n\r\n"), "something that is not HTTP"),
        (resets_at_once, "closed the connection"),
        (never_ends, "the response"),
    ], 4),
    ids=[
        "page", "bytes", "list", "object", "no id", "null", "deep", "huge", "500", "400", "no http", "reset", "endless",
    ],
)  # fmt: skip
def test_any_response_of_a_feed_api_is_a_sentence(
    opened: Callable[..., Screen], behaviour: Behaviour, sentence: str
) -> None:
    with hostile(behaviour) as server:
        screen = at_shop(opened, server.url)
        assert sentence in screen.texts
        assert screen.markdown.count("◆ could not be read") == 3


def test_a_feed_with_ids_that_are_anything_shows_them_as_they_are(opened: Callable[..., Screen]) -> None:
    body = PRODUCTS % b'{"id": "[x](http://e)"}, {"id": 18415031129180487681}, {"id": "\\ud800"}, {"id": ""}'
    with hostile(answers(200, body)) as server:
        screen = at_shop(opened, server.url)
    assert shown_products(screen)["Recently Viewed, shown"][:2] == ["[x](http://e)", "18415031129180487681"]


def test_a_closed_port_is_a_sentence(opened: Callable[..., Screen]) -> None:
    assert "nothing listens at this port" in at_shop(opened, f"http://127.0.0.1:{closed_port()}").texts


def at_shop(opened: Callable[..., Screen], url: str) -> Screen:
    """The Feeds screen of a live target at ``url``."""
    screen = opened()
    feeds = {"recently-viewed": "1", "recently-added-to-cart": "2", "recently-purchased": "3"}
    given = {"host": url, "org": "o", "project": "p", "source": "s", "key": "prefix.secret99", "production": False}
    shop = TargetRegistry.from_sources({"targets": {"shop": given | {"feeds": feeds}}}, {}, "").get("shop")
    assert derive_target_key(shop) not in ("", "sandbox")
    assert get_services().history.persons.person_history(derive_target_key(shop), "userId", "u1").events == ()
    session = screen.app.session_state["console"]
    session.typed_targets["shop"], session.next_target = shop, "shop"
    get_services().typed_targets[shop.credential_reference] = shop
    return screen.run().fill("feeds-person", "u1")
