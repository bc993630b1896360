"""The doors of the command line: what they print, what they send, and their exit codes."""

import csv
import json
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import openpyxl
import pyarrow as pa
import pytest

from intempt_core import sandbox
from intempt_core.cli import main
from intempt_core.cli.output import sanitize_text
from intempt_core.cli.parser import build_parser
from intempt_core.dispatch import Dispatcher, SendingEnvironment
from intempt_core.dispatch.process_locks import CONSOLE_LOCK_NAME, acquire_lock, read_running_console
from intempt_core.history import BatchSource, BatchState, History, RequestState
from intempt_core.settings import Settings
from intempt_core.targets.target import sandbox_target
from tests.core.dispatch.factories import LOST, OK, decides, got
from tests.core.readers.parquet_factories import parquet
from tests.core.transport.fault_server import HostileServer, hostile, http

HEADER = "name,eventId,userId,productId,timestamp\n"
ROW = "Product viewed,e{n},u{person},p{n},1700000000000\n"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def file(folder: Path, *rows: str, name: str = "events.csv") -> str:
    path = folder / name
    path.write_text(HEADER + "".join(rows), "utf-8")
    return str(path)


def good(count: int, persons: int = 3) -> list[str]:
    return [ROW.format(n=n, person=n % persons) for n in range(count)]


def url_of(server: HostileServer) -> str:
    return f"{server.url}/v1/acme/projects/shop/sources/1001/track"


def key(data: Path, **more: str) -> dict[str, str]:
    quick = {"CONSOLE_BACKOFF_SECONDS": "0.01", "CONSOLE_TRIES": "2"}
    return {"CONSOLE_DATA": str(data), "INTEMPT_API_KEY": "pre.secretsecret", **quick, **more}


@contextmanager
def history(data: Path) -> Iterator[History]:
    opened = History.open(Settings(data=data).history_url)
    try:
        yield opened
    finally:
        opened.close()


# ── check ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clean_file_is_0_and_a_wrong_one_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", file(tmp_path, *good(3))], {}) == 0
    assert capsys.readouterr().out.endswith("events.csv: 3 rows; 0 rows have errors, 0 rows have warnings.\n")
    assert main(["check", file(tmp_path, *good(1), "view,e9,,p,x\n")], {}) == 1
    out = capsys.readouterr().out
    assert "error: Row 2, column timestamp: The time “x” cannot be read." in out
    assert "        1  identity_missing: identity missing" in out
    assert out.endswith("events.csv: 2 rows; 1 row has errors, 0 rows have warnings.\n")


def test_the_verdict_as_json_has_the_fixed_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", file(tmp_path, *good(1), "Product viewed,,null,p,1\n"), "--format", "json"], {}) == 1
    told = json.loads(capsys.readouterr().out)
    assert {name: told[name] for name in told if name not in ("issues", "baseline")} == {
        "schema": "urn:event-console:check-report:1",
        "rows": 2,
        "events": 2,
        "rows_with_errors": 1,
        "events_with_errors": 1,
        "rows_with_warnings": 1,
        "rows_ignored": 0,
        "ignored_names": {},
        "counts": {"event_id_missing": 1, "timestamp_before_2010": 1, "id_placeholder": 1},
        "issue_count": 3,
    }
    assert told["baseline"] == {
        "version": 1,
        "file": "events.csv",
        "columns": {"name": "text", "eventId": "text", "userId": "text", "productId": "text", "timestamp": "integer"},
        "failing": {"event_id_missing": "2", "timestamp_before_2010": "2", "id_placeholder": "2"},
    }
    assert told["issues"][0] == {
        "code": "event_id_missing",
        "severity": "error",
        "row": 2,
        "member": 0,
        "line": 3,
        "column": "eventId",
        "pointer": "/eventId",
        "given": None,
        "message": "The event id is missing.",
        "allowed": "Every event has an id of its own: it is what deduplication goes by.",
        "fix": "Give the event an id that no other event has.",
    }


