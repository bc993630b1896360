"""Runs the benchmarks: ``python3 run.py bench [NAME…]``, those whose names begin so, all without a name.

Each prints one JSON object on one line, ``{"name": …, "ratio": …, …}``, and has its row in ``docs/benchmarks.md``
written again. What a benchmark needs and does not find (a package of requirements-bench.txt, a program) is named on
standard error, and the exit code is 1; so it is where a ratio misses its bound.
"""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from tests.bench.harness import REGISTERED, ROOT, Benchmark, Figures, machine

TABLE = ROOT / "docs" / "benchmarks.md"
HEAD = """\
# Benchmarks

`python3 run.py bench [NAME…]` measures these; a prefix of a name will do. Both sides of a ratio are measured in one
run, in turns, the median of at least three. Each row is the last run of its benchmark. Of `attacks.*` the ratio is 0
where the attack was held off and 1 where it was not; each starts a console of its own.

| name | ratio | bound | figures | machine |
|---|---|---|---|---|
"""


def main(prefixes: Sequence[str]) -> int:
    """Run what was asked for. 0 when all kept their bounds, 1 when not or something was missing, 2 for no such name."""
    for file in sorted(Path(__file__).parent.glob("bench_*.py")):
        import_module(f"tests.bench.{file.stem}")
    chosen = [REGISTERED[name] for name in sorted(REGISTERED) if name.startswith(tuple(prefixes or [""]))]
    if not chosen:
        print(f"No benchmark's name begins with {' or '.join(prefixes)}. ", end="", file=sys.stderr)
        print(f"There are: {', '.join(sorted(REGISTERED))}.", file=sys.stderr)
        return 2
    return max([_measured(benchmark) for benchmark in chosen])


def _measured(benchmark: Benchmark) -> int:
    try:
        figures = {
            key: round(value, 4) if isinstance(value, float) else value for key, value in benchmark.run().items()
        }
    except (ModuleNotFoundError, FileNotFoundError) as error:
        print(f"{benchmark.name} needs what is not there: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"name": benchmark.name, **figures}), flush=True)
    _written(benchmark, figures)
    if benchmark.reached(figures["ratio"]):
        return 0
    print(f"{benchmark.name}: {figures['ratio']} misses {benchmark.bound}.", file=sys.stderr)
    return 1


def _written(benchmark: Benchmark, figures: Figures) -> None:
    """Put the row of a benchmark into the table, in the place of its older one; rows of no benchmark go."""
    lines = TABLE.read_text().splitlines() if TABLE.exists() else []
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    said = ", ".join(f"{key} {value:,}" if isinstance(value, (int, float)) else f"{key} {value}" for key, value in
                     figures.items() if key != "ratio")  # fmt: skip
    rows[benchmark.name] = f"| `{benchmark.name}` | {figures['ratio']} | {benchmark.bound} | {said} | {machine()} |"
    TABLE.write_text(HEAD + "".join(f"{rows[name]}\n" for name in sorted(rows) if name in REGISTERED))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
