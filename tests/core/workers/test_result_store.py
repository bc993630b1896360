"""Results are worked out once, the same here and in a process of their own, and given back when tabs are closed."""

import gzip
import io
import json
import threading
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from intempt_core.errors import ReadError
from intempt_core.fixes import Fix, FixKind
from intempt_core.history import History
from intempt_core.mapping import choose_initial_mapping
from intempt_core.planning import EventOrder
from intempt_core.settings import Settings
from intempt_core.validation import CatalogueFile, CatalogueFolder, ProductCatalogue
from intempt_core.workers.export_tasks import ExportFile, ExportKind
from intempt_core.workers.file_check import FileCheck
from intempt_core.workers.file_tasks import (
    BuildCatalogue,
    CheckFile,
    FileContext,
    PlanFile,
    PreviewFix,
    ReadCatalogue,
    ReadFile,
)
from intempt_core.workers.result_store import CLOSED_TAB_SECONDS, RESULTS_PER_TAB, ResultStore
from tests.core.readers.parquet_factories import parquet_of
from tests.core.readers.workbook_factories import rows_xml, workbook
from tests.core.workers.odd_tasks import OddTask, is_running, wait_until_gone
from tests.pages.upload_steps import HEADER, cosmetics, csv_of, good_rows

ROWS = [
    *good_rows(30),
    "Product viewed,e1,u1,SKU_1,1714631904000,1.50",  # a repeat
    "Product viewed,e2,u9,SKU_1,1714631904000,1.50",  # the id of another event
    "Product ordered,o1,u9,SKU_1,1714631904000,1.50",
    "Product ordered,o1,u9,SKU_2,1714631904000,1.50",  # a line of the same order
    "Product Viewed,e41,u1,SKU_1,1714631904,1.50",
    "Product viewed,,u1,,1714631904000,x",
    "Product viewed,e43,null,SKU_1",
    "Product viewed,e44,u1,SKU_1,1714631904000,1.50,more",
]
EVENTS = [
    {"name": "Product viewed", "eventId": f"e{n % 12}", "userId": f"u{n % 3}", "data": {"productId": n or "SKU"}}
    for n in range(15)
]
SAMPLES = {
    "events.csv": csv_of(*ROWS),
    "latin-1.csv": csv_of(*ROWS, "Product viewed,e50,zoë,SKU_1,1714631904000,1.50").decode().encode("latin-1"),
    "events.csv.gz": gzip.compress(csv_of(*ROWS)),
    "made-ids.csv": cosmetics(200),
    "expect.csv": csv_of("Product viewed,e1,u1,p,1,ok", "x,e2,u1,p,1,event_name", header=f"{HEADER[:-6]},expect"),
    "events.jsonl": "\n".join([*map(json.dumps, EVENTS), '{"name": ', '{"track": []}']).encode(),
    "events.xlsx": workbook({"Events": rows_xml([row.split(",") for row in (HEADER, *ROWS)])}),
    "events.parquet": parquet_of(HEADER.split(","), [row.split(",")[:6] for row in ROWS[:36]]),
    "empty.csv": csv_of(),
}


@pytest.fixture
def context(tmp_path: Path) -> FileContext:
    settings = Settings(data=tmp_path)
    return FileContext(
        settings, lambda: History.open(settings.history_url), CatalogueFolder(settings.catalogues_folder)
    )


def store_of(context: FileContext, *, small: bool = False, **more: object) -> ResultStore:
    """A store that works on every file here, or on none."""
    arguments: dict[str, object] = {"is_tab_open": lambda _: True, **more}
    return ResultStore(context, context.settings.data, small_bytes=10**9 if small else 0, **arguments)  # type: ignore[arg-type]


ABOUT_EXPECTATIONS = (ExportKind.EXPECTATIONS_JSON, ExportKind.EXPECTATIONS_JUNIT)


def unpacked(made: bytes) -> object:
    """A workbook's parts but those that hold the time; any other file as it is."""
    if not made.startswith(b"PK"):
        return made
    with zipfile.ZipFile(io.BytesIO(made)) as parts:
        return {name: parts.read(name) for name in parts.namelist() if name.startswith("xl/")}


