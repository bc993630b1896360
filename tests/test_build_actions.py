"""``action.yml`` and the workflows: safe by zizmor's rules, and their steps do what they say when they are run."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")

HEADER = "name,eventId,userId,productId,timestamp\n"
GOOD = "Product viewed,e{0},u{0},p{0},1700000000000\n"
WARNED = "Product viewed,w{0},null,p{0},1700000000000\n"
BAD = "Product viewed,b{0},u{0},,1700000000000\n"


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def iter_steps(path: Path) -> Iterator[dict[str, Any]]:
    document = read_yaml(path)
    jobs = document["jobs"].values() if "jobs" in document else [document["runs"]]
    for job in jobs:
        yield from job["steps"]


# ── what they are ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_zizmor_finds_nothing() -> None:
    program = Path(sys.executable).parent / "zizmor"
    call = [
        str(program),
        "--offline",
        "--no-progress",
        "--no-config",
        "--persona",
        "auditor",
        str(ACTION),
        *map(str, WORKFLOWS),
    ]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_no_expression_is_written_into_a_script_and_every_action_is_pinned(path: Path) -> None:
    for step in iter_steps(path):
        assert "${{" not in step.get("run", "")
        if "uses" in step and step["uses"] != "./":
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", step["uses"])


def test_the_workflow_runs_what_the_project_itself_calls_its_checks() -> None:
    """Each script is run as GitHub runs it, with a ``python3`` that only says how it was called."""
    called = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("python3 run.py")]
    scripts = [step["run"] for path in WORKFLOWS for step in iter_steps(path) if "run" in step]
    said = [run_bash(f'python3() {{ echo python3 "$@"; }}\n{script}', {}, ROOT).stdout.strip() for script in scripts]
    assert said == [*called, "python3 run.py test --all"]


def run_bash(script: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a step's script by the shell that GitHub runs it by, with nothing else in its environment."""
    call = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    given = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
    return subprocess.run(call, cwd=folder, env=given, capture_output=True, text=True, timeout=300, check=False)


# ── what the action does ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Runner:
    """A stand-in for GitHub's runner: it runs the scripts of the action's steps, one after another."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("temp", "workspace"):
            (self.folder / name).mkdir()
        self.environment = {
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_ACTIONS": "true",
            # Neither a network nor a minute: what it depends on is that of the tests.
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PYTHONPATH": sysconfig.get_path("purelib"),
        }

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def run_step(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run a step with some inputs; those that are not given have their defaults."""
        action = read_yaml(ACTION)
        step = next(step for step in action["runs"]["steps"] if step["name"] == name)
        values = {
            "steps.python.outputs.python-path": sys.executable,
            "github.action_path": str(ROOT),
            **{f"inputs.{name}": given.get("default", "") for name, given in action["inputs"].items()},
            **{f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()},
        }
        own = {name: EXPRESSION.sub(lambda one: values[one[1]], text) for name, text in step["env"].items()}
        return run_bash(step["run"], {**self.environment, **own}, self.workspace)

    def reports(self) -> dict[str, str]:
        """The reports that would be uploaded."""
        (line,) = (self.folder / "output").read_text().splitlines()[-1:]
        return {path.name: path.read_text("utf-8") for path in sorted(Path(line.removeprefix("reports=")).iterdir())}


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A runner on which the action is installed, from its own sources."""
    made = Runner(tmp_path_factory.mktemp("runner"))
    done = made.run_step("Install")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"Event Console \d+\.\d+", done.stdout.splitlines()[-1]), done.stdout
    return made


def write(runner: Runner, name: str, *rows: str) -> None:
    path = runner.workspace / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(rows))


@pytest.mark.long
def test_files_and_globs_are_checked_annotated_and_reported(runner: Runner) -> None:
    write(runner, "good.csv", GOOD.format(1))
    write(runner, "more/one two.csv", BAD.format(1))
    write(runner, "more/$(touch owned);`touch owned`.csv", GOOD.format(1), BAD.format(1))
    done = runner.run_step("Check", files="good.csv\n\n  more/*.csv  \n")
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert [line.partition("file=")[2].partition(",")[0] for line in lines] == [
        "more/$(touch owned);`touch owned`.csv",
        "more/one two.csv",
    ]
    assert not [*runner.workspace.rglob("owned")]
    reports = runner.reports()
    assert list(reports) == [
        "1-good.csv.json",
        "2-more___touch_owned___touch_owned_.csv.json",
        "3-more_one_two.csv.json",
    ]
    assert [json.loads(text)["rows_with_errors"] for text in reports.values()] == [0, 1, 1]
    assert (runner.folder / "summary.md").read_text("utf-8").count("###") == 3
    shutil.rmtree(runner.workspace / "more")


@pytest.mark.long
def test_warnings_fail_where_it_says_so_and_reports_have_the_form_that_is_asked(runner: Runner) -> None:
    write(runner, "warned.csv", WARNED.format(1))
    assert runner.run_step("Check", files="warned.csv").returncode == 0
    assert runner.run_step("Check", files="warned.csv", fail_on="warning", format="junit").returncode == 1
    (report,) = runner.reports().values()
    assert report.startswith("<?xml")


@pytest.mark.long
@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"files": "nothing-*.csv"}, "No file matches a line of the input files: · nothing-*.csv"),
        ({"files": "\n \n"}, "The input files names no file."),
        ({"files": "good.csv", "format": "xml; touch owned"}, "The input format is none of json, junit and text."),
        ({"files": "good.csv", "mapping": "no.json"}, "no.json"),
        ({"files": "good.csv", "fail_on": "$(touch owned)"}, "--fail-on"),
        ({"files": "--help.csv"}, "No file matches"),
        ({"files": "::stop-commands::x"}, "· ::stop-commands::x"),
    ],
)
def test_wrong_inputs_fail_with_a_sentence(runner: Runner, inputs: dict[str, str], sentence: str) -> None:
    write(runner, "good.csv", GOOD.format(1))
    done = runner.run_step("Check", **inputs)
    assert done.returncode == 2
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not [*runner.workspace.rglob("owned")]


@pytest.mark.long
def test_the_call_of_our_own_workflow_passes(runner: Runner) -> None:
    (step,) = (step for path in WORKFLOWS for step in iter_steps(path) if step.get("uses") == "./")
    shutil.copytree(ROOT / "tests" / "data", runner.workspace / "tests" / "data")
    done = runner.run_step("Check", **step["with"])
    assert done.returncode == 0, done.stdout + done.stderr
