"""What Upload shows of cells and counts: nothing that is cut looks whole, and nothing is counted that is not sent."""

import json
import re
from typing import Any

from intempt_core.contract.outcome import Outcome
from intempt_core.history import AttemptEnd, AttemptStart
from pages.parts.shared.services import get_services
from tests.core.history.factories import attempt
from tests.pages.upload_steps import Upload, csv_of, good_rows, grid

LONG_NAME, LONG_ID = "appliances.environment.water_heater", "463240a1-9d5f-4f6b-8b0e-0c7d3f2a1b00"


def test_rows_with_errors_are_not_counted_among_the_accepted_ones_that_are_skipped(upload: Upload) -> None:
    rows = good_rows(5)
    rows[3] = rows[3].replace("SKU_4", "")
    upload.drop(csv_of(*rows)).press("upload-settle")
    upload.app.radio(key="upload-everything").set_value(True)
    upload.run().press("upload-send")
    history, owner = get_services().history, get_services().dispatcher.owner
    (sent,) = history.queries.batches().items
    assert sent.total == 5, "the row with an error was sent, too"
    for request in history.queries.requests(sent.id).items:
        history.queue.apply_transitions([AttemptStart(request.id)], owner=owner)
        history.queue.apply_transitions([AttemptEnd(request.id, attempt(Outcome.ACCEPTED))], owner=owner)
    upload.app.session_state["console"].screen_states.pop("UploadState")
    upload.app.query_params.clear()
    upload.run().drop(csv_of(*rows)).press("upload-settle")
    assert upload.app.checkbox(key="upload-skip-accepted").label == (
        "Skip the 4 rows whose event this target accepted before"
    )


def test_a_sample_that_is_cut_says_so_and_one_that_is_whole_does_not(upload: Upload) -> None:
    upload.drop(f"kind,session,short\n{LONG_NAME},{LONG_ID},{'x' * 30}\n".encode())
    lines = upload.texts.splitlines()
    assert f"{LONG_NAME[:30]}…" in lines
    assert f"{LONG_ID[:30]}…" in lines
    assert "x" * 30 in lines


def test_a_name_that_is_to_be_mapped_and_is_cut_says_so(upload: Upload) -> None:
    name = "view of " + "a very long name " * 6
    upload.drop(csv_of(*(row.replace("Product viewed", name) for row in good_rows(3))))
    shown = [line for line in upload.texts.splitlines() if line.startswith("view of a very long")]
    assert shown
    assert all(line.endswith("…") for line in shown)


def test_every_row_of_a_file_without_problems_can_be_looked_at(upload: Upload) -> None:
    upload.drop(csv_of(*good_rows(25))).press("upload-settle").look(3)
    assert "No problems found." in upload.texts
    shown = grid(upload)
    assert shown.index.tolist() == list(range(1, 21))
    assert shown["eventId"].tolist()[:2] == ["e1", "e2"]
    upload.app.session_state["upload-page-rows"] = 2
    assert grid(upload.run()).index.tolist() == list(range(21, 26))


def test_counts_of_problems_have_separators(upload: Upload) -> None:
    rows = [row.replace(f"SKU_{number}", "") for number, row in enumerate(good_rows(1004), 1)]
    upload.drop(csv_of(*rows)).press("upload-settle").look(3)
    counts = upload.app.dataframe[0]
    assert counts.value["rows"].tolist() == [1004]
    columns: dict[str, Any] = json.loads(counts.proto.columns)
    assert columns["rows"]["type_config"] == {"type": "number", "format": "localized"}  # 1,004 in the browser
    assert not re.search(r"\b1004\b", upload.markdown + "\n".join(button.label for button in upload.app.button))
