"""A pytest of its own: a project in a folder, run as its owner runs it, with the plugin."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def run_pytest(folder: Path, *options: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the tests in a folder; plugins of this project's own tests are left out."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    others = [
        option
        for name in ("randomly", "cacheprovider", "schemathesis", "hypothesispytest")
        for option in ("-p", f"no:{name}")
    ]
    installed = entry_points(group="pytest11", name="event-console")
    plugin = [] if installed else ["-p", "intempt_core.testing.pytest_plugin"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *others, *plugin, *options],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
