"""The README's own lines, run as they stand there."""

import re
from pathlib import Path

import pytest

from intempt_core import sandbox

README = Path(__file__).parent.parent / "README.md"
EVENTS = """\
name,eventId,userId,productId
Added to cart,e1,u1,A1
Product viewed,e2,u1,
Product ordered,e3,u2,A2
"""


def test_the_library_in_the_readme_checks_and_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(lines) == 1
    (tmp_path / "events.csv").write_text(EVENTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSOLE_DATA", str(tmp_path / "data"))
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3") as url:
        exec(lines[0].replace("http://127.0.0.1:8501/sandbox", url), {})  # noqa: S102  our own README
    assert capsys.readouterr().out.splitlines() == [
        "{'product_id_missing': 1} stay behind: 1",
        "{'accepted': 2}",
    ]


def test_the_library_is_eight_lines() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) == 8