def describe_all(store: ResultStore, path: Path, fixes: tuple[Fix, ...]) -> object:
    """Everything that a screen can show of a file."""
    read = ReadFile(path, path.name, path.name)
    table = store.fetch(read, "tab")
    check = CheckFile(read, choose_initial_mapping(table).to_json(), None, "target", "", fixes)
    checked: FileCheck = store.fetch(check, "tab")
    choices = product((False, True), EventOrder) if fixes else ((False, EventOrder.FILE),)
    plans = [store.fetch(PlanFile(check, everything, False, order), "tab") for everything, order in choices]
    some_fixes = [Fix(FixKind.REPLACE, table.header[2], old="u1", new="u2")]
    some_fixes += [suggested.fix for suggested in checked.suggestions][:1]
    changes = [store.fetch(PreviewFix(check, fix), "tab") for fix in some_fixes]
    exports = [
        store.fetch(ExportFile(check, kind), "tab").read()
        for kind in ExportKind
        if kind not in ABOUT_EXPECTATIONS or not isinstance(checked.expectations, str)
    ]
    report = checked.report
    expectations = checked.expectations
    return (
        (table.name, table.digest, table.size, table.dialect, table.header, table.lines.tolist(), table.notes),
        {name: column.to_pylist() for name, column in table.columns.items()},
        dict(table.cell_counts), table.format, table.sheets,
        {name: column.to_pylist() for name, column in checked.mapped.table.columns.items()},
        [(event.name, event.body, event.place) for event in checked.mapped.events()],
        report.counts, report.issues(), report.rows_with_errors, report.rows_with_warnings,
        {code: report.part_counts(code) for code in report.counts},
        [report.first_row_of(row) for row in range(report.rows)],
        [(fix.code, fix.message, fix.reason, fix.change.after.to_pylist()) for fix in checked.suggestions],
        [unpacked(made) for made in exports],
        [(change.message, change.rows.tolist(), change.after.to_pylist()) for change in changes],
        checked.issue_histogram, checked.fix_records, list(checked.excluded_records()),
        expectations if isinstance(expectations, str) else list(expectations.results(range(report.rows))),
        [(plan.events, plan.persons, plan.lanes, plan.largest_lane, plan.find_row(3)) for plan in plans],
        [[body for block in plan.iter_blocks() for body in block.bodies] for plan in plans],
    )  # fmt: skip


