"""Exploded rows on the command line: ``check`` counts rows and events, ``send`` excludes rows, results name members."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from intempt_core.cli.entry import main

CART = {"event": "Cart Viewed", "userId": "u9", "messageId": "m9", "properties": {}}


def order(message: str, *products: str | None) -> dict[str, Any]:
    return {
        "event": "Order Completed", "userId": f"u-{message}", "messageId": message,
        "properties": {"products": [{"product_id": product} for product in products]},
    }  # fmt: skip


MAPPING = {
    "columns": {
        "event": "name", "userId": "userId", "messageId": "eventId",
        "properties.products[].product_id": "data.productId",
    },
    "names": {"Order Completed": "Product ordered"},
    "ignored_names": ["Cart Viewed"],
    "explode": {"path": "properties.products"},
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Writes lines and the mapping; their paths."""

    def write(*lines: dict[str, Any]) -> tuple[str, str]:
        path, mapping = tmp_path / "orders.jsonl", tmp_path / "m.json"
        path.write_text("\n".join(map(json.dumps, lines)))
        mapping.write_text(json.dumps(MAPPING))
        return str(path), str(mapping)

    return write


LINES = (order("m1", "p1", "p2"), CART, order("m2", "p3", None, "p4"))
"""Row 1 is two events, 2 is not for us, 3 is three, the second of which has no product."""


def test_check_counts_rows_and_events_and_names_the_member(
    file: Callable[..., tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = file(*LINES)
    assert main(["check", path, "--mapping", mapping, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {key: found[key] for key in (
        "rows", "events", "rows_with_errors", "events_with_errors", "rows_with_warnings", "rows_ignored",
        "ignored_names", "counts",
    )} == {
        "rows": 3, "events": 5, "rows_with_errors": 1, "events_with_errors": 1, "rows_with_warnings": 0,
        "rows_ignored": 1, "ignored_names": {"Cart Viewed": 1}, "counts": {"product_id_missing": 1},
    }  # fmt: skip
    (issue,) = found["issues"]
    assert (issue["row"], issue["member"], issue["line"], issue["pointer"]) == (3, 2, 3, "/data/productId")
    assert main(["check", path, "--mapping", mapping]) == 1
    text = capsys.readouterr().out
    assert "1 row is ignored, as the mapping says of its name: Cart Viewed 1." in text
    assert "orders.jsonl: 3 rows that become 5 events; 1 row has errors (1 event), 0 rows have warnings." in text


@pytest.mark.parametrize("good_members", [False, True])
def test_an_order_with_a_bad_member_is_excluded_whole_or_its_other_events_are_sent(
    file: Callable[..., tuple[str, str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    good_members: bool,
) -> None:
    data = {"CONSOLE_DATA": str(tmp_path / "data")}
    path, mapping = file(*LINES)
    out = tmp_path / "results.csv"
    more = ["--good-members"] if good_members else []
    sent = ["send", path, "--mapping", mapping, "--target", "sandbox", "--yes", "--results", str(out), *more]
    assert main(sent, data) == 0, capsys.readouterr().err
    printed = capsys.readouterr()
    said = printed.out + printed.err
    assert "1 row is ignored" in said
    sharing = "2 events have" if good_members else "1 event has"
    assert f"{sharing} the event id of an earlier line of the same order" in said
    with out.open(newline="") as text:
        results = [(row["row"], row["member"], row["outcome"], row["issues"]) for row in csv.DictReader(text)]
    others = "accepted" if good_members else "excluded"
    assert results == [
        ("1", "1", "accepted", ""), ("1", "2", "accepted", ""), ("2", "0", "excluded", "name_ignored"),
        ("3", "1", others, ""), ("3", "2", "excluded", "product_id_missing"), ("3", "3", others, ""),
    ]  # fmt: skip
    assert main([*sent, "--force"], data) == 5


def test_suggest_prints_a_mapping_that_makes_events_of_a_list_of_products_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = tmp_path / "o.jsonl", tmp_path / "m.json"
    path.write_text("\n".join(map(json.dumps, (order("m1", "p1", "p2"), order("m2", "p3")))))
    assert main(["suggest", str(path)], {}) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["explode"] == {"path": "properties.products"}
    assert "2 rows have a list in properties.products: 3 events would come of them. See that each is an event." in (
        printed.err
    )
    mapping.write_text(printed.out)
    assert main(["check", str(path), "--mapping", str(mapping), "--format", "json"], {}) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["events"], found["counts"]) == (2, 3, {})


def test_check_says_what_would_make_events_of_a_list_that_its_mapping_leaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = tmp_path / "o.jsonl", tmp_path / "m.json"
    path.write_text(json.dumps(order("m1", "p1", "p2")))
    mapping.write_text(json.dumps({"columns": {"event": "name", "messageId": "eventId", "userId": "userId"}}))
    assert main(["check", str(path), "--mapping", str(mapping)], {}) == 1
    assert 'write into the mapping: "explode": {"path": "properties.products"}.' in capsys.readouterr().out
