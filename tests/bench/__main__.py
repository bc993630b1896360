"""Runs the benchmarks: ``python3 run.py bench [NAME…]``, those whose names begin so, all without a name.

A benchmark is a file ``bench_<name>.py`` beside this one with a function ``measure()`` that gives one mapping a
figure; each becomes one JSON object on one line, its benchmark's name first. What a benchmark needs and does not find
(a package of requirements-bench.txt, a program) is named on standard error, and the exit code is 1.
"""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path


def main(prefixes: Sequence[str]) -> int:
    """Run what was asked for. 0 when all of it ran, 1 when something was missing, 2 when there is none of that name."""
    names = sorted(file.stem.removeprefix("bench_") for file in Path(__file__).parent.glob("bench_*.py"))
    chosen = [name for name in names if name.startswith(tuple(prefixes or [""]))]
    if not chosen:
        there_are = f"There are: {', '.join(names)}." if names else "There are no benchmarks yet."
        asked = f"No benchmark's name begins with {' or '.join(prefixes)}. " if prefixes else ""
        print(asked + there_are, file=sys.stderr)
        return 2
    missing = 0
    for name in chosen:
        try:
            for figures in import_module(f"tests.bench.bench_{name}").measure():
                print(json.dumps({"bench": name, **figures}), flush=True)
        except (ModuleNotFoundError, FileNotFoundError) as error:
            print(f"{name} needs what is not there: {error}", file=sys.stderr)
            missing = 1
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
