"""Paging through a file's problems: the browser gets one page, and as soon, whatever the size of the file."""

import os
import statistics
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from tests.bench.event_files import write
from tests.bench.harness import ROOT, Figures, bench, fresh

HERE = "tests.bench.bench_problems"
LARGE, SMALL = 1_000_000, 10_000
PAGES = 40
WARMING = 3
TURNS = 3


@bench("upload.page", at_most=2)
def next_page() -> Figures:
    """The 95th percentile of a run of the Upload screen for the next page of problems: 1,000,000 rows over 10,000."""
    found: dict[int, list[dict[str, float]]] = {SMALL: [], LARGE: []}
    for _ in range(TURNS):
        for rows, some in found.items():
            some.append(fresh(f"{HERE}:pages", _file(rows)))
    large, small = (
        {key: statistics.median(one[key] for one in found[rows]) for key in found[rows][0]} for rows in (LARGE, SMALL)
    )
    return {
        "ratio": large["p95_ms"] / small["p95_ms"],
        "large_p95_ms": large["p95_ms"],
        "small_p95_ms": small["p95_ms"],
        "core_ratio": large["core_p95_ms"] / small["core_p95_ms"],
        "large_core_p95_ms": large["core_p95_ms"],
        "small_core_p95_ms": small["core_p95_ms"],
        "bytes_to_the_browser": max(large["bytes"], small["bytes"]),
        "large_fix_s": large["fix_s"],
    }


@cache
def _file(rows: int) -> str:
    path = Path(tempfile.mkdtemp(prefix="bench-")) / f"events_{rows}.csv"
    write(path, rows, 0.02)
    return str(path)


def pages(path: str) -> dict[str, float]:
    """One process's measurements, on the screen's own script: what a run for the next page takes, what it sends.

    Beside it the core's share: the page's issues, and the rows that show them. And a whole column fixed: the file
    is fixed, checked and planned again.
    """
    with tempfile.TemporaryDirectory() as data:
        os.environ["CONSOLE_DATA"] = data
        from streamlit.testing.v1 import AppTest, local_script_runner

        from pages.parts.upload.problem_rows_view import PROBLEMS_PER_PAGE
        from pages.parts.upload.state import check_upload
        from tests.pages.upload_steps import Upload

        drawn: list[tuple[float, int]] = []
        read = local_script_runner.parse_tree_from_messages  # type: ignore[attr-defined]  # where a run has ended

        def measured(messages: Any) -> Any:  # before the test's own reading of what was drawn
            drawn.append((time.perf_counter(), sum(message.ByteSize() for message in messages)))
            return read(messages)

        local_script_runner.parse_tree_from_messages = measured  # type: ignore[attr-defined]
        upload = Upload(AppTest.from_file(str(ROOT / "pages" / "console.py")).switch_page("upload.py")).run()
        upload.drop(Path(path).read_bytes()).press("upload-settle").look(3)
        verdict = check_upload(upload.app.session_state["console"].screen_states["UploadState"].question)
        taken, sizes, core = [], [], []
        there_are = -(-verdict.report.issue_count() // PROBLEMS_PER_PAGE)
        for turn in range(PAGES + WARMING):
            page = 1 + turn * 37 % there_are
            upload.app.session_state["upload-page-None"] = page
            began = time.perf_counter()
            upload.run()
            ended, size = drawn[-1]
            if turn >= WARMING:  # everything is imported and compiled then
                taken.append((ended - began) * 1000)
                sizes.append(size)
            began = time.perf_counter()
            issues = verdict.report.issues((page - 1) * PROBLEMS_PER_PAGE, PROBLEMS_PER_PAGE)
            at = sorted({issue.place.row - 1 for issue in issues if issue.place.row})
            for column in verdict.mapped.table.header:
                verdict.mapped.table.take_cells(column, at)
            core.append((time.perf_counter() - began) * 1000)
        upload.press("upload-suggested-fix-0")
        began = time.perf_counter()
        upload.press("upload-fix")
        fix_s = drawn[-1][0] - began
    return {"p95_ms": _p95(taken), "bytes": float(max(sizes)), "core_p95_ms": _p95(core[WARMING:]), "fix_s": fix_s}


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]
