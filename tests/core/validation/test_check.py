"""What a report promises: the contract's rules, each event by itself, the good one of a repeat known by its place."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from intempt_core.contract.issues import Issue, Place
from intempt_core.contract.rules import GivenEvent
from intempt_core.fixes.table_fixes import Fix, FixKind, apply_fixes
from intempt_core.mapping.model import Mapping as ColumnMapping
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_events, check_table
from intempt_core.validation.prior_sends import EventKey, OrderLine, PriorSend
from intempt_core.validation.report import Report
from intempt_core.validation.row_issues import ISSUE_BLOCK_ROWS
from tests.bench import event_files
from tests.core.readers.factories import table_of
from tests.data.samples import SHOP_EXPORT, SHOP_EXPORT_ROWS, SHOP_MAPPING

HEADER = ["name", "eventId", "userId", "productId", "timestamp"]
ORDER, VIEW, TIME = "Product ordered", "Product viewed", "1714631904000"


def report_on(*rows: Sequence[str], header: Sequence[str] = HEADER) -> Report:
    return check_table(map_table(table_of(header, rows), exact_mapping(header)))


def codes(report: Report) -> list[list[str]]:
    return [[issue.code for issue in report.issues_of(row)] for row in range(report.rows)]


def test_a_clean_table_has_an_empty_report() -> None:
    report = report_on([VIEW, "e1", "u", "p", TIME], [VIEW, "e2", "u", "p", ""])
    assert (report.rows, report.rows_with_errors, report.rows_with_warnings, report.counts) == (2, 0, 0, {})
    assert report.issues() == []
    assert not report.error_mask.any()
    assert report_on().counts == {}


def test_each_field_error_has_its_code_and_its_column() -> None:
    report = report_on(
        ["view", "", "", "", "x"],
        [VIEW, "e", " ", "p", "1714631904"],
    )
    assert codes(report) == [
        ["event_name", "event_id_missing", "timestamp_unreadable", "product_id_missing", "identity_missing"],
        ["timestamp_before_2010", "identity_missing"],
    ]
    issue = report.issues_of(1)[0]
    assert (issue.place.row, issue.place.line, issue.place.column, issue.place.pointer) == (
        2,
        3,
        "timestamp",
        "/timestamp",
    )
    assert issue.fix == "These look like seconds: multiply by 1,000."
    assert report.issues_of(0)[3].place.column == "productId"


# ── repeats, CONTRACT 2.9 ──


def test_the_first_event_without_another_error_has_the_id() -> None:
    report = report_on(
        ["nonsense", "e", "u", "p", TIME],
        [VIEW, "e", "u", "p", TIME],
        [VIEW, "e", "u", "p", TIME],
        [VIEW, "e", "", "p", TIME],
    )
    assert codes(report) == [["event_name"], [], ["event_id_repeated"], ["identity_missing", "event_id_repeated"]]
    assert "row 2 (line 3)" in report.issues_of(2)[0].fix


def test_no_event_repeats_where_none_is_good() -> None:
    assert codes(report_on([VIEW, "e", "", "p", TIME], [VIEW, "e", "", "p", TIME])) == [["identity_missing"]] * 2


def test_lines_of_one_order_may_share_an_id_but_not_a_product() -> None:
    report = report_on(
        [ORDER, "o", "u", "p1", TIME],
        [ORDER, "o", "u", "p2", TIME],
        [ORDER, "o", "u", "p1", TIME],
        [ORDER, "o", "u", "p2", TIME],
        [ORDER, "o", "u", "", TIME],
        [ORDER, "o", "u", "p3", TIME],
    )
    assert codes(report) == [
        [],
        ["event_id_shared"],
        ["event_id_repeated"],
        ["event_id_repeated"],
        ["product_id_missing", "event_id_repeated"],
        ["event_id_shared"],
    ]
    assert "row 1 (line 2)" in report.issues_of(1)[0].fix
    assert "row 2 (line 3)" in report.issues_of(3)[0].fix
    assert report.error_mask.tolist() == [False, False, True, True, True, False]


@pytest.mark.parametrize(
    "other",
    [
        [ORDER, "o", "somebody else", "p2", TIME],
        [ORDER, "o", "u", "p2", "1714631904001"],
        [ORDER, "o", "u", "p2", ""],
        [VIEW, "o", "u", "p2", TIME],
    ],
)
def test_another_person_time_or_name_is_another_order(other: list[str]) -> None:
    assert codes(report_on([ORDER, "o", "u", "p1", TIME], other)) == [[], ["event_id_repeated"]]


def test_a_row_between_ends_an_order() -> None:
    report = report_on([ORDER, "o", "u", "p1", TIME], [ORDER, "x", "u", "p1", TIME], [ORDER, "o", "u", "p2", TIME])
    assert codes(report) == [[], [], ["event_id_repeated"]]


def test_a_placeholder_makes_no_two_lines_one_persons() -> None:
    report = report_on([ORDER, "o", "anonymous", "p1", TIME], [ORDER, "o", "anonymous", "p2", TIME])
    assert codes(report)[1] == ["event_id_repeated", "id_placeholder"]


def test_an_account_alone_is_a_person_of_an_order() -> None:
    header = ["name", "eventId", "userId", "accountId", "productId"]
    alone = report_on([ORDER, "o", "", "a", "p1"], [ORDER, "o", "", "a", "p2"], header=header)
    beside = report_on([ORDER, "o", "", "a", "p1"], [ORDER, "o", "u", "a", "p2"], header=header)
    assert (list(alone.counts), list(beside.counts)) == (["event_id_shared"], ["event_id_repeated"])


@pytest.mark.parametrize(
    ("constants", "code"),
    [
        ({"profileId": "shop visitor"}, "event_id_shared"),
        ({"profileId": "anonymous"}, "event_id_repeated"),
        ({"accountId": "acme"}, "event_id_shared"),
        ({"accountId": "null"}, "event_id_repeated"),
    ],
)
def test_an_identity_that_all_rows_have_is_one_person(constants: dict[str, str], code: str) -> None:
    header = ["productId"]
    mapping = ColumnMapping(
        exact_mapping(header).columns,
        constants={"name": ORDER, "eventId": "o", "timestamp": 1714631904000, **constants},
    )
    report = check_table(map_table(table_of(header, [["p1"], ["p2"]]), mapping))
    assert report.rows_of(code).tolist() == [1]
    assert report.rows_of("event_id_missing").size == 0


def test_a_constant_that_is_wrong_is_wrong_in_every_row() -> None:
    header = ["name", "productId"]
    mapping = ColumnMapping(exact_mapping(header).columns, constants={"userId": True, "sessionId": 5})
    report = check_table(map_table(table_of(header, [[VIEW, "p1"], [VIEW, "p2"]]), mapping))
    assert report.counts == {"id_not_text": 2, "id_number": 2}
    assert [issue.place.pointer for issue in report.issues_of(1)] == ["/userId", "/sessionId"]


def test_lines_without_neighbours_share_nothing_outside_a_payload() -> None:
    lone = GivenEvent(ORDER, item("p2"), Place(2, 1, None, "/1"), "/1/name")
    first = GivenEvent(ORDER, item("p1"), Place(1, 1, None, "/0"), "/0/name")
    assert codes(check_events([first, lone])) == [[], ["event_id_shared"]]
    assert codes(check_events([*in_payload(ORDER, item("p1")), lone])) == [[], ["event_id_repeated"]]


def in_payload(name: str, *bodies: dict[str, object], group: int = 0) -> list[GivenEvent]:
    return [
        GivenEvent(name, body, Place(row, 1, None, f"/track/{group}/payload/{row - 1}"), f"/track/{group}/name")
        for row, body in enumerate(bodies, 1)
    ]


def item(product: str, **more: object) -> dict[str, object]:
    return {"eventId": "o", "userId": "u", "data": {"productId": product}, **more}


def test_items_of_one_payload_may_share_an_id_wherever_they_stand() -> None:
    events = in_payload(ORDER, item("p1"), item("p1", eventId="x"), item("p2", timestamp=1714631904000), item("p1"))
    assert codes(check_events(events)) == [[], [], ["event_id_shared"], ["event_id_repeated"]]


def test_items_of_two_payloads_share_nothing() -> None:
    events = [*in_payload(ORDER, item("p1")), *in_payload(ORDER, item("p2"), group=1)]
    report = check_events(events)
    assert codes(report) == [[], ["event_id_repeated"]]
    assert "event 1 (line 1)" in report.issues_of(1)[0].fix


def test_an_id_as_number_and_as_text_is_the_same_id() -> None:
    assert codes(check_events(in_payload(VIEW, item("p", eventId=7), item("p", eventId="7")))) == [
        ["id_number"],
        ["event_id_repeated"],
    ]


# ── lost zeros, types, rows, history ──


def test_lost_zeros_are_seen_across_a_column() -> None:
    products = ["00123", "123", "12345", "p7", "0", "99"]
    report = report_on(*([VIEW, f"e{number}", "u", product, ""] for number, product in enumerate(products)))
    assert report.rows_of("id_zeros_lost").tolist() == [1, 5]
    (issue,) = report.issues_of(1)
    assert (issue.given, issue.place.column) == ("123", "productId")
    assert "5 digits" in issue.fix


def test_ids_without_leading_zeros_may_have_any_width() -> None:
    assert report_on([VIEW, "1", "u", "7", ""], [VIEW, "22", "u", "123", ""]).counts == {}


def test_ragged_rows_are_listed_with_their_cells() -> None:
    rows = [[VIEW, f"e{number}", "u", "p", ""] for number in range(3)]
    report = check_table(map_table(table_of(HEADER, rows, cells={0: 7, 2: 4}), exact_mapping(HEADER)))
    assert codes(report) == [["row_long"], [], ["row_short"]]
    assert report.issues_of(0)[0].sentence.startswith("Row 1: The row has “7” cells.")
    assert report.error_mask.tolist() == [True, False, False]


def test_a_cell_that_is_not_of_its_type_is_a_warning() -> None:
    header = [*HEADER, "weight"]
    rows = [[VIEW, f"e{number}", "u", "p", "", weight] for number, weight in enumerate(["1.5", "light", ""])]
    mapping = ColumnMapping(exact_mapping(header).columns, types={"data.weight": "number"})
    report = check_table(map_table(table_of(header, rows), mapping))
    assert report.counts == {"value_type": 1}
    assert [(issue.given, issue.place.column) for issue in report.issues()] == [("light", "weight")]


def test_what_history_has_seen_is_a_warning_and_asked_in_chunks() -> None:
    asked: list[int] = []

    def seen(ids: Sequence[EventKey]) -> Mapping[EventKey, PriorSend]:
        asked.append(len(ids))
        return {text: PriorSend("accepted", 1_793_534_580_000, "b1") for text in ids if text == "e7000"}

    rows = [[VIEW, f"e{number}", "u", "p", ""] for number in range(7001)]
    report = check_table(map_table(table_of(HEADER, rows, chunk=1000), exact_mapping(HEADER)), seen)
    assert report.counts == {"sent_before": 1}
    assert asked == [5000, 2001]
    assert report.issues()[0].fix.startswith("It was accepted on 2026-11-01 12:03 UTC.")


def test_a_line_of_an_order_that_went_without_it_is_said_to_be_new_and_one_that_may_have_gone_counts_as_sent() -> None:
    def known(keys: Sequence[EventKey]) -> Mapping[EventKey, PriorSend]:
        all_known: dict[EventKey, PriorSend] = {
            "o": PriorSend("accepted", 1_793_534_580_000),
            OrderLine("o", "p1"): PriorSend("accepted", 1_793_534_580_000),
            OrderLine("o", "p3"): PriorSend("accepted", 1_793_534_580_000, by_id_alone=True),
            OrderLine("o", "p4"): PriorSend("rejected", 1_793_534_580_000),
            "r": PriorSend("rejected", 1_793_534_580_000),
        }
        return {key: all_known[key] for key in keys if key in all_known}

    rows = [["Product ordered", "o", "u", f"p{number}", ""] for number in range(1, 5)]
    rows += [["Product ordered", "r", "u", "p1", ""], [VIEW, "o", "u", "p9", ""]]
    mapped = map_table(table_of(HEADER, rows), exact_mapping(HEADER))
    for report in (check_table(mapped, known), check_events(list(mapped.events()), known)):
        assert report.rows_of("sent_before").tolist() == [0, 2, 3, 5]
        assert report.rows_of("sent_before", "rejected").tolist() == [3]
        assert report.rows_of("order_line_added").tolist() == [1, 3]
        hints = [issue.fix for issue in report.issues(code="sent_before")]
        assert ["counts as sent" in hint for hint in hints] == [False, True, False, False]
        assert report.issues(code="order_line_added")[0].fix.startswith(
            "Other lines were accepted on 2026-11-01 12:03 UTC. Nothing to do"
        )


def test_made_ids_are_known_to_history_too() -> None:
    header = ["name", "userId", "productId"]
    mapped = map_table(table_of(header, [[VIEW, "u", "p"]] * 2), exact_mapping(header))
    first = mapped.event(0).body["eventId"]
    report = check_table(mapped, lambda ids: {text: PriorSend("rejected", 0) for text in ids if text == first})
    assert report.rows_of("sent_before").tolist() == [0]


# ── issues of reading, pages ──


def test_issues_of_reading_go_to_their_event_or_stand_first() -> None:
    events = in_payload(VIEW, item("p", eventId="1"), item("p", eventId="2"))
    found = [
        Issue("request_shape", Place(None, 9, None, "/track/5"), "5"),
        Issue("key_repeated", Place(None, 1, None, "/track/0/payload/1/data/productId"), "productId"),
        Issue("number_precision", Place(1, 1, None, "/track/0/payload/0/data/x"), "1e99"),
    ]
    report = check_events(events, reader_issues=found)
    assert report.counts == {"request_shape": 1, "key_repeated": 1, "number_precision": 1}
    assert (report.rows_with_errors, report.rows_with_warnings) == (0, 2)
    assert [issue.code for issue in report.issues()] == ["request_shape", "number_precision", "key_repeated"]
    assert [issue.code for issue in report.issues(1, 1)] == ["number_precision"]
    assert [issue.code for issue in report.issues(code="key_repeated")] == ["key_repeated"]
    assert report.issues(0, 1) == [found[0]]


def test_an_event_that_is_no_object_is_one_error() -> None:
    assert codes(check_events([GivenEvent(VIEW, 5, Place(1, 1, None, "/0"), "/0/name")])) == [["event_not_object"]]


def test_pages_of_issues_have_neither_gap_nor_repeat() -> None:
    report = report_on(*(["", "", "", "", "x"] for _ in range(20)))
    pages = [report.issues(start, 7) for start in range(0, 100, 7)]
    assert [issue for page in pages for issue in page] == report.issues(limit=100)
    assert len(report.issues(limit=1000)) == 100


# ── files of others ──


def test_a_shops_export_is_clean_under_its_mapping() -> None:
    mapping = ColumnMapping.from_json(SHOP_MAPPING.read_text("utf-8"))
    mapped = map_table(read_table(SHOP_EXPORT, name=SHOP_EXPORT.name), mapping)
    report = check_table(mapped)
    assert (report.rows, report.rows_with_errors) == (SHOP_EXPORT_ROWS, 0)
    assert len({event.body["eventId"] for event in mapped.events()}) == SHOP_EXPORT_ROWS


def test_planted_faults_are_found_and_nothing_else(tmp_path: Path) -> None:
    file = event_files.write(tmp_path / "events.csv", 100_000, 0.02)
    table = read_table(file.path, name="events.csv")
    report = check_table(map_table(table, exact_mapping(table.header)))
    assert report.counts == file.planted
    assert report.rows_with_errors == sum(file.planted.values())


@pytest.mark.untraced
def test_rows_that_are_wrong_in_the_same_way_keep_their_own_place_value_and_advice() -> None:
    count = 2 * ISSUE_BLOCK_ROWS + 10
    rows = [
        [VIEW if row % 2 else f"Product viewe{row}", f"e{row}", "u", "p", str(1_714_631_000 + row)]
        for row in range(count)
    ]
    report = report_on(*rows)
    found = list(report.issues_by_row(range(count)))
    for row in (0, 1, ISSUE_BLOCK_ROWS - 1, ISSUE_BLOCK_ROWS, ISSUE_BLOCK_ROWS + 1, count - 1):
        assert found[row] == report.issues_of(row)
        assert found[row][-1].given == str(1_714_631_000 + row)
        assert found[row][-1].fix == "These look like seconds: multiply by 1,000."
        assert {(issue.place.row, issue.place.line) for issue in found[row]} == {(row + 1, row + 2)}
    assert found[4000][0].given == "Product viewe4000"
    assert report.issue_count() == sum(map(len, found)) == count + count // 2
    assert report.issue_count("event_name") == count // 2


def test_a_hint_on_where_the_product_id_is_goes_only_to_rows_where_it_does() -> None:
    header = [*HEADER, "product_id"]
    report = report_on([VIEW, "e1", "u", "", "", "p1"], [VIEW, "e2", "u", "", "", ""], header=header)
    assert "data.product_id" in report.issues_of(0)[0].fix
    assert [issues[0].fix == report.issues_of(0)[0].fix for issues in report.issues_by_row((0, 1))] == [True, False]


def test_issues_beside_the_events_are_counted_with_the_others() -> None:
    beside = Issue("request_shape", Place(pointer="/track"), "1")
    report = check_events([GivenEvent("view", {}, Place(row=1, pointer="/track/0/payload/0"))], reader_issues=[beside])
    assert report.issue_count() == len(report.issues()) == 5
    assert (report.issue_count("request_shape"), report.issue_count("event_name"), report.issue_count("row_long")) == (
        1,
        1,
        0,
    )


def test_what_history_knows_of_rows_is_not_asked_again_after_a_fix_of_another_column() -> None:
    rows = [[VIEW, "e1", "u", "p", "1714631904"], [VIEW, "e2", "u", "p", TIME]]
    before = map_table(table_of(HEADER, rows), exact_mapping(HEADER))
    first = check_table(
        before, lambda ids: {text: PriorSend("rejected", 1_793_534_580_000) for text in ids if text == "e2"}
    )
    after = apply_fixes(before, [Fix(FixKind.SECONDS, "timestamp")]).mapped
    assert after.has_same_ids(before)
    assert not apply_fixes(before, [Fix(FixKind.PUT, "eventId", (0,), new="e3")]).mapped.has_same_ids(before)

    def asked(ids: Sequence[EventKey]) -> Mapping[EventKey, PriorSend]:
        raise AssertionError(f"history was asked about {len(ids)} ids")

    report = check_table(after, asked, earlier_report=first)
    assert report.counts == {"sent_before": 1}
    assert report.part_counts("sent_before") == {"rejected": 1}
    assert report.issues()[0].fix == first.issues(code="sent_before")[0].fix