def test_at_most_a_thousand_issues_are_listed_and_all_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = file(tmp_path, *(f"view,e{n},u,p,\n" for n in range(1200)))
    assert main(["check", wrong, "--format", "json"], {}) == 1
    told = json.loads(capsys.readouterr().out)
    assert (len(told["issues"]), told["counts"]) == (1000, {"event_name": 1200})
    assert main(["check", wrong], {}) == 1
    assert "… and 200 more issues." in capsys.readouterr().out


def test_a_mapping_file_maps_and_unused_columns_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping = tmp_path / "mapping.json"
    columns = {"what": "name", "who": "userId", "sku": "data.productId", "when": "timestamp"}
    mapping.write_text(json.dumps({"columns": columns, "names": {"view": "Product viewed"}}))
    table = tmp_path / "shop.csv"
    table.write_text("what,who,sku,when,other\nview,u1,p1,2022-10-01 00:00:00 UTC,x\n")
    assert main(["check", str(table), "--mapping", str(mapping)], {}) == 0
    assert "Not sent: other." in capsys.readouterr().out


def test_a_time_that_is_not_read_lists_the_forms_or_says_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["Product viewed,e1,u,p,soon\n", "Product viewed,e2,u,p,10/13/22 10:00\n"]
    assert main(["check", file(tmp_path, *rows)], {}) == 1
    told = capsys.readouterr().out
    assert "Write it in one of these forms: epoch milliseconds (1664618400123) or, in a file, ISO 8601" in told
    assert "iso, epoch_s, epoch_ms, epoch_us, epoch_ns, serial, or a pattern such as %d.%m.%Y %H:%M." in told
    assert "It seems to be written as %m/%d/%y %H:%M: name that as the time format in the mapping" in told
    mapping = tmp_path / "m.json"
    names = ("name", "eventId", "userId", "productId", "timestamp")
    columns = {name: "data.productId" if name == "productId" else name for name in names}
    mapping.write_text(json.dumps({"columns": columns, "time_format": ["iso", "%m/%d/%y %H:%M"]}))
    assert main(["check", file(tmp_path, rows[1]), "--mapping", str(mapping)], {}) == 0


def test_problems_are_written_as_csv_or_as_a_workbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = file(tmp_path, *good(1), "view,e9,u1,p,\n")
    for name in ("problems.csv", "problems.xlsx"):
        assert main(["check", wrong, "--problems", str(tmp_path / name)], {}) == 1
    (problem,) = csv.DictReader((tmp_path / "problems.csv").read_text("utf-8").splitlines())
    assert problem["code"] == "event_name"
    sheet = openpyxl.load_workbook(tmp_path / "problems.xlsx")["Rows"]
    assert [cell.value for cell in sheet[2]][:3] == [2, 3, "view"]
    capsys.readouterr()
    assert main(["check", wrong, "--problems", wrong], {}) == 1
    assert "is the file to read itself: the problems would overwrite it." in capsys.readouterr().err
    document = tmp_path / "body.json"
    document.write_text('{"track": 7}')
    assert main(["check", str(document), "--problems", str(tmp_path / "p.xlsx")], {}) == 2
    assert "their problems go into a .csv file" in capsys.readouterr().err
    assert not (tmp_path / "p.xlsx").exists()


