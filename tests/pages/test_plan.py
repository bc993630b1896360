"""The plan of a file: events are recorded in the order that it shows."""

import json

import pytest

from intempt_core.planning.plan import EventOrder
from pages.parts.shared.services import get_services
from tests.pages.upload_steps import Upload, csv_of


def rows(*times: int, person: str = "u1") -> list[str]:
    return [f"Product viewed,e{n},{person},p,{1_714_631_904_000 + time},1" for n, time in enumerate(times)]


@pytest.mark.parametrize(("order", "sent"), [("file", ["e0", "e1", "e2"]), ("time", ["e2", "e0", "e1"])])
def test_events_are_sent_in_the_order_that_was_chosen(upload: Upload, order: str, sent: list[str]) -> None:
    upload.drop(csv_of(*rows(5, 9, 1))).press("upload-settle")
    upload.app.segmented_control(key="upload-order").set_value(EventOrder(order))
    upload.run().press("upload-send")
    batch = get_services().history.queries.batches().items[0]
    (request,) = get_services().history.queries.requests(batch.id).items
    body = json.loads(get_services().history.queries.request(request.id).body)
    assert [event["eventId"] for event in body["track"][0]["payload"]] == sent
    assert batch.notes == ({"order": "time"} if order == "time" else {})


def test_a_file_without_times_offers_no_order(upload: Upload) -> None:
    upload.drop(csv_of("Product viewed,e1,u1,p", header="name,eventId,userId,productId")).press("upload-settle")
    assert "upload-order" not in [control.key for control in upload.app.segmented_control]
    assert upload.has("upload-send")


def test_a_lane_that_holds_most_of_a_file_is_shown_before_the_start(upload: Upload) -> None:
    few = [f"Product viewed,f{n},other{n},p,1714631904000,1" for n in range(100)]
    upload.drop(csv_of(*rows(*range(150), person="busy"), *few)).press("upload-settle")
    assert (
        "One lane holds 150 of 250 events, 150 of them one person's: a person's events go one after another."
        in upload.texts
    )


def test_rows_that_repeat_another_are_skipped_in_one_click(upload: Upload) -> None:
    row = "Product viewed,u1,p1"
    upload.drop(csv_of(row, "Product viewed,u2,p1", row, row, header="name,userId,productId")).press("upload-settle")
    assert "4 events · 2 users" in upload.texts
    choice = upload.app.checkbox(key="upload-skip-repeated")
    assert (choice.label, choice.value) == ("Skip 2 rows that repeat another in every cell", False)
    choice.set_value(True)
    upload.run()
    assert "2 events · 2 users" in upload.texts
    assert "2 rows skipped: which, and why" in [expander.label for expander in upload.app.expander]
    assert set(upload.app.dataframe[-1].value["reason"]) == {"row repeats another in every cell"}
    upload.press("upload-send")
    batch = get_services().history.queries.batches().items[0]
    assert (batch.total, batch.excluded_rows) == (2, 2)
    assert batch.notes == {"row repeats another in every cell, excluded": 2}
    codes = {row.codes for row in get_services().history.outcomes.rows(batch.id) if row.state is None}
    assert codes == {("row_repeated",)}


def test_a_file_without_repeats_offers_nothing_to_skip(upload: Upload) -> None:
    upload.drop(csv_of("Product viewed,u1,p1", header="name,userId,productId")).press("upload-settle")
    assert not upload.has("upload-skip-repeated")
