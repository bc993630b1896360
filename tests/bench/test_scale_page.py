"""What the bench writes into ``docs/scale.md`` replaces what it wrote before, and nothing else."""

from pathlib import Path

import pytest

from tests.bench import bench_simulate
from tests.bench.bench_simulate import BEGIN, END, MEASURED_WORKERS, PAGE, predict, render_findings, write_page
from tests.bench.sending_constants import MeasuredConstants
from tests.bench.sending_model import Constants, Cost, Prediction
from tests.bench.worker_runs import SendingRun


def test_the_page_has_one_place_for_what_the_bench_writes() -> None:
    page = PAGE.read_text("utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert page.index(BEGIN) < page.index(END)


def test_what_is_written_twice_stands_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "scale.md"
    page.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    monkeypatch.setattr(bench_simulate, "PAGE", page)
    write_page("first\n")
    write_page("second\n")
    assert page.read_text() == f"before\n{BEGIN}\n\nsecond\n\n{END}\nafter\n"


def test_findings_say_whether_the_model_is_believed() -> None:
    constants = Constants(request=0.001, before=Cost(0.001, 0.001, 0.0001, 0.0001), response=0.05)
    alone = SendingRun(100.0, 0.002, 0.001, 0.0002, 7.0)
    simulated = {workers: Prediction(100.0 * workers, {}, "the time of responses") for workers in MEASURED_WORKERS}
    predicted = predict(Constants(response=2.0), 2)
    for measured, verdict in ((90.0, "so it is believed for more"), (80.0, "**so nothing below is to be believed**")):
        found = render_findings(
            MeasuredConstants(constants, alone), {1: measured, 2: measured * 2}, simulated, predicted, 2
        )
        assert verdict in found
    assert "are enough for 13 workers" in found  # (100 - 3) / 7