def test_a_json_document_goes_the_same_road(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "body.json"
    event = {"eventId": "e1", "userId": "u1", "data": {}}
    document.write_text(json.dumps({"track": [{"name": "Product viewed", "payload": [event]}]}, indent=1))
    assert main(["check", str(document), "--format", "json"], {}) == 1
    (issue,) = json.loads(capsys.readouterr().out)["issues"]
    assert (issue["code"], issue["row"]) == ("product_id_missing", 1)
    assert (issue["line"], issue["column"]) == (9, 14)  # the bracket of data, which lacks it
    assert issue["pointer"] == "/track/0/payload/0/data/productId"
    text = '{"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": "p", "x": [1,],},}'
    document.write_text(text)
    assert main(["check", str(document), "--format", "json"], {}) == 0
    issues = json.loads(capsys.readouterr().out)["issues"]
    assert [issue["column"] - 1 for issue in issues] == [text.index(",]"), text.index(",}"), text.rindex(",}")]
    document.write_text('{"track": 7}')
    assert main(["check", str(document)], {}) == 1
    assert "request_shape" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.csv", None, "cannot be read"),
        ("missing.json", None, "cannot be read"),
        ("empty.csv", b"", "empty"),
        ("mixed.json", b'{"a": "\xc3\xa4\xe4"}', "mixes encodings"),
        ("wrong.json", b"{", "wrong.json: Line 1, column 2: the JSON ends early"),
    ],
)
def test_what_cannot_be_read_is_2_and_a_sentence(
    tmp_path: Path, name: str, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for command in (["check"], ["send", "--target", "sandbox", "--yes"]):
        assert main([*command, str(tmp_path / name)], {"CONSOLE_DATA": str(tmp_path / "data")}) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1


@pytest.mark.parametrize("name", ["events.csv", "events.json", "events.jsonl", "events"])
def test_a_file_is_what_its_bytes_say_whatever_it_is_called(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}
    lines = "\n".join(json.dumps({**event, "eventId": f"e{number}"}) for number in range(2))
    for content, read in (
        (json.dumps([event], indent=1), "Read as list of 1 event.\n"),
        (lines, "Read as JSON lines: one event or request body a line.\n"),
        (HEADER + good(1)[0], ""),
    ):
        (tmp_path / name).write_text(content)
        assert main(["check", str(tmp_path / name)], {"CONSOLE_DATA": str(tmp_path / "data")}) == 0
        assert capsys.readouterr().out.startswith(f"{read}{name}: ")


def parquet_file(folder: Path) -> str:
    columns = {
        "what": ["view", "view", "cart"],
        "who": pa.array([1487580005268456192, None, 7], pa.int64()),
        "item": pa.array([{"id": 507}, {"id": 508}, {"id": 2**63 - 1}]),
        "at": pa.array([1664627405000, None, 1664627406250]).cast(pa.timestamp("ms", "Europe/Berlin")),
        "expect": ["ok", "identity_missing", "ok"],
    }
    (folder / "shop.parquet").write_bytes(parquet(columns))
    mapping = {"what": "name", "who": "userId", "item.id": "data.productId", "at": "timestamp"}
    names = {"view": "Product viewed", "cart": "Added to cart"}
    (folder / "shop.json").write_text(json.dumps({"columns": mapping, "names": names}))
    return str(folder / "shop.parquet")


def test_parquet_is_checked_by_its_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["check", parquet_file(tmp_path), "--mapping", str(tmp_path / "shop.json")]
    assert main(call, {}) == 1
    out = capsys.readouterr().out
    assert "error: Row 2: No identity is given." in out
    assert "shop.parquet: 3 rows; 1 row has errors" in out
    assert main([*call, "--format", "json"], {}) == 1
    (issue,) = json.loads(capsys.readouterr().out)["issues"]
    assert (issue["code"], issue["row"], issue["line"]) == ("identity_missing", 2, None)
    assert main([*call, "--expect", "--problems", str(tmp_path / "problems.xlsx")], {}) == 0
    sheet = openpyxl.load_workbook(tmp_path / "problems.xlsx")["Rows"]
    assert [cell.value for cell in sheet[2]][:4] == [2, None, "view", None]


def test_parquet_is_sent_to_the_last_digit(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.csv"
    with hostile(decides(lambda _: OK)) as server:
        call = ["send", parquet_file(tmp_path), "--mapping", str(tmp_path / "shop.json"), "--target", url_of(server)]
        assert main([*call, "--yes", "--results", str(results)], key(data)) == 0
        sent = [group for received in server.received for group in json.loads(received.body)["track"]]
    events = {group["name"]: group["payload"][0] for group in sent}
    first = events["Product viewed"]
    assert (first["userId"], first["timestamp"], first["data"]) == (
        "1487580005268456192",
        1664627405000,
        {"productId": "507"},
    )
    assert events["Added to cart"]["data"] == {"productId": "9223372036854775807"}
    assert events["Added to cart"]["timestamp"] == 1664627406250
    rows = list(csv.DictReader(results.read_text("utf-8").splitlines()))
    assert [(row["row"], row["line"]) for row in rows] == [("1", ""), ("2", ""), ("3", "")]
    assert "1 row with errors" in capsys.readouterr().err


def test_a_mapping_that_does_not_fit_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text('{"columns": {"nowhere": "userId"}}')
    assert main(["check", file(tmp_path, *good(1)), "--mapping", str(mapping)], {}) == 2
    assert "nowhere" in capsys.readouterr().err
    assert main(["check", file(tmp_path, *good(1)), "--mapping", str(tmp_path / "none.json")], {}) == 2
    (tmp_path / "body.json").write_text("[]")
    assert main(["check", str(tmp_path / "body.json"), "--mapping", str(mapping)], {}) == 2


def test_a_terminal_is_not_moved_by_what_a_file_says() -> None:
    class Out:
        encoding = "ascii"

    assert sanitize_text("a\x1b[31mb\u202ec\td", sys.stdout) == "a�[31mb�c d"
    assert sanitize_text("“é”", Out()) == r'"\xe9"'  # type: ignore[arg-type]  # all that is asked of a stream here


def test_a_setting_that_cannot_be_used_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", file(tmp_path), "--target", "sandbox"], {"CONSOLE_TRIES": "many"}) == 1
    assert capsys.readouterr().err.startswith("CONSOLE_TRIES is “many”.")


@pytest.mark.parametrize(
    "wrong", [["send", "x.csv"], ["sandbox", "--port", "x"], ["sandbox", "--latency-ms", "-1"], ["begin"]]
)
def test_a_wrong_call_is_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(wrong, {})
    assert stopped.value.code == 2
    assert "usage: python -m intempt_core" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["check"], ["suggest"], ["send"], ["sandbox"], ["settings"]])
