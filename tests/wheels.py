"""The wheel of this project, built from a copy of its tree, and environments that it is installed in."""

import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

NOT_COPIED = (".git", ".venv", ".data", "__pycache__", ".*_cache", ".hypothesis", "secrets.toml", ".coverage*")
"""What is no part of the project's tree: what git ignores."""


def read_project() -> dict[str, Any]:
    """The table ``[project]`` of ``pyproject.toml``. Any: TOML."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project: dict[str, Any] = tomllib.load(file)["project"]
    return project


def copy_tree(into: Path) -> Path:
    """Copy the project as a fresh clone has it."""
    shutil.copytree(ROOT, into, ignore=shutil.ignore_patterns(*NOT_COPIED, "tests"))
    return into


def build(tree: Path, into: Path, *kinds: str) -> list[Path]:
    """Build ``wheel`` or ``sdist`` of a tree, with the tools of this environment, and return the files."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(into)]
    for kind in kinds:
        subprocess.run([*command, "-t", kind], cwd=tree, check=True, capture_output=True)
    return sorted(into.iterdir())


def make_environment(folder: Path) -> Path:
    """Make a virtual environment with pip, and return its folder of programs."""
    venv.create(folder, with_pip=True, symlinks=True)
    return folder / "bin"


def install(programs: Path, *what: str) -> None:
    """Install into an environment, with the versions that were tested."""
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--no-compile", "--no-input"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "-c", str(ROOT / "constraints.txt"), *what],
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
