"""From two workers to a hundred: a model of what they wait for, which is believed where it agrees with two real ones.

The constants are measured by themselves, then one and two workers send for real, and the model is asked what they
should have done. What was found is written into ``docs/scale.md``, between its two marks.
"""

import math
import os
import statistics
from collections.abc import Mapping, Sequence

from tests.bench.harness import ROOT, Figures, bench, machine
from tests.bench.sending_constants import MeasuredConstants, measure_constants
from tests.bench.sending_model import TURN_REQUESTS, Arrangement, Constants, Cost, Prediction, simulate
from tests.bench.worker_runs import measure_sending, run_durable_cluster

PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- written by python3 run.py bench simulate -->", "<!-- end of what is written by the bench -->"

SLOTS = 8
LATENCY = 0.05
MEASURED_WORKERS = 1, 2
TIMES = 3
REQUESTS_PER_WORKER = 1_500
PREDICTED_WORKERS = 1, 2, 5, 10, 20, 50, 100
LARGE_CORES = 16
LIMIT_PER_SECOND = 500
DEFAULT_CONNECTIONS = 100
KEPT_CONNECTIONS = 3
"""PostgreSQL's own ``max_connections``, and how many of them it keeps for its administrators."""


@bench("simulate", at_most=0.15)
def compare_model() -> Figures:
    """The worst deviation of the model from what one and two workers were measured at."""
    cores = len(os.sched_getaffinity(0))
    with run_durable_cluster() as cluster:
        known = measure_constants(cluster, LATENCY)
        runs: dict[int, list[float]] = {workers: [] for workers in MEASURED_WORKERS}
        for _ in range(TIMES):
            for workers, found in runs.items():
                run = measure_sending(
                    cluster,
                    workers=workers,
                    slots=SLOTS,
                    lanes=SLOTS * workers,
                    requests=REQUESTS_PER_WORKER * workers,
                    latency=LATENCY,
                )
                found.append(run.per_second)
    measured = {workers: statistics.median(found) for workers, found in runs.items()}
    simulated = {workers: simulate(known.constants, _describe_measured(workers, cores)) for workers in measured}
    deviations = {workers: abs(simulated[workers].per_second / measured[workers] - 1) for workers in measured}
    predicted = predict(known.constants, cores)
    write_page(render_findings(known, measured, simulated, predicted, cores))
    return {
        "ratio": max(deviations.values()),
        **{f"workers_{workers}_measured_s": round(measured[workers], 1) for workers in measured},
        **{f"workers_{workers}_simulated_s": round(simulated[workers].per_second, 1) for workers in measured},
        "predicted": "; ".join(
            f"{workers}: {one.per_second:,.0f}/s, {one.bottleneck}"
            for workers, one in predicted[next(iter(predicted))].items()
        ),
    }


def _describe_measured(workers: int, cores: int) -> Arrangement:
    """The arrangement that is measured: all on this machine, and one batch with a lane for each slot."""
    return Arrangement(
        workers=workers, slots=SLOTS, lanes_of_batch=SLOTS * workers, batches=1, cores=cores, is_one_machine=True
    )


