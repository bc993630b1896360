"""The attacks that the benchmark repeats are tests that exist."""

import re
from pathlib import Path

from tests.bench.repeated_attacks import TESTS_BY_FILE, list_repeated_attacks

ROOT = Path(__file__).parents[2]


def test_every_test_that_is_repeated_is_there() -> None:
    for file, attacks in TESTS_BY_FILE.items():
        defined = re.findall(r"^def (test_\w+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
        assert {test for tests in attacks.values() for test in tests} <= set(defined), file


def test_the_tests_of_one_attack_are_repeated_together() -> None:
    assert [name.partition("::")[0] for name in list_repeated_attacks()["pasted_keys"]] == [
        "tests/core/readers/test_pasted_keys.py",
        "tests/browser/test_inspect.py",
    ]
