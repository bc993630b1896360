"""Fixes on the Upload screen without a browser: suggested, previewed, applied, undone and recorded; excluded rows."""

from intempt_core.contract.outcome import Outcome
from intempt_core.history import AttemptEnd, AttemptStart, BatchSummary
from pages.parts.shared.services import get_services
from tests.core.history.factories import attempt
from tests.pages.upload_steps import Upload, csv_of, good_rows, grid


def faults() -> bytes:
    """Thirty rows: ten names in the wrong case, five times in seconds, three repeats, one row without a product."""
    rows = good_rows(30)
    for row in range(10):
        rows[row] = rows[row].replace("Product viewed", "product viewed")
    for row in range(10, 15):
        rows[row] = rows[row].replace("1714631904000", "1714631904")
    rows[20] = rows[19]
    rows[21] = rows[19].replace("u20", "another")
    rows[22] = rows[19].replace("SKU_20", "SKU_21")
    rows[25] = rows[25].replace("SKU_26", "")
    return csv_of(*rows)


def opened(upload: Upload, data: bytes | None = None) -> Upload:
    return upload.drop(faults() if data is None else data).press("upload-settle").look(3)


def find(upload: Upload, text: str) -> Upload:
    upload.app.text_input(key="upload-find").set_value(text)
    return upload.run()


def suggested(upload: Upload) -> list[str]:
    texts = [text.value for text in upload.app.text if " request" not in text.value]
    return [text for text in texts if "→" in text or text.startswith("Give")]


def batch() -> BatchSummary:
    return get_services().history.queries.batches(size=1).items[0]


def test_a_group_is_fixed_after_a_preview_and_the_fix_is_undone(upload: Upload) -> None:
    opened(upload)
    assert "19 rows with errors" in upload.markdown
    assert suggested(upload) == [
        "“product viewed” → “Product viewed” in 10 cells of name",
        "Give an id of its own to 2 cells of eventId (they repeat an id, and are other events)",
        "Give an id of its own to 1 cell of eventId (they repeat an event exactly: only if it happened as often)",
        "Seconds → milliseconds in 5 cells of timestamp",
    ]
    upload.press("upload-suggested-fix-0")
    cells = next(frame.value for frame in upload.app.dataframe if "fixed" in frame.value.columns)
    assert cells.to_dict("records")[0] == {
        "line": 2,
        "row": 1,
        "name now": "product viewed",
        "fixed": "Product viewed",
    }
    assert len(cells) == 10
    upload.press("upload-fix")
    assert "9 rows with errors" in upload.markdown
    assert "1 fix in 10 cells" in upload.texts
    upload.press("upload-undo-0")
    assert "19 rows with errors" in upload.markdown


def test_all_certain_fixes_are_previewed_applied_and_undone_as_one(upload: Upload) -> None:
    opened(upload)
    assert upload.app.button(key="upload-fix-all").label == "Apply all fixes (15 cells)"
    upload.press("upload-fix-all")
    cells = next(frame.value for frame in upload.app.dataframe if "fixed" in frame.value.columns)
    assert cells["column"].tolist() == ["name"] * 10 + ["timestamp"] * 5
    assert cells.iloc[-1].to_dict() == {
        "line": 16,
        "row": 15,
        "column": "timestamp",
        "now": "1714631904",
        "fixed": "1714631904000",
    }
    upload.press("upload-fix-all-now")
    assert "4 rows with errors" in upload.markdown
    assert "Applied together: 2 fixes in 15 cells" in upload.texts
    assert not upload.has("upload-fix-all")  # what is left needs a decision
    upload.press("upload-suggested-fix-0").press("upload-fix")
    assert "2 rows with errors" in upload.markdown
    upload.press("upload-undo-group-0")
    assert "1 fix in 2 cells" in upload.texts  # the other one stays
    upload.press("upload-undo-all")
    assert "19 rows with errors" in upload.markdown


def test_the_panel_shows_the_first_row_of_the_page_and_leads_to_the_next(upload: Upload) -> None:
    opened(upload)
    assert "**Row 1 · line 2**" in upload.markdown
    assert upload.app.button(key="upload-row-previous").disabled
    upload.press("upload-row-next").press("upload-row-next")
    assert "**Row 3 · line 4**" in upload.markdown
    upload.press("upload-row-previous")
    assert "**Row 2 · line 3**" in upload.markdown
    upload.app.selectbox(key="upload-kind").set_value("product_id_missing")
    upload.run()
    assert "**Row 26 · line 27**" in upload.markdown
    assert upload.app.button(key="upload-row-next").disabled


def test_cells_of_a_row_with_several_problems_are_changed_together(upload: Upload) -> None:
    opened(upload, csv_of(*good_rows(2), "product viewed,e3,u3,,1714631904000,1"))
    upload.app.text_input(key="upload-new-2-0-0").set_value("Product viewed")
    upload.app.text_input(key="upload-new-2-3-0").set_value("SKU_3")
    upload.press("upload-edit-one")
    assert "none · 2 fixes in 2 cells" in upload.texts


