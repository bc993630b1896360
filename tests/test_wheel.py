"""What travels in the wheel, what it needs, and that its base does without Streamlit and pandas."""

import json
import re
import subprocess
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from tests.wheels import ROOT, build, copy_tree, install, make_environment, read_project

KEY = "planted.d41d8cd98f00b204e9800998"
EVENTS = """\
name,eventId,userId,timestamp,data.productId
Product viewed,e1,u1,2026-11-01T10:00:00Z,A1
Added to cart,e2,u1,2026-11-01T10:01:00Z,A1
"""

SHOP = """\
import json, urllib.request
from base64 import b64encode
import pytest

FIELD = "{field}"

class Shop:
    def configure(self, *, host, org, project, source, key):
        self.url = f"http://{{host}}/v1/{{org}}/projects/{{project}}/sources/{{source}}/track"
        self.key = b64encode(key.replace(".", ":", 1).encode()).decode()

    def add_to_cart(self, user, product):
        event = {{"eventId": f"{{user}}-{{product}}", "userId": user, "data": {{FIELD: product}}}}
        body = json.dumps({{"track": [{{"name": "Added to cart", "payload": [event]}}]}}).encode()
        headers = {{"Authorization": f"Basic {{self.key}}", "Content-Type": "application/json"}}
        urllib.request.urlopen(urllib.request.Request(self.url, body, headers)).close()

@pytest.fixture
def shop():
    return Shop()
"""
"""An application under test, and the fixture that a project of its own would have."""


def read_pins(name: str) -> dict[str, str]:
    """The exact versions of a requirements file, by name without its extras."""
    lines = (re.split("[#;]", line)[0].strip() for line in (ROOT / name).read_text().splitlines())
    pins = (line.lower().split("==") for line in lines if line and not line.startswith("-"))
    return {name.partition("[")[0]: pin for name, pin in pins}


def test_base_and_extra_together_are_the_full_list_each_pin_within_its_range() -> None:
    project = read_project()
    named = [*project["dependencies"], *project["optional-dependencies"]["console"]]
    ranges = {one.name.lower(): one.specifier for one in map(Requirement, named)}
    pins = read_pins("requirements.txt")
    assert len(ranges) == len(named)
    assert set(ranges) == set(pins)
    assert [name for name, pin in pins.items() if not ranges[name].contains(pin)] == []
    assert [name for name, allowed in ranges.items() if "<" not in str(allowed)] == []  # a range has two ends


def test_the_screens_packages_are_in_the_extra_alone() -> None:
    project = read_project()
    extra = {Requirement(one).name for one in project["optional-dependencies"]["console"]}
    assert {"streamlit", "pandas"} <= extra
    assert not extra & {Requirement(one).name for one in project["dependencies"]}


def test_what_builds_the_wheel_is_pinned_alike_everywhere() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert re.findall(r'requires = \["hatchling==(.*?)"\]', text) == [read_pins("requirements-test.txt")["hatchling"]]


def test_a_wheel_has_one_package_at_its_top_with_all_that_is_read_while_it_runs() -> None:
    builder = WheelBuilder(str(ROOT))
    builder.config.set_build_data({"artifacts": [], "force_include": {}, "force_include_editable": {}})
    names = {str(one.distribution_path) for one in builder.recurse_included_files()}
    forced = builder.config.get_force_include()
    places = {str(Path(path).relative_to(ROOT)): to for path, to in forced.items()}
    assert places == {
        "app.py": "intempt_core/_console/app.py",
        ".streamlit/config.toml": "intempt_core/_console/.streamlit/config.toml",
    }
    assert {name.partition("/")[0] for name in names} == {"intempt_core"}
    of_core = {str(path.relative_to(ROOT)) for path in (ROOT / "intempt_core").rglob("*") if path.is_file()}
    lacking = {name for name in of_core - names if "__pycache__" not in name}
    assert lacking == set()
    assert {"intempt_core/_console/pages/__init__.py", "intempt_core/_console/docs/first-run.md"} <= names


