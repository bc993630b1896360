"""What became of a send, on every screen: green only as far as it is true, and the next useful thing beside it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import streamlit as st

from intempt_core.history import BatchState, RequestState, RequestSummary, VerdictCounts
from pages.parts.shared.result_view import describe_batch_result
from pages.parts.shared.services import close_services, get_services
from pages.parts.shared.waiting_view import describe_wait
from tests.core.dispatch.factories import decides
from tests.core.transport.fault_server import Received, answers, hostile, http
from tests.pages.conftest import Screen
from tests.pages.test_compose import hangs, ready
from tests.pages.test_targets import KEY, use


def steps_of(screen: Screen) -> list[str]:
    """The badges of the result's line, with their shapes."""
    plain = screen.markdown.replace(":color[\\:]", ":")  # a colon that can begin nothing
    line = next(line for line in plain.splitlines() if "-badge[" in line and "Accepted" in line)
    return [step.replace("\\", "") for step in re.findall(r"-badge\[((?:[^\]\\]|\\.)*)\]", line)]


def person() -> str:
    return f"u{uuid4().hex}"


def announced(screen: Screen) -> list[dict[str, Any]]:
    """What the announcing component was given."""
    return [
        json.loads(element.proto.json)
        for element in screen.app.get("bidi_component")
        if element.proto.component_name.endswith("announcement")
    ]


def test_a_first_event_goes_through_all_three_steps(compose: Screen) -> None:
    ready(compose, person(), "SKU_987").send()
    assert steps_of(compose) == ["● Accepted", "● Processed", "● Feed as expected"]
    assert "Worked: SKU_987 is now first in Recently Added to Cart." in compose.texts
    (told,) = announced(compose)
    assert told["message"].startswith("Accepted, Processed, Feed as expected. Worked: SKU_987")
    assert told["place"] == told["focusToken"]


def test_an_event_under_an_id_that_was_used_before_is_ignored_and_sent_with_a_new_id_by_one_button(
    compose: Screen,
) -> None:
    who, other = person(), person()
    id_ = ready(compose, other, "SKU_1", details=True).app.text_input(key="compose-1-eventId").value or ""
    compose.send().compose_state.guard.settled_at = 0.0
    compose.compose_state.replaced_at -= 5
    compose.fill("compose-1-eventId", id_)
    ready(compose, who, "SKU_TOMORROW").send()
    first, second = steps_of(compose)
    assert first == "● Accepted"
    assert re.fullmatch(rf"◆ Ignored: duplicate event id, used \d\d:\d\d:\d\d by {other}", second)
    assert "It changed no feed" in compose.texts
    assert "Worked" not in compose.texts
    (again,) = [button.key for button in compose.app.button if str(button.key).endswith("-again")]
    compose.send(str(again))
    assert steps_of(compose) == ["● Accepted", "● Processed", "● Feed as expected"]
    assert "Worked: SKU_TOMORROW is now first in Recently Added to Cart." in compose.texts


def test_what_never_left_is_not_told_as_sent_and_is_tried_again_by_one_button(targets: Screen) -> None:
    with hostile(answers(201, b"{}")) as server:
        url = server.url
    use(targets, "shop", url).go("compose.py")
    ready(targets).send()
    assert "○ Not sent" in targets.markdown
    assert "Nothing left this machine." in targets.texts
    assert re.search(r"1 event, \d+ bytes, not sent", targets.markdown)
    (again,) = [button for button in targets.app.button if str(button.key).endswith("-again")]
    assert again.label == "Try again"


def test_a_rejected_request_ends_at_the_first_step(targets: Screen) -> None:
    with hostile(answers(401, b'{"message": "no"}')) as server:
        use(targets, "shop", server.url).go("compose.py")
        ready(targets).send()
    line = next(line for line in targets.markdown.splitlines() if "Rejected" in line)
    assert "Processed" not in line
    assert "It has no effect." in targets.texts