def predict(constants: Constants, cores: int) -> Mapping[str, Mapping[int, Prediction]]:
    """What so many workers would do, each with a core of its own: by what is sent, and the database's cores."""
    columns = {
        f"many batches, database of {cores} cores": Arrangement(0, SLOTS, cores=cores),
        f"many batches, {LARGE_CORES} cores": Arrangement(0, SLOTS, cores=LARGE_CORES),
        f"one batch, {LARGE_CORES} cores": Arrangement(0, SLOTS, batches=1, cores=LARGE_CORES),
        f"many batches, {LARGE_CORES} cores, target limited to {LIMIT_PER_SECOND:,}/s": Arrangement(
            0, SLOTS, cores=LARGE_CORES, per_second=LIMIT_PER_SECOND
        ),
    }
    return {
        title: {
            workers: simulate(
                constants,
                Arrangement(
                    workers,
                    given.slots,
                    batches=given.batches,
                    cores=given.cores,
                    per_second=given.per_second,
                ),
            )
            for workers in PREDICTED_WORKERS
        }
        for title, given in columns.items()
    }


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_page(findings: str) -> None:
    """Put what was found between the two marks of the page."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{findings}\n{END}{after}", "utf-8")


def render_findings(
    known: MeasuredConstants,
    measured: Mapping[int, float],
    simulated: Mapping[int, Prediction],
    predicted: Mapping[str, Mapping[int, Prediction]],
    cores: int,
) -> str:
    """The written part of the page."""
    worst = max(abs(simulated[workers].per_second / measured[workers] - 1) for workers in measured)
    verdict = "so it is believed for more" if worst <= 0.15 else "**so nothing below is to be believed**"
    connections = math.ceil(known.alone.connections)
    most = (DEFAULT_CONNECTIONS - KEPT_CONNECTIONS) // max(connections, 1)
    idle = known.constants.idle
    lines = [
        f"Measured on {machine()}; {cores} cores for everything: workers, database and target.",
        "",
        "### The constants",
        "",
        *_render_table(["step", "in the worker, ms", "in the database, ms"], _list_costs(known.constants)),
        "",
        *_render_table(
            ["time of a clock", "ms"],
            [
                ["a commit, until it is on the disk", _in_ms(known.constants.commit)],
                [
                    "a question to the database and its answer, without the CPU of either",
                    _in_ms(known.constants.round_trip),
                ],
                [f"a response of the target, which waits {LATENCY * 1000:g} ms", _in_ms(known.constants.response)],
            ],
        ),
        "",
        f"A worker has {connections} connections to the database.",
        "",
        f"With one slot and a target without latency it used {_in_ms(known.alone.worker_cpu)} ms of CPU for a request.",
        f"Its parts add up to {_in_ms(known.add_up())} ms.",
        "",
        "### The model beside what was measured",
        "",
        *_render_table(
            ["workers", "measured, requests/s", "simulated", "deviation", "bottleneck"],
            [
                [
                    str(workers),
                    f"{measured[workers]:.1f}",
                    f"{simulated[workers].per_second:.1f}",
                    f"{simulated[workers].per_second / measured[workers] - 1:+.1%}",
                    simulated[workers].bottleneck,
                ]
                for workers in measured
            ],
        ),
        "",
        f"The worst deviation is {worst:.1%} (allowed: 15 %), {verdict}.",
        "",
        "### From 1 to 100 workers",
        "",
        "Requests a second, and what holds up the rest. Each worker has a core of its own, on any machine.",
        "",
        *_render_table(
            ["workers", *predicted],
            [
                [
                    str(workers),
                    *(f"{some[workers].per_second:,.0f}, {some[workers].bottleneck}" for some in predicted.values()),
                ]
                for workers in PREDICTED_WORKERS
            ],
        ),
        "",
        *_list_moves(predicted),
        f"- PostgreSQL's own {DEFAULT_CONNECTIONS} connections are enough for {most} workers, fewer beside consoles.",
        f"- 100 workers that have nothing to send use {100 * idle.database:.1f} cores of the database.",
    ]
    return "\n".join(lines) + "\n"


def _list_moves(predicted: Mapping[str, Mapping[int, Prediction]]) -> list[str]:
    """For each column where the bottleneck moves to, and from how many workers on."""
    lines = []
    for title, found in predicted.items():
        moves = list[str]()
        before = ""
        for workers, one in found.items():
            if one.bottleneck != before:
                before = one.bottleneck
                moves.append(f"from {workers} on {before}" if moves else f"at {workers} {before}")
        lines.append(f"- {title[0].upper()}{title[1:]}: {', '.join(moves)}.")
    return lines


def _list_costs(constants: Constants) -> Sequence[Sequence[str]]:
    names = {
        "a transaction until it counts its requests in the batch's second": constants.before,
        "from there to its commit": constants.after,
        f"reading the next {TURN_REQUESTS} requests of a lane": constants.take,
        "taking turns of a target with a limit": constants.turns,
        "a worker that has nothing to send, each second": constants.idle,
    }
    rows = [[f"{name}{_describe_each(cost)}", *_describe_cost(cost)] for name, cost in names.items()]
    return [
        ["a request: prepared, sent, its response read", _in_ms(constants.request), "–"],
        *rows,
        ["a request at the target (same machine)", f"{_in_ms(constants.target)} there", "–"],
    ]


def _describe_each(cost: Cost) -> str:
    return ", and for each request in it" if cost.client_each else ""


def _describe_cost(cost: Cost) -> list[str]:
    pairs = (cost.client, cost.client_each), (cost.database, cost.database_each)
    return [f"{_in_ms(fixed)} + {_in_ms(each)}" if cost.client_each else _in_ms(fixed) for fixed, each in pairs]


def _in_ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def _render_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