@pytest.mark.long
def test_a_key_that_lies_in_the_tree_is_in_no_file_of_wheel_and_sdist(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    (tree / ".streamlit" / "secrets.toml").write_text(f'[targets.shop]\nkey = "{KEY}"\n')
    (tree / ".data").mkdir()
    (tree / ".data" / "password.key").write_text(KEY)
    (tree / "notes.txt").write_text(KEY)
    wheel, sdist = sorted(build(tree, tmp_path / "built", "wheel", "sdist"), key=lambda path: path.suffix != ".whl")
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(sdist) as packed:
        for member in packed.getmembers():
            content = packed.extractfile(member)
            files[f"sdist:{member.name}"] = content.read() if content else b""
    assert len(files) > 1000
    assert [name for name, content in files.items() if KEY.encode() in content or "secrets.toml" in name] == []
    assert not any(name.startswith(("pages/", "app.py")) for name in files)
    assert "intempt_core/_console/.streamlit/config.toml" in files
    assert (
        b"event-console = intempt_core.__main__:run_process"
        in files[next(name for name in files if name.endswith("dist-info/entry_points.txt"))]
    )


@pytest.mark.long
def test_the_base_checks_suggests_and_sends_without_streamlit_and_pandas(tmp_path: Path) -> None:
    (wheel,) = build(copy_tree(tmp_path / "tree"), tmp_path / "built", "wheel")
    programs = make_environment(tmp_path / "environment")
    install(programs, str(wheel))
    listed = subprocess.run([programs / "python", "-m", "pip", "list"], capture_output=True, text=True, check=True)
    assert not {"streamlit", "pandas"} & set(listed.stdout.lower().split())

    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "events.csv").write_text(EVENTS)

    def call(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [programs / "event-console", *arguments],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    checked = call("check", "events.csv", "--format", "json")
    assert (checked.returncode, json.loads(checked.stdout)["rows"]) == (0, 2), checked.stderr
    suggested = call("suggest", "events.csv")
    assert (suggested.returncode, json.loads(suggested.stdout)["columns"]["userId"]) == (0, "userId")
    sent = call("send", "events.csv", "--target", "sandbox", "--yes")
    assert (sent.returncode, re.findall(r"(\d+) +accepted", sent.stdout)) == (0, ["2"]), sent.stderr
    kept = {path.parent.name for path in home.rglob("history.sqlite3")}
    assert kept == {"event-console"}  # the platform's folder, and none beside the packages
    plain = call()
    assert (plain.returncode, plain.stdout, plain.stderr.count("\n")) == (1, "", 1)
    assert plain.stderr.startswith("The screens are not installed here, only the command line is.")
    version = subprocess.run(
        [programs / "python", "-c", "import importlib.metadata as m; print(m.version('event-console'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    import intempt_core

    assert version.stdout.strip() == intempt_core.__version__


@pytest.mark.long
def test_the_example_of_the_pytest_plugin_passes_with_the_base_and_a_failure_explains_itself(tmp_path: Path) -> None:
    (wheel,) = build(copy_tree(tmp_path / "tree"), tmp_path / "built", "wheel")
    programs = make_environment(tmp_path / "environment")
    install(programs, str(wheel))
    install(programs, f"pytest=={read_pins('requirements-test.txt')['pytest']}")
    tests = tmp_path / "tests"
    tests.mkdir()
    example = (ROOT / "docs" / "testing-applications.md").read_text("utf-8").split("    def test_cart(", 1)[1]
    (tests / "test_shop.py").write_text(textwrap.dedent("    def test_cart(" + example.split("\n\n", 1)[0]) + "\n")

    def run_tests(field: str) -> "subprocess.CompletedProcess[str]":
        (tests / "conftest.py").write_text(SHOP.format(field=field))
        return subprocess.run(
            [programs / "pytest", "-p", "no:cacheprovider", "test_shop.py"],
            cwd=tests,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    passed = run_tests("productId")
    assert (passed.returncode, "1 passed" in passed.stdout) == (0, True), passed.stdout + passed.stderr
    assert re.search(r"^plugins:.* event-console-", passed.stdout, re.MULTILINE)
    failed = run_tests("product_id")
    assert (failed.returncode, "1 failed" in failed.stdout) == (1, True), failed.stdout + failed.stderr
    for explanation in (
        'No “Added to cart” with userId "u1", data.productId "A1" arrived within 5 s.',
        'expected "A1", and it is missing; that value is in data.product_id, and must be in data.productId, exactly',
        "error [product_id_missing] The product id is missing.",
        "A1 is not in Recently Added to Cart",
        "curl --request POST http://127.0.0.1:",
    ):
        assert explanation in failed.stdout
    assert sorted(path.name for path in tests.iterdir()) == ["conftest.py", "test_shop.py"]  # it leaves nothing there