def test_a_live_target_without_feed_ids_cannot_be_asked(targets: Screen) -> None:
    with hostile(answers(201, b"{}")) as server:
        use(targets, "shop", server.url).go("compose.py")
        ready(targets).send()
    assert steps_of(targets) == [
        "● Accepted",
        "? Not known: this target cannot be asked",
        "? Feed not known: the feed ids of this target are not known",
    ]


def test_on_a_live_target_a_feed_that_does_not_show_it_proves_nothing_and_one_that_does_proves_that_it_is_processed(
    tab: Callable[[str], Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    def respond(received: Received) -> bytes:
        products = [{"id": product} for product in shown]
        return (
            http(201, b"{}")
            if received.path.endswith("/track")
            else http(200, json.dumps({"products": products}).encode())
        )

    with hostile(decides(respond)) as server:
        given = {"HOST": server.url, "ORG": "acme", "PROJECT": "shop", "SOURCE": "1", "KEY": KEY, "PRODUCTION": "false",
                 "FEEDS": "recently-added-to-cart=77"}  # fmt: skip
        for name, text in given.items():
            monkeypatch.setenv(f"CONSOLE_TARGET_LIVE_{name}", text)
        close_services()
        st.cache_resource.clear()
        get_services().start(durable=False)
        screen = tab("compose.py")
        screen.app.selectbox(key="target").set_value("live")
        screen.run()
        ready(screen, person(), "SKU_1").send()
        assert steps_of(screen) == ["● Accepted", "? Processed: not known", "… Feed: not shown yet"]
        clock = r"\d\d:\d\d:\d\d"
        waits = rf"SKU_1 in Recently Added to Cart: not shown yet, asked ({clock}), will ask until ({clock})\."
        found = re.search(waits, screen.texts)
        assert found
        asked, until = (datetime.strptime(text, "%H:%M:%S").replace(tzinfo=UTC) for text in found.groups())
        assert 595 <= (until - asked).seconds <= 605
        shown.append("SKU_1")
        screen.run()
        assert steps_of(screen) == ["● Accepted", "● Processed: a feed shows it", "● Feed as expected"]
        assert "Worked: SKU_1 is now first in Recently Added to Cart." in screen.texts


def test_history_shows_the_same_steps_of_a_request_and_does_not_announce_what_another_tab_sent(
    compose: Screen, tab: Callable[[str], Screen]
) -> None:
    ready(compose, person(), "SKU_987").send()
    batch = compose.compose_state.guard.batch or ""
    (request,) = get_services().history.queries.requests(batch).items
    other = tab("history.py")
    other.app.query_params["request"] = str(request.id)
    other.run()
    assert steps_of(other) == ["● Accepted", "● Processed", "● Feed as expected"]
    assert announced(other) == []


def test_inspect_shows_the_same_steps(inspect: Screen) -> None:
    event = {"eventId": f"e{uuid4().hex}", "userId": person(), "data": {"productId": "A1"}}
    inspect.paste(json.dumps({"track": [{"name": "Product viewed", "payload": [event]}]})).send("inspect-send")
    assert steps_of(inspect) == ["● Accepted", "● Processed", "● Feed as expected"]


def test_the_batch_keeps_how_many_were_processed_and_ignored(compose: Screen) -> None:
    ready(compose, person()).send()
    batch = get_services().history.queries.batch(compose.compose_state.guard.batch or "")
    assert (batch.processed, batch.ignored, batch.unjudged) == (1, 0, 0)
    compose.compose_state.guard.settled_at = 0.0
    compose.send("compose-same")
    batch = get_services().history.queries.batch(compose.compose_state.guard.batch or "")
    assert (batch.processed, batch.ignored, batch.repeated) == (0, 1, 1)
    (request,) = get_services().history.queries.requests(batch.id).items
    (attempt,) = get_services().history.queries.request(request.id).attempts
    assert (attempt.processed, attempt.ignored) == (0, 1)


@pytest.mark.parametrize(
    ("tries", "state", "retry_at", "sentence"),
    [
        (0, RequestState.IN_FLIGHT, None, "Attempt 1 of 5, waiting for a response (up to 20 s)"),
        (1, RequestState.IN_FLIGHT, None, "Attempt 2 of 5, waiting for a response (up to 20 s)"),
        (1, RequestState.PENDING, 3_500, "Attempt 2 of 5 in 2.5 s. 1 attempt so far: It is busy."),
        (0, RequestState.PENDING, None, "Attempt 1 of 5, about to be sent"),
        (5, RequestState.IN_FLIGHT, None, "Attempt 6 of 6, waiting for a response (up to 20 s)"),
    ],
)
def test_a_wait_says_which_attempt_it_is_and_for_how_long(
    tries: int, state: RequestState, retry_at: int | None, sentence: str
) -> None:
    request = RequestSummary(1, "b", 1, 1, "", 1, state, tries, False, retry_at, 0, None, None, "It is busy.")
    assert describe_wait(request, 5, 20.0, 1_000) == sentence


def test_a_batch_is_told_in_counts_and_green_is_only_what_is_true(compose: Screen) -> None:
    ready(compose, person()).send()
    found = get_services().history.queries.batch(compose.compose_state.guard.batch or "")
    states = {RequestState.ACCEPTED: 95_063, RequestState.UNKNOWN: 183, RequestState.REJECTED: 3}
    accepted, unknown = RequestState.ACCEPTED, RequestState.UNKNOWN
    sandbox = replace(found, events=states, verdicts={accepted: VerdictCounts(94_900, 163, 163)})
    whole = (
        "● 94,900 accepted and processed · ◆ 163 ignored: duplicates · ■ 3 rejected · ◆ 183 unknown (may have arrived)"
    )
    assert describe_batch_result(sandbox) == whole
    asked = replace(sandbox, verdicts={**sandbox.verdicts, unknown: VerdictCounts(100, 20, 20)})
    assert describe_batch_result(asked) == (
        f"{whole} · ● 100 of the unknown arrived and are processed"
        " · ◆ 20 of the unknown arrived and are ignored: duplicates"
    )
    assert (asked.processed, asked.ignored, asked.unjudged) == (95_000, 183, 0)
    partly = replace(found, events={accepted: 95_063}, verdicts={accepted: VerdictCounts(95_000)})
    assert describe_batch_result(partly) == (
        "● 95,000 accepted and processed · ● 63 accepted · ? of these 63 not known whether processed"
    )
    live = replace(found, events={RequestState.ACCEPTED: 95_063}, verdicts={})
    assert describe_batch_result(live) == "● 95,063 accepted · ? not known whether processed"
    some = replace(found, events={RequestState.ACCEPTED: 10}, verdicts={accepted: VerdictCounts(5, 5, 2)})
    assert describe_batch_result(some) == "● 5 accepted and processed · ◆ 5 ignored: 2 of them duplicates"
    again = replace(found, events={RequestState.UNKNOWN: 3_119}, verdicts={},
                    resolved={RequestState.UNKNOWN: 3_119})  # fmt: skip
    assert describe_batch_result(again) == "◆ 3,119 resolved"


def test_a_wait_for_a_response_is_ended_by_its_button(targets: Screen) -> None:
    with hostile(hangs) as server:
        use(targets, "shop", server.url).go("compose.py")
        ready(targets).press("compose-send")
        batch = targets.compose_state.guard.batch or ""
        if targets.has(f"stop-waiting-{batch}"):
            targets.press(f"stop-waiting-{batch}")
        for _ in range(200):
            if not targets.run().compose_state.guard.is_sending:
                break
    assert "◆ Unknown (may have arrived)" in targets.markdown.replace("\\", "")
    assert "A person stopped waiting for the response. The events may have arrived." in targets.texts
    assert get_services().history.queries.batch(batch).state is BatchState.CANCELLED
