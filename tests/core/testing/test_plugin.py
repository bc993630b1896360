"""The plugin in projects that are not ours: what it costs who does not use it, fixtures of the same name, processes."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest

from intempt_core.sandbox import run_sandbox
from tests.core.testing.pytest_process import run_pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs" / "testing-applications.md"


def test_a_project_that_does_not_use_the_fixture_loads_nothing_of_ours(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import json, sys\n"
        "def pytest_sessionfinish():\n"
        "    print('LOADED', json.dumps([name for name in sys.modules if name.split('.')[0] in"
        " ('intempt_core', 'numpy', 'pyarrow', 'starlette', 'uvicorn', 'pydantic')]))\n"
    )
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n")
    done = run_pytest(tmp_path, "-s")
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = json.loads(re.findall(r"LOADED (.*)", done.stdout)[0])
    assert sorted(loaded) == ["intempt_core", "intempt_core.testing", "intempt_core.testing.pytest_plugin"]


def test_a_fixture_of_the_same_name_in_a_project_is_the_one_that_its_tests_get(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("import pytest\n@pytest.fixture\ndef track_api():\n    return 'own'\n")
    (tmp_path / "test_own.py").write_text("def test_own(track_api):\n    assert track_api == 'own'\n")
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long  # a process of its own
def test_it_needs_no_network_but_the_loopback(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import socket\n"
        "connect, resolve = socket.socket.connect, socket.getaddrinfo\n"
        "def guarded(self, address):\n"
        "    assert address[0] == '127.0.0.1', address\n"
        "    return connect(self, address)\n"
        "def resolved(host, *more, **named):\n"
        "    assert host == '127.0.0.1', host\n"
        "    return resolve(host, *more, **named)\n"
        "socket.socket.connect, socket.getaddrinfo = guarded, resolved\n"
    )
    (tmp_path / "test_own.py").write_text(
        "def test_own(track_api):\n"
        "    assert track_api.feed('recently-viewed', userId='u1') == []\n"
        "    track_api.expect_nothing_else()\n"
    )
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long  # two tests of one process say it for the one before: test_track_api.py
@pytest.mark.timeout(400)
def test_200_tests_in_eight_processes_never_take_what_another_one_sends_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xdist")
    monkeypatch.setenv("STRAGGLER_TESTS", "200")
    shutil.copy(HERE / "parallel_shop.py", tmp_path / "test_shop.py")
    done = run_pytest(tmp_path, "-q", "-n", "8", timeout=350)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "200 passed" in done.stdout
    reports = [json.loads(path.read_text("utf-8")) for path in tmp_path.glob("stragglers-*.json")]
    assert len(reports) == 8
    arrived = [(project, products) for report in reports for project, products in report.items()]
    assert len({project for project, _ in arrived}) == 200
    numbers = Counter()  # type: ignore[var-annotated]  # of texts
    for _, products in arrived:
        first, second, viewed, late = products
        number = second.removeprefix("B")
        assert (first, viewed, late) == ("A1", "C1", f"late {number}")
        numbers[number] += 1
    assert numbers == Counter(map(str, range(200)))


@pytest.mark.long  # it needs Node; the endpoints themselves are held by tests/core/sandbox/test_waiting.py
def test_the_example_in_javascript_runs_as_it_is_written(tmp_path: Path) -> None:
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None and os.environ.get("CI") != "true":
        pytest.skip("Node is not installed here.")
    assert node is not None, "Node is not installed, and .ci/run installs it."
    (example,) = re.findall(r"```js\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len(example.strip().splitlines()) <= 10
    (tmp_path / "cart.test.mjs").write_text(example, "utf-8")
    shop = (
        "export const addToCart = (url, userId, productId) => fetch(url, {method: 'POST', headers: {"
        "'Content-Type': 'application/json', Authorization: 'Basic ' + btoa('sandbox:sandbox')}, body: JSON.stringify("
        "{track: [{name: NAME, payload: [{eventId: crypto.randomUUID(), userId, data: {productId}}]}]})});"
    )

    def run(name: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "shop.mjs").write_text(f"const NAME = {json.dumps(name)};\n{shop}", "utf-8")
        with run_sandbox(tmp_path / "s.sqlite3") as url:
            environment = {**os.environ, "SANDBOX": url}
            call = [node, "cart.test.mjs"]
            return subprocess.run(
                call, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
            )

    right = run("Added to cart")
    assert right.returncode == 0, right.stderr
    wrong = run("added to cart")
    assert wrong.returncode != 0
    assert "The event name is “added to cart”." in wrong.stderr


@pytest.mark.long  # the same calls, in this process: test_track_api.py
def test_the_example_in_python_runs_as_it_is_written(tmp_path: Path) -> None:
    text = DOCS.read_text("utf-8")
    (example,) = re.findall(r"^    def test_cart.*?(?=^\S)", text, re.DOTALL | re.MULTILINE)
    (sdk,) = re.findall(r"^    Intempt\(.*?\)$", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "test_own.py").write_text(dedent(example), "utf-8")
    (tmp_path / "conftest.py").write_text(
        "import types, pytest\nfrom intempt import Intempt\n"
        "class Shop:\n"
        "    def configure(self, **address):\n"
        "        track_api = types.SimpleNamespace(scheme='http', **address)\n"
        f"        self.client = {sdk.strip()}\n"
        "    def add_to_cart(self, user, product):\n"
        "        self.client.ecommerce.added_to_cart(product_id=product, quantity=1, user_id=user)\n"
        "@pytest.fixture\n"
        "def shop():\n"
        "    found = Shop()\n"
        "    yield found\n"
        "    found.client.close()\n",
        "utf-8",
    )
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
