"""``send --rest`` of orders whose lines share an event id: exactly the lines that did not go, in each file form."""

import csv
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intempt_core.cli.entry import main
from intempt_core.history import History
from intempt_core.settings import Settings

MAPPING = {
    "columns": {
        "event": "name", "userId": "userId", "messageId": "eventId",
        "properties.products[].product_id": "data.productId",
    },
    "names": {"Order Completed": "Product ordered"},
    "explode": {"path": "properties.products"},
}  # fmt: skip

Send = Callable[..., list[tuple[str, str, str]]]
"""Sends a file; what became of its events: (row, member, outcome)."""


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    return {"CONSOLE_DATA": str(tmp_path / "data")}


@pytest.fixture
def send(tmp_path: Path, data: dict[str, str]) -> Send:
    def run(path: Path, *arguments: str, ends_with: int = 0) -> list[tuple[str, str, str]]:
        out = tmp_path / "results.csv"
        out.unlink(missing_ok=True)
        call = ["send", str(path), "--target", "sandbox", "--yes", "--results", str(out), *arguments]
        assert main(call, data) == ends_with
        if not out.exists():
            return []
        with out.open(newline="") as text:
            return [(row["row"], row["member"], row["outcome"]) for row in csv.DictReader(text)]

    return run


def recorded(data: dict[str, str], *ids: str) -> list[tuple[str, str | None, str]]:
    """Every event of these ids that history has, as it was recorded: id, product, state."""
    with closing(History.open(Settings.from_environment(data).history_url)) as history:
        found = history.events.occurrences(ids)
        return sorted((id_, one.product_id, one.state.value) for id_, all_ in found.items() for one in all_)


def order(message: str, *products: str | None) -> dict[str, Any]:
    return {
        "event": "Order Completed", "userId": f"u-{message}", "messageId": message,
        "properties": {"products": [{"product_id": product} for product in products]},
    }  # fmt: skip


def write_orders(folder: Path, *orders: dict[str, Any], name: str = "orders.jsonl") -> tuple[Path, str]:
    path, mapping = folder / name, folder / "m.json"
    path.write_text("\n".join(map(json.dumps, orders)))
    mapping.write_text(json.dumps(MAPPING))
    return path, str(mapping)


def test_of_an_order_whose_good_lines_went_the_corrected_line_goes_and_nothing_else(
    send: Send, data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = write_orders(tmp_path, order("m1", "p1", "p2"), order("m2", "p3", None, "p5"))
    assert send(path, "--mapping", mapping, "--good-members") == [
        ("1", "1", "accepted"), ("1", "2", "accepted"),
        ("2", "1", "accepted"), ("2", "2", "excluded"), ("2", "3", "accepted"),
    ]  # fmt: skip
    capsys.readouterr()

    write_orders(tmp_path, order("m1", "p1", "p2"), order("m2", "p3", "p4", "p5"))
    assert send(path, "--mapping", mapping, ends_with=5) == []
    said = capsys.readouterr().err
    assert "Of 5 events of this file, these went to sandbox or are going: 4 accepted." in said
    assert "1 event is a line of orders of which other lines went to sandbox" in said
    assert "--rest             sends 1 event of which nothing went or is pending" in said

    assert send(path, "--mapping", mapping, "--rest") == [
        ("1", "1", "excluded"), ("1", "2", "excluded"),
        ("2", "1", "excluded"), ("2", "2", "accepted"), ("2", "3", "excluded"),
    ]  # fmt: skip
    once = [(id_, product, "accepted") for id_, product in (
        ("m1", "p1"), ("m1", "p2"), ("m2", "p3"), ("m2", "p4"), ("m2", "p5"),
    )]  # fmt: skip
    assert recorded(data, "m1", "m2") == once
    capsys.readouterr()

    assert send(path, "--mapping", mapping, "--rest") == []
    assert "There is nothing left to send." in capsys.readouterr().err
    assert recorded(data, "m1", "m2") == once


def test_a_file_of_nothing_but_the_corrected_line_asks_first_and_then_sends_it(
    send: Send, data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = write_orders(tmp_path, order("m2", "p3", None))
    send(path, "--mapping", mapping, "--good-members")
    later, _ = write_orders(tmp_path, order("m2", "p4"), name="corrected.jsonl")
    capsys.readouterr()
    assert send(later, "--mapping", mapping, ends_with=5) == []
    said = capsys.readouterr().err
    assert "Nothing was sent. Of 1 event of this file none went to sandbox or is going, but:" in said
    assert "--rest             sends 1 event" in said
    assert send(later, "--mapping", mapping, "--rest") == [("1", "1", "accepted")]
    assert send(later, "--mapping", mapping, "--rest") == []
    assert recorded(data, "m2") == [("m2", "p3", "accepted"), ("m2", "p4", "accepted")]


def write_rows(folder: Path, rows: Sequence[str]) -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join(["name,eventId,userId,timestamp,productId", *rows]) + "\n")
    return path


def test_lines_of_an_order_that_are_rows_of_their_own_go_one_by_one_too(
    send: Send, data: dict[str, str], tmp_path: Path
) -> None:
    time = "1714631904000"
    good = [f"Product ordered,o1,u1,{time},p1", f"Product viewed,v1,u1,{time},p1", f"Product ordered,o2,u1,{time},p9"]
    path = write_rows(tmp_path, [*good, f"Product ordered,o2,u1,{time},"])
    assert [outcome for *_, outcome in send(path)] == ["accepted", "accepted", "accepted", "excluded"]
    path = write_rows(tmp_path, [*good, f"Product ordered,o2,u1,{time},p8"])
    assert [outcome for *_, outcome in send(path, "--rest")] == ["excluded", "excluded", "excluded", "accepted"]
    assert send(path, "--rest") == []
    assert recorded(data, "o1", "o2") == [
        ("o1", "p1", "accepted"), ("o2", "p8", "accepted"), ("o2", "p9", "accepted"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Product viewed", "Added to cart", "Removed from cart"])
def test_an_event_that_is_no_order_is_known_by_its_id_alone(
    send: Send, data: dict[str, str], tmp_path: Path, name: str
) -> None:
    send(write_rows(tmp_path, [f"{name},v1,u1,1714631904000,p1"]))
    assert send(write_rows(tmp_path, [f"{name},v1,u1,1714631904000,p2"]), "--rest") == []
    assert recorded(data, "v1") == [("v1", "p1", "accepted")]


def test_an_order_whose_id_another_event_has_counts_as_sent(send: Send, data: dict[str, str], tmp_path: Path) -> None:
    send(write_rows(tmp_path, ["Product viewed,e1,u1,1714631904000,p1"]))
    assert send(write_rows(tmp_path, ["Product ordered,e1,u1,1714631904000,p2"]), "--rest") == []
    assert recorded(data, "e1") == [("e1", "p1", "accepted")]


def test_good_members_of_rows_whose_ids_are_made_are_sent_with_a_warning(
    send: Send, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, mapping = write_orders(tmp_path, order("m2", "p3", None))
    columns = {column: field for column, field in dict(MAPPING["columns"]).items() if field != "eventId"}
    Path(mapping).write_text(json.dumps(MAPPING | {"columns": columns}))
    send(path, "--mapping", mapping, "--good-members")
    assert "once a row is corrected in the file, all of its events have other ids" in capsys.readouterr().err