def test_a_cell_is_found_by_its_pointer_changed_and_undone_whatever_came_after(upload: Upload) -> None:
    opened(upload)
    find(upload, "row 26 /data/productId")
    assert "**Row 26 · line 27**" in upload.markdown
    assert "column productId · in the event /data/productId · skipped" in upload.texts
    upload.app.text_input(key="upload-new-25-3-0").set_value("SKU_26")
    upload.press("upload-edit-one")
    assert "Row 26, productId: empty → “SKU_26”" in upload.texts
    assert "18 rows with errors" in upload.markdown
    upload.press("upload-suggested-fix-0").press("upload-fix")
    assert "8 rows with errors" in upload.markdown
    upload.press("upload-undo-0")
    assert "9 rows with errors" in upload.markdown
    assert "1 fix in 10 cells" in upload.texts
    upload.press("upload-undo-all")
    assert "19 rows with errors" in upload.markdown


def test_all_cells_with_the_same_value_can_be_changed_at_once(upload: Upload) -> None:
    opened(upload)
    find(upload, "line 2 name")
    upload.app.text_input(key="upload-new-0-0-0").set_value("Added to cart")
    upload.press("upload-edit-alike")
    assert "“product viewed” → “Added to cart” in 10 cells of name" in upload.texts
    assert "9 rows with errors" in upload.markdown


def test_a_pointer_into_a_request_leads_to_its_cell_and_a_missing_place_is_reported(upload: Upload) -> None:
    opened(upload, csv_of(*good_rows(3), "Product viewed,e1,u9,SKU_9,1714631904000,1"))
    find(upload, "track[0].payload[2].data.productId")
    assert "**Row 3 · line 4**" in upload.markdown
    assert "column productId · in the event /data/productId · request 1: track[0]" in upload.texts
    find(upload, "row 99")
    assert "The file has rows 1 to 4; it has no row 99." in upload.texts


def test_repeats_are_of_two_kinds_and_lead_to_the_first_of_their_id(upload: Upload) -> None:
    opened(upload)
    upload.app.selectbox(key="upload-kind").set_value("event_id_repeated")
    upload.run()
    parts = upload.app.selectbox(key="upload-part-event_id_repeated")
    assert parts.options == ["all", "exact repeat (1)", "same id, another body (2)"]
    parts.set_value("exact repeat")
    upload.run()
    assert grid(upload).index.tolist() == [21]
    assert "It repeats row 20 (line 21) exactly." in upload.texts
    find(upload, "row 21 eventId").press("upload-first-of")
    assert "**Row 20 · line 21**" in upload.markdown
    assert "column eventId" in upload.texts


def test_excluded_rows_are_shown_before_the_send_and_fixes_are_recorded_with_it(upload: Upload) -> None:
    opened(upload)
    upload.press("upload-suggested-fix-0").press("upload-fix")
    assert "9 rows skipped: which, and why" in [expander.label for expander in upload.app.expander]
    excluded = upload.app.dataframe[-1].value
    assert excluded["row"].tolist() == [11, 12, 13, 14, 15, 21, 22, 23, 26]
    assert excluded["reason"].tolist() == ["time before 2010"] * 5 + ["event id repeated"] * 3 + ["product id missing"]
    upload.press("upload-send")
    assert batch().total == 21
    assert batch().excluded_rows == 9
    [fix] = batch().notes["fixes"]
    assert fix["message"] == "“product viewed” → “Product viewed” in 10 cells of name"
    assert not upload.has("upload-fixes")  # what was sent is not fixed any more
    rows = {row.row: row for row in get_services().history.outcomes.rows(batch().id)}
    assert rows[1].name == "Product viewed"
    assert rows[26].codes == ("product_id_missing",)


def test_rows_that_were_accepted_before_are_counted_apart_and_can_be_excluded(upload: Upload) -> None:
    data = csv_of(*good_rows(120))
    opened(upload, data).press("upload-send")
    history, owner = get_services().history, get_services().dispatcher.owner
    first, second, _waiting = (request.id for request in history.queries.requests(batch().id).items)
    history.queue.apply_transitions([AttemptStart(first), AttemptStart(second)], owner=owner)
    accepted, unknown = AttemptEnd(first, attempt(Outcome.ACCEPTED)), AttemptEnd(second, attempt(Outcome.UNKNOWN))
    history.queue.apply_transitions([accepted, unknown], owner=owner)
    upload.app.session_state["console"].screen_states.pop("UploadState")
    upload.app.query_params.clear()
    upload.run().drop(data).press("upload-settle").look(3)
    assert "120 rows with warnings" in upload.markdown
    upload.app.selectbox(key="upload-kind").set_value("sent_before")
    upload.run()
    parts = upload.app.selectbox(key="upload-part-sent_before")
    assert parts.options == ["all", "accepted (40)", "unknown (may have arrived) (40)", "queued (40)"]
    parts.set_value("accepted")
    upload.run()
    assert len(grid(upload)) == 20
    find(upload, "row 1")
    assert "**Row 1 · line 2**" in upload.markdown
    assert "request 1: track[0].payload[0]" in upload.texts
    assert upload.texts.count("It was accepted on 20") == 1
    assert upload.app.checkbox(key="upload-skip-accepted").label == (
        "Skip the 40 rows whose event this target accepted before"
    )
    upload.app.checkbox(key="upload-skip-accepted").set_value(True)
    upload.run()
    assert "80 events · 80 users · 2 requests → Sandbox" in upload.texts
    assert "40 rows skipped: which, and why" in [expander.label for expander in upload.app.expander]
    assert set(upload.app.dataframe[-1].value["reason"]) == {"event id already sent"}
    upload.press("upload-send")
    assert (batch().total, batch().excluded_rows) == (80, 40)
    assert batch().notes == {"accepted before, excluded": 40}
    codes = {row.codes for row in get_services().history.outcomes.rows(batch().id) if row.state is None}
    assert codes == {("sent_before",)}