@pytest.mark.long  # of catalogues and of ids that are made the next tests say it
@pytest.mark.parametrize("name", SAMPLES)
def test_a_process_of_its_own_gives_what_is_worked_out_here(context: FileContext, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(SAMPLES[name])
    fixes: tuple[Fix, ...] = ()
    if name in ("events.csv", "events.jsonl"):
        column = "productId" if name == "events.csv" else "data.productId"
        fixes = Fix(FixKind.PUT, column, (1,), "", "SKU_NEW"), Fix(FixKind.IDS, "eventId", (5,))
    assert describe_all(store_of(context), path, fixes) == describe_all(store_of(context, small=True), path, fixes)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("items.csv", b"productId,brand\nSKU_2,Runail\nSKU_1,Irisk\nSKU_2,\n,none\n"),
        pytest.param(
            "items.json",
            b'{"items": [{"productId": "SKU_2", "brand": "Runail"}, {"productId": 1, "brand": null}]}',
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_catalogue_is_the_same_from_a_process_of_its_own(
    context: FileContext, tmp_path: Path, name: str, content: bytes
) -> None:
    path, found = tmp_path / name, []
    path.write_bytes(content)
    nothing = tmp_path / "nothing.csv"
    nothing.write_bytes(b"productId,nothing\nSKU_1,\n")
    for store in (store_of(context), store_of(context, small=True)):
        read = ReadCatalogue(path, "d", name)
        listing: CatalogueFile = store.fetch(read, "tab")
        built: ProductCatalogue = store.fetch(BuildCatalogue(read, "productId", ("brand",)), "tab")
        columns = {column: cells.to_pylist() for column, cells in listing.columns.items()}
        products = (built.rows, built.ids.to_pylist(), built.names.to_pylist())
        found.append((listing.header, listing.rows, columns, products))
        with pytest.raises(ReadError, match="has a product id in its column nothing"):
            store.fetch(BuildCatalogue(ReadCatalogue(nothing, "n", "nothing.csv"), "nothing"), "tab")
    assert found[0] == found[1]


def test_a_result_is_worked_out_once_for_all_tabs(context: FileContext, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(SAMPLES["events.csv"])
    store, found = store_of(context), []
    tabs = [
        threading.Thread(target=lambda tab=tab: found.append(store.fetch(ReadFile(path, "d", "n"), tab)))
        for tab in "abcd"
    ]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len({id(table) for table in found}) == 1


def test_a_file_that_cannot_be_read_is_the_same_sentence_and_is_not_read_again_at_once(
    context: FileContext, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(b'name,"userId\nProduct viewed,u1\n')
    sentences = []
    for store in (store_of(context), store_of(context, small=True)):
        with pytest.raises(ReadError, match="never closed") as caught:
            store.fetch(ReadFile(path, "d", "events.csv"), "tab")
        sentences.append((str(caught.value), caught.value.line))
        with pytest.raises(ReadError) as again:
            store.fetch(ReadFile(path, "d", "events.csv"), "tab")
        assert again.value is caught.value
        path_later = ReadFile(path, "d", "events.csv")
        store.let_go(path_later, "tab")
        assert not store.is_ready(path_later)
    assert sentences[0] == sentences[1]


def test_ids_are_made_in_the_process_that_checks_and_not_in_the_consoles(context: FileContext, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(SAMPLES["made-ids.csv"])
    store, read = store_of(context), ReadFile(path, "d", "events.csv")
    mapping = choose_initial_mapping(store.fetch(read, "tab")).to_json()
    checked: FileCheck = store.fetch(CheckFile(read, mapping, None, "target", ""), "tab")
    assert checked.mapped.makes_ids
    assert "made_ids" in vars(checked.mapped)


# ── closed tabs ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Tabs:
    """Which tabs are open, and what time it is."""

    def __init__(self) -> None:
        self.closed: set[str] = set()
        self.now = 0.0

    def is_open(self, tab: str) -> bool:
        return tab not in self.closed


@pytest.fixture
def tabs() -> Tabs:
    return Tabs()


@pytest.fixture
def make_store(context: FileContext, tabs: Tabs) -> Callable[..., ResultStore]:
    return lambda **more: store_of(context, is_tab_open=tabs.is_open, clock=lambda: tabs.now, **more)


@pytest.mark.parametrize("small", [False, True])
def test_the_table_of_a_closed_tab_is_given_back_and_is_there_again_when_the_tab_is(
    make_store: Callable[..., ResultStore], tabs: Tabs, tmp_path: Path, small: bool
) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(SAMPLES["events.csv"])
    store, task = make_store(small=small), ReadFile(path, "d", "events.csv")
    table = store.fetch(task, "one")
    assert store.fetch(task, "two") is table
    tabs.closed.add("one")
    store.sweep()
    tabs.now += CLOSED_TAB_SECONDS
    store.sweep()
    assert store.fetch(task, "two") is table
    tabs.closed.add("two")
    store.sweep()
    tabs.closed.discard("two")  # the network failed for a moment
    store.sweep()
    tabs.now += CLOSED_TAB_SECONDS
    store.sweep()
    assert store.fetch(task, "two") is table
    tabs.closed.add("two")
    store.sweep()
    tabs.now += CLOSED_TAB_SECONDS
    store.sweep()
    assert store.is_ready(task) is not small  # on disk
    if not small:
        path.unlink()  # it is mapped, not read again
    again = store.fetch(task, "two")
    assert again is not table
    assert again.columns == table.columns


def test_the_process_of_a_closed_tab_is_ended(
    make_store: Callable[..., ResultStore], tabs: Tabs, tmp_path: Path
) -> None:
    store, task = make_store(), OddTask("sleep", tmp_path, "sleep")
    errors: list[Exception] = []

    def wait() -> None:
        try:
            store.fetch(task, "tab")
        except ReadError as error:
            errors.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    process = task.process()
    tabs.closed.add("tab")
    store.sweep()
    assert is_running(process)
    tabs.now += CLOSED_TAB_SECONDS
    store.sweep()
    wait_until_gone(process)
    waiting.join(5)
    assert errors


def test_a_tab_that_does_something_else_leaves_its_process_running(
    make_store: Callable[..., ResultStore], tmp_path: Path
) -> None:
    class Clicked(BaseException): ...

    def click() -> None:
        raise Clicked

    store, task = make_store(), OddTask("sleep", tmp_path, "sleep")
    with pytest.raises(Clicked):
        store.fetch(task, "tab", click)
    process = task.process()
    with pytest.raises(Clicked):  # it comes back, and waits for the same process
        store.fetch(task, "tab", click)
    assert is_running(process)
    store.stop()
    wait_until_gone(process)


def test_a_tab_holds_some_results_and_lets_go_of_older_ones(
    make_store: Callable[..., ResultStore], tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(SAMPLES["events.csv"])
    store = make_store(small=True)
    tasks = [ReadFile(path, f"d{number}", "events.csv") for number in range(RESULTS_PER_TAB + 2)]
    for task in tasks:
        store.fetch(task, "tab")
    assert [store.is_ready(task) for task in tasks] == [False] * 2 + [True] * RESULTS_PER_TAB
