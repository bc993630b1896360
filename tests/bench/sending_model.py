"""A model of workers that send from one database to one target: who waits for what, and what becomes scarce first.

Each worker is one Python process: its event loop and the thread that talks to the database share one core. A slot sends
one request after another: the outcome of the last one and the start of the next one are written together with what
other slots of the worker wait to write, then the request goes out, and the response comes after the target's time. A
transaction holds, from the count of its batch's second on, that row, which all workers of the batch need, until its
commit is on the disk. Commits that wait are written to the disk together.

What the steps cost are :class:`Constants`, each measured by itself (``sending_constants``). Nothing in here is
fitted to what it predicts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.bench.simulated_time import Activity, Resource, Signal, Timeline, Wait

TURN_REQUESTS = 64
"""Requests that a slot reads at once, as dispatch does."""

STRETCH_SECONDS = 0.1
"""The longest stretch of a target's time that a worker takes at once, as dispatch does."""

LOOKS_PER_SECOND = 10
"""Into so many pieces is divided what a worker does each second without sending anything."""

WARM_UP_SECONDS = 3.0
SCARCE = 0.85
"""From this share of its time on something counts as what holds up the rest."""

LIMIT_KEPT = 0.95
"""From this share of its limit on the target is what holds up the rest."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part of a transaction costs.

    Attributes:
        client: seconds of CPU in the worker.
        database: seconds of CPU in the database.
        client_each: seconds more in the worker for each request.
        database_each: seconds more in the database for each request.
        statements: how often the worker asks and waits.
    """

    client: float = 0.0
    database: float = 0.0
    client_each: float = 0.0
    database_each: float = 0.0
    statements: int = 1


