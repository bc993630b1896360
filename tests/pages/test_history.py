"""History without a browser: the list and its filters, a batch, resending, deleting, and links that lead nowhere."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from intempt_core.contract.outcome import Outcome
from intempt_core.history import AttemptEnd, AttemptStart, BatchSource, BatchState, History
from intempt_core.planning.plan import Policy
from intempt_core.targets.credential import Credential
from intempt_core.targets.target import SANDBOX, Target
from pages.parts.shared.services import close_services, get_services
from tests.core.history.factories import ME, SHOP, attempt, batch_of, event, intent, request
from tests.examples import keep_first_quick
from tests.pages.tabs import tab_at
from tests.pages.upload_steps import Upload


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """The history of a console with a data folder of its own, whose engine is not started."""
    monkeypatch.setenv("CONSOLE_DATA", str(tmp_path / "data"))
    yield get_services().history
    close_services()
    st.cache_resource.clear()


def opened(**params: str) -> Upload:
    """The History screen, opened cold with these query parameters."""
    app = tab_at("history.py")
    for name, text in params.items():
        app.query_params[name] = text
    return Upload(app).run()


def settle(history: History, batch: str, outcome: Outcome) -> None:
    ids = [found.id for found in history.queries.requests(batch).items]
    history.queue.apply_transitions([AttemptStart(id_) for id_ in ids], owner=ME)
    history.queue.apply_transitions([AttemptEnd(id_, attempt(outcome)) for id_ in ids], owner=ME)


def test_an_empty_history_shows_what_it_is_for_and_where_to_begin(history: History) -> None:
    screen = opened()
    assert "Nothing was sent yet." in screen.texts
    assert not screen.app.get("popover")  # nothing to delete, either


@pytest.mark.parametrize(
    "params",
    keep_first_quick(
        [
            {"batch": "nonsense"},
            {"batch": "b_000000000000000000000000"},
            {"batch": "\x00"},
            {"batch": "<img src=x onerror=alert(1)>"},
            {"request": "abc"},
            {"request": "0"},
            {"request": "-1"},
            {"request": "99999999999999999999"},
            {"request": "1e3"},
            {"request": "١"},
            {"batch": "b_1", "request": "[x](http://e.example)"},
        ],
        4,
    ),
    ids=repr,
)
def test_a_link_that_leads_nowhere_is_a_sentence_and_a_way_back(history: History, params: dict[str, str]) -> None:
    batch_of(history, [1])
    screen = opened(**params)
    kind = "request" if "request" in params else "batch"
    assert f"History knows no {kind} {params[kind]}." in screen.texts


@pytest.mark.parametrize(
    "params",
    keep_first_quick(
        [
            {"history-since": "yesterday"},
            {"history-target": "no-such-target"},
            {"history-source": "<b>"},
            {"history-outcome": "split"},
            {"history-text": "x" * 5_000},
            {"history-text": "\x00"},
            {"history-text": "'; DROP TABLE batches; --"},
        ],
        3,
    ),
    ids=lambda params: next(iter(params)) if isinstance(params, dict) else None,
)
def test_a_filter_in_a_link_that_makes_no_sense_brings_nothing_down(history: History, params: dict[str, str]) -> None:
    batch_of(history, [1])
    opened(**params)
    assert history.queries.batches().total == 1


@pytest.fixture
def four(history: History) -> dict[str, str]:
    """One batch of each source, with an outcome and a person each, the last one newest."""
    found = {}
    for number, (source, outcome) in enumerate(
        zip(BatchSource, (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.UNKNOWN, Outcome.NOT_SENT), strict=True)
    ):
        events = [event(1, event_id=f"id-{number}", user_id=f"person-{number}", product_id=f"product-{number}")]
        target = replace(SHOP, name=f"shop-{number % 2}")
        meant = intent(source=source, label=f"{source} label", rows=1, owner=ME, target=target, policy=Policy.GO_ON)
        found[source.value] = history.recorder.record(meant, [request(1, 1, events)])
        settle(history, found[source.value], outcome)
        time.sleep(0.002)
    return found


def table(screen: Upload, title: str = "Batches") -> list[list[str]]:
    """The cells of a table, row by row: each with its text, its badges and its note."""
    shown = [json.loads(element.proto.json) for element in screen.app.get("bidi_component") if element.proto.json]
    rows: list[dict[str, Any]] = next((one["rows"] for one in shown if one.get("title") == title), [])
    return [
        [" ".join([cell["text"], *(text for text, _ in cell["badges"]), cell["note"]]).strip() for cell in row["cells"]]
        for row in rows
    ]


def labels(screen: Upload) -> list[str]:
    """The batches of the list, from the top."""
    return [row[1].split(" label")[0] for row in table(screen)]


def test_the_list_is_newest_first(four: dict[str, str]) -> None:
    assert labels(opened()) == list(reversed(four))


@pytest.mark.parametrize(
    ("widget", "value", "remaining"),
    [
        ("history-target", "shop-1", ["command line", "file"]),
        ("history-source", "file", ["file"]),
        ("history-outcome", "unknown", ["payload"]),
        ("history-since", "last hour", ["command line", "payload", "file", "form"]),
    ],
)
def test_each_filter_leaves_what_fits(four: dict[str, str], widget: str, value: str, remaining: list[str]) -> None:
    screen = opened()
    screen.app.selectbox(key=widget).set_value(value)
    assert labels(screen.run()) == remaining


def test_a_link_of_an_earlier_version_still_filters_by_outcome(four: dict[str, str]) -> None:
    screen = opened(**{"history-outcome": "refused"})
    assert (screen.app.selectbox(key="history-outcome").value, labels(screen)) == ("rejected", ["file"])


def test_the_target_filter_says_what_targets_are_called_and_takes_an_old_link(history: History) -> None:
    for name in (SANDBOX, "shop"):
        batch_of(history, [1], label=f"{name} label", target=replace(SHOP, name=name))
    screen = opened(**{"history-target": SANDBOX})
    chosen = screen.app.selectbox(key="history-target")
    assert (chosen.options, chosen.value) == (["any target", "Sandbox", "shop"], SANDBOX)
    assert labels(screen) == [SANDBOX]


def test_time_filters_leave_out_what_is_older(history: History, four: dict[str, str]) -> None:
    history.database.clock = lambda: int((time.time() - 3 * 86_400) * 1000)
    batch_of(history, [1], label="old label")
    screen = opened()
    screen.app.selectbox(key="history-since").set_value("last day")
    assert "old" not in labels(screen.run())
    screen.app.selectbox(key="history-since").set_value("last 7 days")
    assert "old" in labels(screen.run())


@pytest.mark.parametrize("text", ["id-2", "person-2", "product-2", "  person-2  ", "payload lab", "AYLOAD"])
def test_a_search_finds_the_batch_of_an_event_a_person_or_a_product(four: dict[str, str], text: str) -> None:
    screen = opened()
    screen.app.text_input(key="history-text").set_value(text)
    assert labels(screen.run()) == ["payload"]


def test_a_search_takes_the_beginning_of_an_id_but_no_other_part(four: dict[str, str]) -> None:
    screen = opened()
    screen.app.text_input(key="history-text").set_value("person")
    assert labels(screen.run()) == list(reversed(four))
    screen.app.text_input(key="history-text").set_value("erson-2")
    assert "No batch matches. A search finds a part of a file's or run's name" in screen.run().texts


def test_a_filter_never_leaves_one_on_a_page_that_it_no_longer_has(history: History) -> None:
    for number in range(60):
        batch_of(history, [1], label=f"{number} label", source=BatchSource.FORM if number < 3 else BatchSource.FILE)
    screen = opened()
    screen.app.session_state["history-page"] = 3
    assert labels(screen.run()) == [str(number) for number in range(9, -1, -1)]
    screen.app.selectbox(key="history-source").set_value("form")
    assert labels(screen.run()) == ["2", "1", "0"]


def test_hostile_labels_are_shown_as_they_are(history: History) -> None:
    label = "**a** <script>x</script> [x](http://e.example) \u202etxt " + "y" * 5_000
    batch = batch_of(history, [1], label=label)
    shown = table(opened())[0][1]
    assert shown.startswith("**a** <script>x</script> [x](http://e.example) ⟨U+202E⟩txt yyyy")
    assert "…" in shown
    screen = opened(batch=batch)
    heading = screen.app.header[0].value
    assert "<script>" not in heading
    assert "](http" not in heading
    request_id = str(get_services().history.queries.requests(batch).items[0].id)
    opened(request=request_id)


def test_a_batch_shows_its_progress_and_a_request_what_was_sent_and_every_attempt(history: History) -> None:
    batch = batch_of(history, [2, 1], policy=Policy.GO_ON, persons=2)
    settle(history, batch, Outcome.REJECTED)
    screen = opened(batch=batch)
    assert "3 events of 2 users" in screen.texts
    assert "after an unknown outcome (may have arrived): go on" in screen.texts
    assert "■ 3 rejected" in screen.markdown
    screen = opened(request=str(history.queries.requests(batch).items[0].id))
    assert '{"track":["e1","e2"]}' in [code.value for code in screen.app.code]
    assert "It was rejected." in screen.texts


@pytest.fixture
def mixed(history: History) -> str:
    """A batch that is over: of 8 requests of 50 events half were accepted, and one of each went otherwise."""
    batch = batch_of(history, *[[50]] * 8, policy=Policy.GO_ON, persons=8, lanes=8)
    outcomes = [*[Outcome.ACCEPTED] * 4, Outcome.REJECTED, Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.NOT_SENT]
    for number, (found, outcome) in enumerate(zip(history.queries.requests(batch).items, outcomes, strict=True)):
        history.queue.apply_transitions([AttemptStart(found.id)], owner=ME)
        tried = attempt(outcome, elapsed_ms=100.0 * number, started_at=1_795_348_980_000 + 1_000 * number)
        history.queue.apply_transitions([AttemptEnd(found.id, tried)], owner=ME)
    history.control.set_state(batch, BatchState.DONE)
    return batch


def test_a_batch_shows_its_outcomes_over_time_and_its_slowest_responses(history: History, mixed: str) -> None:
    screen = opened(batch=mixed)
    assert (
        "8 seconds, at most 50 in one: ● 200 accepted, ■ 50 rejected, ◆ 50 unknown (may have arrived), ○ 100 not sent."
        in captions(screen)
    )
    slow = [line for line in screen.texts.splitlines() if " ms  " in line]
    assert slow[:2] == ["500 ms  ◆ no response", "400 ms  ■ 400"]
    assert len(slow) == 5


def captions(screen: Upload) -> str:
    return "\n".join(caption.value for caption in screen.app.caption)


def unfolded(screen: Upload, popover: str) -> Upload:
    """The screen with a popover open."""
    screen.app.session_state[popover] = True
    return screen.run()


def test_a_request_says_its_time_and_zone_without_brackets_in_brackets(history: History, mixed: str) -> None:
    screen = opened(request=str(history.queries.requests(mixed).items[0].id))
    (line,) = [text for text in screen.texts.splitlines() if "first attempt, at" in text]
    assert re.fullmatch(r"It was accepted\. 0 ms, first attempt, at 2026-11-22 12:03:00 UTC, \d+ days? ago\.", line)


def test_resolve_opens_a_batch_with_the_choices_for_resending_it(history: History, mixed: str) -> None:
    screen = opened().press(f"resolve-{mixed}")
    assert screen.app.query_params["batch"] == mixed
    assert screen.has(f"resend-send-{mixed}")
    assert history.queries.batches().total == 1, "nothing was sent"


def test_what_was_not_accepted_is_selected_first_with_a_plan_that_counts_it(history: History, mixed: str) -> None:
    screen = unfolded(opened(batch=mixed), f"resend-{mixed}")
    assert (
        "Of 200 events: 100 never arrived, 50 rejected, 50 unknown (may have arrived); the target deduplicates by event"
        " id: what it already has, it ignores."
    ) in screen.texts
    assert "4 requests, byte for byte as before, to Sandbox" in screen.texts
    assert "A rejected request will be rejected again unless the target has changed" in screen.texts
    assert screen.has(f"resend-send-{mixed}")


def test_a_production_target_needs_its_name_and_the_number_of_events(
    history: History, mixed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Target(
        "shop", "https://api.intempt.com", "acme", "shop", "1", production=True, origin="typed",
        credential=Credential.parse("a.b"), credential_reference="typed",
    )  # fmt: skip
    screen = opened(batch=mixed)
    screen.app.session_state["console"].typed_targets["shop"] = known
    screen.app.session_state["console"].next_target = "shop"
    unfolded(screen, f"resend-{mixed}")
    assert "the target does not deduplicate: a resend may double up to 50 events." in screen.texts
    assert not screen.has(f"resend-send-{mixed}")
    screen.app.text_input(key=f"resend-{mixed}-production-shop").set_value("shop")
    assert not screen.run().has(f"resend-send-{mixed}")
    screen.app.text_input(key=f"resend-{mixed}-production-number-shop").set_value("199")
    assert not screen.run().has(f"resend-send-{mixed}")
    screen.app.text_input(key=f"resend-{mixed}-production-number-shop").set_value("200")
    assert screen.run().has(f"resend-send-{mixed}")


def test_old_batches_are_deleted_after_a_preview_and_young_ones_are_kept(history: History) -> None:
    clock, days = history.database.clock, 86_400_000
    old = {}
    for age in (200, 40):
        history.database.clock = lambda age=age: int(time.time() * 1000) - age * days  # type: ignore[misc]  # a default binds it
        old[age] = batch_of(history, [3], policy=Policy.GO_ON, label=f"{age} label")
        settle(history, old[age], Outcome.ACCEPTED)
        history.control.set_state(old[age], BatchState.DONE)
    waits = batch_of(history, [1], label="waits label")
    history.control.set_state(waits, BatchState.PAUSED)
    history.database.clock = clock
    screen = unfolded(opened(), "history-clear")
    assert "1 batch with 3 events, from " in screen.texts
    screen.app.segmented_control(key="history-clear-age").set_value("1 month")
    screen.run()
    assert "2 batches with 6 events, from " in screen.texts
    assert "Not deleted: 1 older batch that is active or waiting for a decision." in screen.texts
    screen.press("history-clear-go")
    until = time.monotonic() + 20
    while not history.retention.deletion.is_finished and time.monotonic() < until:
        time.sleep(0.02)
    assert "Deleted 2 batches with 6 events." in screen.run().texts
    assert labels(screen) == ["waits"]


def test_a_batch_says_whether_the_webhook_of_its_target_was_told(history: History) -> None:
    silent = batch_of(history, [1])
    assert "Webhook" not in opened(batch=silent).texts
    batch = batch_of(history, [1], target=replace(SHOP, announces=True), digest="other")
    assert "Webhook: it is told when this batch has ended, stopped or was paused." in opened(batch=batch).texts
    history.control.set_state(batch, BatchState.PAUSED)
    assert "Webhook: “paused” is being delivered." in opened(batch=batch).texts
    (due,) = history.webhooks.list_due(1)
    claimed = history.webhooks.claim(due, b"{}", 1)
    assert claimed is not None
    history.webhooks.note_failure(claimed, "hooks.example answered 503.", 600_000)
    told = "Webhook: “paused” is not delivered yet (1 attempt). hooks.example answered 503. Tried again in "
    assert told in opened(batch=batch).texts
    history.webhooks.note_delivered(claimed)
    assert re.search(r"Webhook: “paused” was delivered at .+ \(1 attempt\)\.", opened(batch=batch).texts)