def test_the_help_teaches_by_examples_that_can_be_called(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"], {})
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 120
    examples = re.search(r"examples?:\n(.*?)\n\n", told, re.DOTALL)
    for line in examples[1].replace("\\\n", "").splitlines() if examples else ():
        call = re.split(r"\s{3,}(?![\s-])|\s>", line.partition("intempt_core")[2] or line.strip())[0]
        words = shlex.split(call)
        given = build_parser().parse_args(words)
        assert given.command in words
    assert bool(examples) == bool(command)


# ── send, alone ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alone_it_brings_up_the_sandbox_and_sends_by_itself(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    given = file(tmp_path, *good(120), "view,e999,u1,p1,\n")
    call = ["send", given, "--target", "sandbox", "--yes", "--results", str(out)]
    assert main(call, {"CONSOLE_DATA": str(data)}) == 0
    said = capsys.readouterr()
    assert "To send: 120 events of 3 persons in" in said.err
    assert "1 row with errors is excluded." in said.err
    assert said.out == "      120  accepted\n      120  processed\n        1  excluded\n"
    with out.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["outcome"] for row in rows] == ["accepted"] * 120 + ["excluded"]
    assert [row["processed"] for row in rows] == ["yes"] * 120 + [""]
    assert (rows[-1]["row"], rows[-1]["line"], rows[-1]["issues"]) == ("121", "122", "event_name")
    with history(data) as at:
        (batch,) = at.queries.batches().items
        assert (batch.source, batch.label, batch.rows, batch.excluded_rows) == (
            BatchSource.COMMAND,
            "events.csv",
            121,
            1,
        )
        assert batch.target.key == "sandbox"
    stored = sqlite3.connect(data / "sandbox.sqlite3")
    assert stored.execute("SELECT count(*) FROM events").fetchone() == (120,)
    stored.close()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_sandbox_says_how_many_were_processed_and_ignored_and_which_rows(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, environment = tmp_path / "out.csv", {"CONSOLE_DATA": str(data)}
    first, both = file(tmp_path, *good(2)), file(tmp_path, *good(6), name="both.csv")
    assert main(["send", first, "--target", "sandbox", "--yes"], environment) == 0
    capsys.readouterr()
    assert main(["send", both, "--target", "sandbox", "--yes", "--again", "--results", str(out)], environment) == 0
    assert capsys.readouterr().out == (
        "        6  accepted\n        4  processed\n        2  ignored (2 for a duplicate event id)\n"
    )
    with out.open(newline="", encoding="utf-8") as lines:
        assert [row["processed"] for row in csv.DictReader(lines)] == ["no", "no", "yes", "yes", "yes", "yes"]


def test_a_url_target_takes_its_key_from_the_environment_and_not_all_accepted_is_1(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hostile(decides(lambda received: http(400) if b'"e2"' in received.body else OK)) as server:
        environment = key(data, CONSOLE_EVENTS_PER_REQUEST="1")
        assert main(["send", file(tmp_path, *good(5)), "--target", url_of(server), "--yes"], environment) == 1
        assert sorted(got(server)) == ["e0", "e1", "e2", "e3", "e4"]
        assert {received.headers["authorization"] for received in server.received} == {"Basic cHJlOnNlY3JldHNlY3JldA=="}
    said = capsys.readouterr()
    assert said.out == "        4  accepted\n        1  rejected\n"
    assert "What was not accepted is in the console" in said.err
    assert "secretsecret" not in said.err


def test_a_lane_that_stopped_is_told_with_what_to_do(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hostile(decides(lambda _: LOST)) as server:
        environment = key(data, CONSOLE_EVENTS_PER_REQUEST="2")
        assert main(["send", file(tmp_path, *good(6, 1)), "--target", url_of(server), "--yes"], environment) == 1
        assert got(server) == ["e0", "e1"]
    said = capsys.readouterr()
    assert said.out == "        4  pending\n        2  unknown\n"
    assert "is stopped: 4 events are pending, not sent yet. 1 lane of 1 stopped" in said.err
    assert (
        "Send exactly what never left with the key in $INTEMPT_API_KEY: python -m intempt_core send --resume b_"
        in said.err
    )
    assert "2 unknown events may have arrived" in said.err


def test_a_json_document_is_sent_in_its_order(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = [{"eventId": f"e{n}", "userId": "u", "data": {"productId": "p"}} for n in range(3)]
    document = tmp_path / "events.json"
    document.write_text(json.dumps({"track": [{"name": "Product viewed", "payload": events}]}))
    with hostile(decides(lambda _: OK)) as server:
        assert main(["send", str(document), "--target", url_of(server), "--yes"], key(data)) == 0
        assert [json.loads(received.body) for received in server.received] == [json.loads(document.read_text())]
    assert "Read as" not in capsys.readouterr().out


def test_a_persons_events_are_sent_by_their_times_where_that_is_chosen(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"Product viewed,e{n},u1,p,{1_700_000_000_000 + (n * 7) % 10}\n" for n in range(10)]
    with hostile(decides(lambda _: OK)) as server:
        call = ["send", file(tmp_path, *rows), "--target", url_of(server), "--yes", "--order", "time"]
        assert main(call, key(data)) == 0
        assert got(server) == [f"e{n}" for n in sorted(range(10), key=lambda n: (n * 7) % 10)]
    assert "A person's events go by their timestamp" in capsys.readouterr().err
    with history(data) as kept:
        assert kept.queries.batches().items[0].notes == {"order": "time"}


@pytest.mark.parametrize(
    ("target", "environment", "said"),
    [
        ("nobody", {}, "There is no target “nobody”"),
        ("https://x/", {"INTEMPT_API_KEY": "a.b"}, "This is no track URL."),
        ("http://127.0.0.1/v1/a/projects/b/sources/1/track", {}, "$INTEMPT_API_KEY is not set."),
        ("http://127.0.0.1/v1/a/projects/b/sources/1/track", {"INTEMPT_API_KEY": "nodot"}, "$INTEMPT_API_KEY: "),
    ],
)
def test_no_such_target_is_3(
    tmp_path: Path, target: str, environment: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"CONSOLE_DATA": str(tmp_path / "data"), **environment}
    assert main(["send", file(tmp_path, *good(1)), "--target", target, "--yes"], given) == 3
    error = capsys.readouterr().err
    assert said in error
    assert "nodot" not in error


def test_nothing_without_errors_is_nothing_to_send(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", file(tmp_path, "view,e,u,p,\n"), "--target", "sandbox", "--yes"], key(data)) == 1
    assert capsys.readouterr().err.endswith("There is nothing to send.\n")
    with history(data) as at:
        assert not at.queries.batches().total


def test_results_that_cannot_be_written_are_told_before_anything_is_sent(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["send", file(tmp_path, *good(1)), "--target", "sandbox", "--yes", "--results"]
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    for out in (tmp_path, tmp_path / "nowhere" / "out.csv", tmp_path / "link.csv", call[1]):
        assert main([*call, str(out), "--force"], key(data)) == 4
    assert capsys.readouterr().err.lower().count("nothing was sent.") == 4
    assert not data.exists()
    assert Path(call[1]).read_text().startswith(HEADER)


# ── confirming ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """A person at a terminal who answers once."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._answer + "\n"


def test_without_a_terminal_it_sends_only_with_yes(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", (tmp_path / "none").open("w+"))
    assert main(["send", file(tmp_path, *good(1)), "--target", "sandbox"], key(data)) == 1
    assert capsys.readouterr().err.endswith("Say --yes to send without a question.\n")
    sys.stdin.close()


@pytest.mark.parametrize(("answer", "sent"), [("y", True), ("Yes", True), ("", False), ("n", False)])
def test_a_terminal_is_asked(
    tmp_path: Path, data: Path, answer: str, sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert main(["send", file(tmp_path, *good(1)), "--target", "sandbox"], key(data)) == (0 if sent else 1)
    with history(data) as at:
        assert at.queries.batches().total == int(sent)


@pytest.mark.parametrize(("answer", "sent"), [("shop", True), ("y", False), ("SHOP", False)])
def test_a_production_target_wants_its_name_typed(
    tmp_path: Path,
    data: Path,
    answer: str,
    sent: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    with hostile(decides(lambda _: OK)) as server:
        shop = {
            "HOST": server.url,
            "ORG": "a",
            "PROJECT": "b",
            "SOURCE": "1",
            "KEY": "pre.secret",
            "PRODUCTION": "true",
        }
        environment = key(data, **{f"CONSOLE_TARGET_SHOP_{name}": value for name, value in shop.items()})
        code = main(["send", file(tmp_path, *good(1)), "--target", "shop"], environment)
        assert (code, len(server.received)) == ((0, 1) if sent else (1, 0))
    assert "to shop (PRODUCTION, 127.0.0.1:" in capsys.readouterr().err


# ── beside a console ─────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def console(data: Path, *, sends: bool = True) -> Iterator[str]:
    """What a running console is to the command line: a lock, a sandbox, and a process that sends. Its owner's name."""
    settings = Settings(data=data)
    opened = History.open(settings.history_url)
    with sandbox.run_sandbox(settings.sandbox_file) as url:
        dispatcher = Dispatcher(
            opened, SendingEnvironment(settings, lambda _: sandbox_target(url)), owner="console", url=url
        )
        lock = None
        if sends:
            dispatcher.start()
            while not read_running_console(data):
                time.sleep(0.01)
        else:
            lock = acquire_lock(data / CONSOLE_LOCK_NAME, {"pid": 1, "url": url, "owner": "console"})
        try:
            yield "console"
        finally:
            dispatcher.stop()
            if lock:
                lock.release()
            opened.close()


def test_beside_a_console_the_console_sends(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with console(data):
        call = ["send", file(tmp_path, *good(30)), "--target", "sandbox", "--yes", "--wait"]
        assert main(call, {"CONSOLE_DATA": str(data)}) == 0
        with history(data) as at:
            (batch,) = at.queries.batches().items
            assert (batch.owner, batch.state) == ("console", BatchState.DONE)
    said = capsys.readouterr()
    assert f"The console sends it: batch {batch.id}." in said.err
    assert said.out == "       30  accepted\n       30  processed\n"


def test_without_wait_it_says_that_it_is_pending_at_the_console(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with console(data, sends=False):
        call = ["send", file(tmp_path, *good(3)), "--target", "sandbox", "--yes"]
        assert main(call, {"CONSOLE_DATA": str(data)}) == 6
        with history(data) as at:
            (batch,) = at.queries.batches().items
            assert batch.events == {RequestState.PENDING: 3}
    assert f"3 events are pending at the console, batch {batch.id}." in capsys.readouterr().err


def test_a_url_target_is_sent_from_here_even_beside_a_console(tmp_path: Path, data: Path) -> None:
    with console(data), hostile(decides(lambda _: OK)) as server:
        assert main(["send", file(tmp_path, *good(3)), "--target", url_of(server), "--yes"], key(data)) == 0
        assert len(got(server)) == 3
        with history(data) as at:
            assert at.queries.batches().items[0].owner != "console"


def test_a_console_that_goes_while_one_waits_is_told(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with console(data, sends=False):
        gone = threading.Timer(0.5, (data / CONSOLE_LOCK_NAME).unlink)
        gone.start()
        call = ["send", file(tmp_path, *good(3)), "--target", "sandbox", "--yes", "--wait"]
        assert main(call, {"CONSOLE_DATA": str(data)}) == 6
        gone.join()
    assert "The console is gone. When it is started again it goes on" in capsys.readouterr().err


# ── as a process ─────────────────────────────────────────────────────────────────────────────────────────────────────


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "intempt_core", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.long  # tests/core/sandbox/test_faults.py serves one too
def test_the_sandbox_is_served_at_the_paths_of_the_contract(tmp_path: Path) -> None:
    server = start("sandbox", "--port", "0", CONSOLE_DATA=str(tmp_path))
    assert server.stderr
    url = server.stderr.readline().removeprefix("The sandbox: ").strip()
    assert "sandbox.sandbox" in server.stderr.readline()
    body = {"track": [{"name": "Product viewed", "payload": []}]}
    assert httpx.post(url, json=body, auth=("sandbox", "sandbox")).status_code == 201
    port = url.split(":")[2].split("/")[0]
    second = start("sandbox", "--port", port, CONSOLE_DATA=str(tmp_path))
    _, error = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"The sandbox cannot be served at port {port}" in error
    assert "Traceback" not in error
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=10)
    assert server.returncode == 0


def test_a_reader_that_goes_away_is_no_error_of_ours(tmp_path: Path) -> None:
    wrong = file(tmp_path, *(f"view,e{n},u,p,\n" for n in range(1000)))
    checker = start("check", wrong)
    assert checker.stdout
    checker.stdout.readline()
    checker.stdout.close()
    with suppress(ValueError):
        checker.wait(30)
    assert checker.stderr
    assert checker.stderr.read() == ""
    checker.stderr.close()
    assert checker.returncode == 141