@dataclass(frozen=True, slots=True)
class Constants:
    """What the steps of sending cost, in seconds.

    Attributes:
        request: CPU in a worker's event loop for a request: prepared, sent, its response read.
        before: a transaction until it counts its requests in the second of the batch.
        after: from there to its commit; meanwhile others wait who send the same batch.
        take: reading the next :data:`TURN_REQUESTS` of a lane.
        turns: taking a stretch of the target's time, where it has a limit.
        idle: what a worker does each second without sending anything: it looks for work, and for the dead.
        commit: until a commit is on the disk.
        round_trip: from a question to the database to its answer, without the CPU of either.
        response: from the first byte of a request to the end of its response.
        target: CPU of the target for a request; it matters where the target is on the same machine.
    """

    request: float = 0.0
    before: Cost = field(default_factory=lambda: Cost(statements=0))
    after: Cost = field(default_factory=lambda: Cost(statements=0))
    take: Cost = field(default_factory=lambda: Cost(statements=0))
    turns: Cost = field(default_factory=lambda: Cost(statements=0))
    idle: Cost = field(default_factory=lambda: Cost(statements=0))
    commit: float = 0.0
    round_trip: float = 0.0
    response: float = 0.0
    target: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Which machines there are, and what is sent.

    Attributes:
        workers: how many worker processes.
        slots: lanes that a worker sends at the same time.
        lanes_of_batch: how many slots a batch keeps busy. It has 32 groups of lanes at the most, and a worker takes as
            many of them as it has slots.
        batches: how many batches are sent at the same time; 0: as many as the workers have slots for.
        cores: cores of the database's machine; where ``is_one_machine``, all that there are.
        is_one_machine: whether workers and target run on the database's machine; else each worker has a core for
            itself.
        per_second: the target's limit of requests a second; 0: none.
    """

    workers: int
    slots: int = 8
    lanes_of_batch: int = 32
    batches: int = 0
    cores: int = 2
    is_one_machine: bool = False
    per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """What came of a simulation.

    Attributes:
        per_second: requests a second.
        busy: for each thing that there are only so many of, the share of its time for which it was in use.
        bottleneck: what holds up the rest, in a few words.
    """

    per_second: float
    busy: Mapping[str, float]
    bottleneck: str


DISK, BATCH_ROW, TURN_ROW = "the disk of the database", "the row of the batch's second", "the row of the target's turns"
DATABASE_CORES, WORKER_CORE, ALL_CORES = "the cores of the database", "the core of each worker", "the cores"
LIMIT, RESPONSES, LANES = "the target's limit", "the time of responses", "the lanes of the batch"


def simulate(constants: Constants, arrangement: Arrangement, seconds: float = 10.0) -> Prediction:
    """Let workers send for so many seconds, after a while in which they warm up."""
    model = _Model(constants, arrangement)
    model.start()
    model.timeline.run(WARM_UP_SECONDS)
    sent, busy = model.sent, model.measure_busy()
    model.timeline.run(WARM_UP_SECONDS + seconds)
    per_second = (model.sent - sent) / seconds
    used = {name: (total - busy[name]) / seconds for name, total in model.measure_busy().items()}
    return Prediction(per_second, used, _find_bottleneck(arrangement, model.active_slots, per_second, used))


def _find_bottleneck(arrangement: Arrangement, active: int, per_second: float, busy: Mapping[str, float]) -> str:
    if arrangement.per_second and per_second >= LIMIT_KEPT * arrangement.per_second:
        return LIMIT
    scarce = max(busy, key=lambda name: busy[name], default="")
    if scarce and busy[scarce] >= SCARCE:
        return scarce
    return LANES if active < arrangement.workers * arrangement.slots else RESPONSES


class _Batch:
    def __init__(self, timeline: Timeline) -> None:
        self.row = Resource(timeline, BATCH_ROW)


class _Worker:
    def __init__(self, timeline: Timeline, batch: _Batch) -> None:
        self.batch = batch
        self.interpreter = Resource(timeline, WORKER_CORE)
        self.thread = Resource(timeline, "the thread that talks to the database")
        self.waiting: list[Signal] = []
        self.is_writing = False
        self.turns_from = self.turns_until = 0.0
        self.without_turn = 0  # slots
        self.asking: Signal | None = None


class _Model:
    def __init__(self, constants: Constants, arrangement: Arrangement) -> None:
        self.timeline, self.sent = Timeline(), 0
        self._costs, self._given = constants, arrangement
        self._cores = Resource(
            self.timeline, ALL_CORES if arrangement.is_one_machine else DATABASE_CORES, arrangement.cores
        )
        self._worker_cores = self._cores if arrangement.is_one_machine else None
        self._disk = Resource(self.timeline, DISK)
        self._flushing: Signal | None = None
        self._turn_row = Resource(self.timeline, TURN_ROW)
        self._turns_free_from = 0.0
        self._batches: list[_Batch] = []
        self._workers: list[_Worker] = []
        self.active_slots = 0

    def start(self) -> None:
        """Begin with everything: batches are divided among workers one after another."""
        given = self._given
        slots = given.workers * given.slots
        batches = given.batches or -(-slots // given.lanes_of_batch)
        self.active_slots = min(slots, batches * given.lanes_of_batch)
        self._batches = [_Batch(self.timeline) for _ in range(batches)]
        self._workers = [
            _Worker(self.timeline, self._batches[min(number * given.slots // given.lanes_of_batch, batches - 1)])
            for number in range(given.workers)
        ]
        for number in range(self.active_slots):
            worker = self._workers[number // given.slots]
            self.timeline.start(self._send(worker, number / self.active_slots * self._costs.response))
        for number, worker in enumerate(self._workers):
            self.timeline.start(self._idle(worker, number / given.workers / LOOKS_PER_SECOND))

    def measure_busy(self) -> dict[str, float]:
        """Of each scarce thing the seconds for which it was used, of its busiest one; of cores, of one on average."""
        busy = {
            self._cores.name: self._cores.measure_busy() / self._cores.places,
            DISK: self._disk.measure_busy(),
            BATCH_ROW: max(batch.row.measure_busy() for batch in self._batches),
            WORKER_CORE: max(worker.interpreter.measure_busy() for worker in self._workers),
        }
        return busy | ({TURN_ROW: self._turn_row.measure_busy()} if self._given.per_second else {})

    # ── one slot ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, worker: _Worker, delay: float) -> Activity:
        yield Wait(delay)
        costs, remaining = self._costs, 0
        while True:
            if not remaining:
                yield worker.thread
                yield from self._ask(worker, costs.take, 0)
                worker.thread.release()
                remaining = TURN_REQUESTS
            if self._given.per_second:
                yield from self._wait_for_turn(worker)
            written = Signal(self.timeline)
            worker.waiting.append(written)
            if not worker.is_writing:
                worker.is_writing = True
                self.timeline.start(self._write(worker))
            yield written
            yield from self._compute(worker, costs.request / 2)
            yield Wait(costs.response)
            if costs.target and self._given.is_one_machine:
                yield from self._use(self._cores, costs.target)
            yield from self._compute(worker, costs.request / 2)
            remaining -= 1
            self.sent += 1

    def _write(self, worker: _Worker) -> Activity:
        """Write what slots wait for, and then what they began to wait for meanwhile."""
        while worker.waiting:
            some, worker.waiting = worker.waiting, []
            yield worker.thread
            yield from self._ask(worker, self._costs.before, len(some))
            yield worker.batch.row
            yield from self._ask(worker, self._costs.after, len(some))
            yield from self._commit()
            worker.batch.row.release()
            worker.thread.release()
            for one in some:
                one.set()
        worker.is_writing = False

    def _commit(self) -> Activity:
        """Wait until the disk has it: all that wait while it is busy are written together."""
        if not self._costs.commit:
            return
        if self._flushing is None:
            self._flushing = Signal(self.timeline)
            self.timeline.start(self._flush(self._flushing))
        yield self._flushing

    def _flush(self, done: Signal) -> Activity:
        yield self._disk
        self._flushing = None  # who comes from now on waits for the next one
        yield Wait(self._costs.commit)
        self._disk.release()
        done.set()

    # ── the target's limit ───────────────────────────────────────────────────────────────────────────────────────────

    def _wait_for_turn(self, worker: _Worker) -> Activity:
        """Wait for a turn of the worker's stretch; where it has none any more, one slot takes the next stretch."""
        step = 1 / self._given.per_second
        worker.without_turn += 1
        while max(worker.turns_from, self.timeline.now) > worker.turns_until - step / 100:
            if worker.asking is not None:
                yield worker.asking
                continue
            worker.asking = Signal(self.timeline)
            yield from self._take_stretch(worker, step)
            asked, worker.asking = worker.asking, None
            asked.set()
        turn = max(worker.turns_from, self.timeline.now)
        worker.turns_from = turn + step
        worker.without_turn -= 1
        yield Wait(turn - self.timeline.now)

    def _take_stretch(self, worker: _Worker, step: float) -> Activity:
        turns = max(1, min(int(self._given.per_second * STRETCH_SECONDS), worker.without_turn))
        yield worker.thread
        yield self._turn_row
        yield from self._ask(worker, self._costs.turns, 0)
        yield from self._commit()
        self._turn_row.release()
        worker.thread.release()
        start = max(self._turns_free_from, self.timeline.now)
        self._turns_free_from = start + turns * step
        worker.turns_from, worker.turns_until = start, self._turns_free_from

    # ── what is used ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _idle(self, worker: _Worker, delay: float) -> Activity:
        yield Wait(delay)
        costs = self._costs.idle
        while True:
            yield Wait(1 / LOOKS_PER_SECOND)
            yield from self._compute(worker, costs.client / LOOKS_PER_SECOND)
            yield from self._use(self._cores, costs.database / LOOKS_PER_SECOND)

    def _ask(self, worker: _Worker, cost: Cost, requests: int) -> Activity:
        """Statement after statement: the worker prepares it, the database works."""
        client = cost.client + cost.client_each * requests
        database = cost.database + cost.database_each * requests
        for _ in range(cost.statements):
            yield from self._compute(worker, client / cost.statements)
            yield Wait(self._costs.round_trip)
            yield from self._use(self._cores, database / cost.statements)

    def _compute(self, worker: _Worker, seconds: float) -> Activity:
        """Python code of a worker: one thread of it at a time, on a core."""
        if not seconds:
            return
        yield worker.interpreter
        if self._worker_cores is not None:
            yield from self._use(self._worker_cores, seconds)
        else:
            yield Wait(seconds)
        worker.interpreter.release()

    def _use(self, resource: Resource, seconds: float) -> Activity:
        if not seconds:
            return
        yield resource
        yield Wait(seconds)
        resource.release()
