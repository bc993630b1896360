"""A word at every step of a command: at a terminal from the start, elsewhere where a step takes long."""

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from intempt_core.cli import steps
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.live_lines import LiveLines, cut_to_width
from intempt_core.cli.steps import StepDisplay
from tests.core.cli.terminals import ROOT, TerminalRun
from tests.core.cli.test_cli import file, good, key, start, url_of
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import hostile

SLOW_STEP = """
import contextlib, importlib, sys, time
from intempt_core.cli import main
shown = importlib.import_module("intempt_core.cli.steps")
slow, step = sys.argv.pop(1), shown.StepDisplay.step
@contextlib.contextmanager
def slowly(self, word, detail=""):
    with step(self, word, detail):
        if word == slow:
            time.sleep(60)
        yield
shown.StepDisplay.step = slowly
sys.exit(main())
"""
SEND_STEPS = ("Reading: big.csv", "Checking: 60,000 rows", "Planning: 60,000 events", "Recording", "Sending")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def big(tmp_path: Path) -> str:
    return file(tmp_path, *good(60_000, 500), name="big.csv")


@pytest.mark.long  # the next says it of a check
def test_send_says_each_step_at_a_terminal_and_only_there(big: str, data: Path) -> None:
    with hostile(decides(lambda _: OK)) as server:
        run = TerminalRun(
            ["send", big, "--target", url_of(server), "--yes"], key(data, CONSOLE_EVENTS_PER_REQUEST="500")
        )
        code, out = run.end()
    assert (code, out) == (0, "   60,000  accepted\n")
    places = [run.shown.index(word) for word in SEND_STEPS]
    assert places == sorted(places)
    assert "60,000 of 60,000 events" in run.shown
    assert "of 3 MB" in run.shown
    assert run.is_cursor_shown


def test_check_says_each_step_at_a_terminal_and_only_there(big: str, tmp_path: Path) -> None:
    run = TerminalRun(["check", big, "--problems", str(tmp_path / "problems.csv")], {})
    code, out = run.end()
    assert (code, out) == (0, "big.csv: 60,000 rows; 0 rows have errors, 0 rows have warnings.\n")
    assert run.shown.index("Reading: big.csv") < run.shown.index("Checking: 60,000 rows") < run.shown.index("Writing")
    assert run.is_cursor_shown


@pytest.mark.long  # of a send without a terminal: tests/core/cli/test_send_once.py
@pytest.mark.parametrize("step", ["Recording", "Reading", "Checking", "Planning", "Sending"])
def test_ctrl_c_in_each_step_leaves_the_terminal_as_it_was(step: str, tmp_path: Path, data: Path) -> None:
    given = file(tmp_path, *good(3))
    with hostile(decides(lambda _: OK, pause=0.2)) as server:
        environment = key(data, CONSOLE_EVENTS_PER_REQUEST="1")
        run = TerminalRun([step, "send", given, "--target", url_of(server), "--yes"], environment, SLOW_STEP)
        run.wait_for(step)
        time.sleep(0.2)
        run.type(b"\x03")
        code, _ = run.end()
    assert code == ExitCode.INTERRUPTED
    assert run.is_cursor_shown
    assert "Interrupted" in run.shown
    assert "Traceback" not in run.shown


def test_a_files_name_is_neither_markup_nor_a_sequence_for_the_terminal(tmp_path: Path) -> None:
    name = "[bold red]a[red] :smile: \x1b]0;taken\x07\x1b[2J.csv"
    run = TerminalRun(["check", file(tmp_path, *good(1), name=name)], {})
    code, _ = run.end()
    assert code == 0
    assert "Reading: [bold red]a[red] :smile: " in run.shown
    assert "\x1b]0" not in run.shown
    assert "\x1b[2J" not in run.shown


def test_a_terminal_that_cannot_move_its_cursor_gets_lines_soon(tmp_path: Path) -> None:
    waiting = tmp_path / "never.csv"
    os.mkfifo(waiting)
    run = TerminalRun(["check", str(waiting)], {"TERM": "dumb"})
    run.wait_for("Reading: never.csv · 1 s\r\n")
    run.type(b"\x03")
    assert run.end()[0] == ExitCode.INTERRUPTED
    assert "\x1b" not in run.shown


def test_colours_are_left_out_where_nobody_wants_them(big: str) -> None:
    run = TerminalRun(["check", big], {"NO_COLOR": "1", "TERM": "xterm-256color"})
    assert run.end()[0] == 0
    assert "\x1b[9" not in run.shown
    assert "\x1b[38" not in run.shown


@pytest.mark.long
def test_without_a_terminal_a_step_that_takes_long_is_named(tmp_path: Path) -> None:
    waiting = tmp_path / "never.csv"
    os.mkfifo(waiting)
    check = start("check", str(waiting))
    assert check.stderr
    assert check.stderr.readline() == "Reading: never.csv · 5 s\n"
    check.terminate()
    out, error = check.communicate(timeout=30)
    assert (check.returncode, out, error) == (ExitCode.INTERRUPTED, "", "Interrupted.\n")


def test_lines_come_again_and_again_and_end_with_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PLAIN_LINE_SECONDS", 0.05)
    out = io.StringIO()
    with StepDisplay(out) as shown:
        with shown.step("Sending"):
            due = [shown.is_due]
            shown.update("2 of 9 events")
            due.append(shown.is_due)
            time.sleep(0.3)
        written = out.getvalue()
        time.sleep(0.1)
    assert due == [True, False]
    assert out.getvalue() == written
    assert written.count("Sending: 2 of 9 events · 0 s\n") >= 2


def test_where_there_is_no_terminal_nothing_is_written_for_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "intempt_core", "check", file(tmp_path, *good(1))],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.endswith("warnings.\n")
    assert done.stderr == ""


class Screen(io.StringIO):
    """What a terminal shows of what is written to it, by the few sequences that live lines use."""

    @property
    def rows(self) -> list[str]:
        rows, row = [""], 0
        for piece in re.findall(r"\x1b\[[?\d]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", self.getvalue()):
            if piece == "\x1b[1A":
                row -= 1
            elif piece == "\x1b[2K":
                rows[row] = ""
            elif piece == "\n":
                row += 1
                rows += [""] * (row == len(rows))
            elif piece[0] not in "\r\x1b":
                assert rows[row] == "", "it is written onto what is there"
                rows[row] = piece
        return rows


def test_live_lines_are_written_over_and_nothing_of_them_is_left() -> None:
    out = Screen()
    states = iter([["a"], ["b", "###", "c"], ["d", "e"]])
    shown = ["z"]
    lines = LiveLines(out, lambda: next(states, shown), 1_000)
    with lines:
        while next(states, None) is not None or out.rows[0] != "z":
            time.sleep(0.001)
        assert [row for row in out.rows if row] == ["z"]
        shown.append("y" * 500)
        while "y" not in out.getvalue():
            time.sleep(0.001)
        assert [row for row in out.rows if row] == ["z", "y" * 79]  # a terminal that says no width has 80 columns
    assert "".join(out.rows) == ""
    assert out.getvalue().endswith("\x1b[?25h")


@pytest.mark.parametrize(
    ("line", "width", "cut"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("日本語", 5, "日本"),
        ("e\u0301a\u0301o", 2, "e\u0301a\u0301"),
        ("x", 0, ""),
    ],
)
def test_a_line_is_cut_to_the_columns_that_it_takes(line: str, width: int, cut: str) -> None:
    assert cut_to_width(line, width) == cut
