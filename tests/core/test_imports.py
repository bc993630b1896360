"""What is loaded when: the core by itself is nothing, and a check needs no pandas, no database, no HTTP client."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import intempt_core

ROOT = Path(__file__).parents[2]
HEAVY = ("pandas", "sqlalchemy", "alembic", "dbos", "aiohttp", "httpx", "streamlit")
EVENT = '{"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}\n'
ROWS = (
    "name,eventId,userId,productId,timestamp,price\nProduct viewed,e1,u1,p1,2022-10-01 10:00:00,1.5\nview,e1,,p2,x,\n"
)
FILES = {"events.csv": ROWS, "ragged.csv": ROWS + "Product viewed,e3\n", "events.jsonl": EVENT * 2, "one.json": EVENT}


def loaded(code: str, *arguments: str, **environment: str) -> set[str]:
    """The modules of a fresh interpreter after it has run a code."""
    whole = f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", whole, *arguments],
        cwd=ROOT,
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_importing_the_core_loads_nothing() -> None:
    modules = loaded("import intempt_core")
    assert not modules & {*HEAVY, "numpy", "pyarrow", "pydantic"}
    assert [name for name in modules if name.startswith("intempt_core.")] == []


def test_a_name_loads_only_what_holds_it() -> None:
    assert not loaded("from intempt_core import Settings, TargetRegistry") & {*HEAVY, "pyarrow"}
    assert not loaded("from intempt_core import check_table, map_table, read_table") & {*HEAVY}


def test_every_name_of_the_core_is_there_and_its_version_is_the_projects() -> None:
    assert len(dir(intempt_core)) > 60
    for name in dir(intempt_core):
        assert getattr(intempt_core, name) is not None
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["tool"]["hatch"]["version"] == {"path": "intempt_core/__init__.py"}
    assert (ROOT / "intempt_core" / "py.typed").exists()


def test_a_check_loads_no_pandas_no_database_and_no_client(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("sku,title\np1,Shoe\n")
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    catalogue = ["--catalogue", str(tmp_path / "items.csv"), "--catalogue-column", "sku"]
    variants: list[list[str]] = [[], ["--format", "json"], catalogue, ["--target", "sandbox"]]
    calls = [["check", str(tmp_path / name), *more] for name in FILES for more in variants]
    called = "for call in json.loads(sys.argv[1]): assert main(call) in (0, 1)"
    code = f"import json, sys\nfrom intempt_core.cli import main\n{called}"
    modules = loaded(code, json.dumps(calls), CONSOLE_DATA=str(tmp_path / "data"))
    assert not modules & {*HEAVY}
    assert "pyarrow" in modules


@pytest.mark.long  # of a check the test above says it
def test_a_send_loads_no_pandas(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("name,eventId,userId,productId\nProduct viewed,e1,u1,p1\n")
    call = ("send", str(tmp_path / "events.csv"), "--target", "sandbox", "--yes")
    code = "import sys\nfrom intempt_core.cli import main\nassert main(sys.argv[1:]) == 0"
    assert not loaded(code, *call, CONSOLE_DATA=str(tmp_path / "data")) & {"pandas", "streamlit"}


@pytest.mark.parametrize("arguments", [("--help",), ("settings",)])
def test_help_and_settings_do_without_arrow_too(arguments: tuple[str, ...]) -> None:
    called = "with contextlib.suppress(SystemExit): main(sys.argv[1:])"
    code = f"import sys, contextlib\nfrom intempt_core.cli import main\n{called}"
    assert not loaded(code, *arguments) & {*HEAVY, "pyarrow"}
