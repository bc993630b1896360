"""Events are saved as a journey from History, Inspect and Sandbox by one button, which leads to a name on Compose."""

import json
from collections.abc import Callable

import pytest

from intempt_core.contract import Json
from intempt_core.journeys import Journey
from pages.parts.shared.sandbox_connection import get_sandbox_client
from pages.parts.shared.services import get_services
from tests.pages.conftest import Screen
from tests.pages.tabs import tab_at


def body(*persons: str, name: str = "Added to cart") -> str:
    """A request with an event of each of these persons."""
    events: list[Json] = [
        {"eventId": f"e{number}", "userId": person, "data": {"productId": "SKU_1"}}
        for number, person in enumerate(persons)
    ]
    return json.dumps({"track": [{"name": name, "payload": events}]})


def save(screen: Screen, button: str, name: str) -> Journey:
    """Press a button that saves; Compose then asks for a name, which is typed at once. The journey."""
    screen.press(button).go("compose.py").fill("compose-save-name", name).press("compose-save-now")
    return get_services().history.journeys.get(name)


def history_at(**params: str) -> Screen:
    app = tab_at("history.py")
    for name, text in params.items():
        app.query_params[name] = text
    return Screen(app).run()


@pytest.fixture
def batch(inspect: Screen) -> str:
    """A batch of one request with two events of one person."""
    inspect.paste(body("u1", "u1")).send("inspect-send")
    assert inspect.inspect_state.guard.batch
    return inspect.inspect_state.guard.batch


def test_a_batch_and_a_request_of_one_person_are_saved_from_history(batch: str) -> None:
    request = get_services().history.queries.requests(batch).items[0].id
    for screen, button in (
        (history_at(batch=batch), "history-batch-journey"),
        (history_at(request=str(request)), "history-journey"),
    ):
        saved = save(screen, button, f"By {button}")
        assert (saved.person, saved.product) == ({"userId": "u1"}, {"data.productId": "SKU_1"})
        assert [event.name for event in saved.events] == ["Added to cart"] * 2
        assert "eventId" not in json.dumps([dict(event.values) for event in saved.events]), "ids are made at each send"
    assert get_services().history.queries.batches().total == 1, "nothing was sent"


def test_a_batch_of_several_persons_is_no_journey(inspect: Screen) -> None:
    inspect.paste(body("u1", "u2"))
    assert not inspect.has("inspect-journey")
    inspect.send("inspect-send")
    batch = inspect.inspect_state.guard.batch or ""
    assert not history_at(batch=batch).has("history-batch-journey")
    for request in get_services().history.queries.requests(batch).items:
        screen = history_at(request=str(request.id))
        assert screen.has("history-compose")
        assert screen.has("history-journey") == (request.events == 1)


def test_pasted_events_of_one_person_are_saved_from_inspect(inspect: Screen) -> None:
    saved = save(inspect.paste(body("u9", name="Product viewed")), "inspect-journey", "Pasted")
    assert (saved.person, [event.name for event in saved.events]) == ({"userId": "u9"}, ["Product viewed"])


def test_more_events_than_a_journey_has_are_not_offered_to_be_saved(inspect: Screen) -> None:
    assert inspect.paste(body(*["u1"] * 50)).has("inspect-journey")
    assert not inspect.paste(body(*["u1"] * 51)).has("inspect-journey")


def test_an_event_that_reached_the_sandbox_is_saved_from_there(tab: Callable[[str], Screen], batch: str) -> None:
    assert batch, "it was sent"
    screen = tab("compose.py").go("sandbox.py")
    arrived = [row.seq for row in get_sandbox_client().read_live(text="u1").rows if row.seq is not None]
    screen.app.query_params["event"] = str(arrived[0])
    saved = save(screen.run(), "sandbox-event-journey", "Arrived")
    assert (saved.person, [event.name for event in saved.events]) == ({"userId": "u1"}, ["Added to cart"])
