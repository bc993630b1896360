"""The engine's queue of lane groups, in the database that all workers share.

DBOS distributes: a workflow ``{batch}.{group}.{epoch}`` for each group that has something to send waits in one queue,
and a worker with a free place takes it. The workflow claims the group, which history allows to one worker and in one
epoch only, sends it chunk by chunk, each a step, and lets it go. What a step does is in history: a workflow knows a
batch, a group and an epoch, and nothing else. Its id is made of these, so that putting it into the queue twice, from
two machines at once, is putting it there once.

DBOS's own recovery is not used: a workflow of a worker that has died is cancelled, and its group gets a new one in the
next epoch (``supervisor``). While there is no worker, consoles take from a queue of their own.

This module is imported where the engine is launched. As in :mod:`~intempt_core.dispatch.dbos_runner` what the workflows
call belongs to the process: :data:`RUNNERS` has it while the engine runs.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import create_engine

from intempt_core.dispatch.dbos_runner import DbosRunner, delete_old_workflows
from intempt_core.dispatch.runner import ENGINE_VERSION
from intempt_core.dispatch.workers.group_runner import GroupRunner
from intempt_core.errors import EngineUnavailable
from intempt_core.history import ConnectionCutter, LaneGroup, WorkerKind, WorkerLease
from intempt_core.settings import hide_password

QUEUE_POLL_SECONDS = 0.1
"""How often a process looks into its queue while it has a free place."""

END_SECONDS = 2
"""How long workflows may take to end that have let their groups go."""

CONNECT_ARGUMENTS = {"connect_timeout": 5, "application_name": "event-console engine"}

QUEUES = {WorkerKind.WORKER: "lane groups", WorkerKind.CONSOLE: "lane groups of consoles"}
"""The queue of each kind of process."""

RUNNERS: list[GroupRunner] = []
"""What sends the groups of this process, while its engine runs; at most one."""

_WAITING, _RUNNING = "ENQUEUED", "PENDING"


@DBOS.workflow(name="lane group")  # the names are in the engine's database
async def run_group_workflow(batch: str, number: int, epoch: int) -> None:
    """Send a group of lanes of a batch, if it can be claimed, until it has no more or is to be let go."""
    if not await claim_group_step(batch, number, epoch):
        return
    try:
        while await send_group_step(batch, number, epoch):
            pass
    finally:  # also where the workflow was cancelled, which the next step says
        await _let_go(LaneGroup(batch, number, epoch))


@DBOS.step(name="claim")
async def claim_group_step(batch: str, number: int, epoch: int) -> bool:
    """Claim a group for this process; whether it has it."""
    return bool(RUNNERS) and await RUNNERS[0].claim(LaneGroup(batch, number, epoch))


@DBOS.step(name="group chunk")
async def send_group_step(batch: str, number: int, epoch: int) -> bool:
    """Send a chunk of a group; whether there is more to send at once."""
    return bool(RUNNERS) and await RUNNERS[0].send_chunk(LaneGroup(batch, number, epoch))


async def _let_go(group: LaneGroup) -> None:
    if RUNNERS:
        await RUNNERS[0].let_go(group)


class GroupEngine:
    """The durable engine of a process that sends groups of lanes. There is one at a time in a process."""

    def __init__(self, url: str, lease: WorkerLease, places: int) -> None:
        """Make an engine that is not launched.

        Args:
            url: the database's address.
            lease: what this process is.
            places: how many groups a process sends at the same time.
        """
        self._url, self._lease, self._places = url, lease, places
        self._engine = create_engine(url, pool_size=4, pool_pre_ping=True, connect_args=CONNECT_ARGUMENTS)
        self._cutter = ConnectionCutter(self._engine)

    def cut_connections(self) -> None:
        """Cut the engine's connections to the database, as :meth:`WorkerLeases.cut_connections` does history's."""
        self._cutter.cut()

    async def launch(self, runner: GroupRunner) -> None:
        """Start to take groups, in the running event loop. Raises :class:`EngineUnavailable`."""
        if DbosRunner.is_launched:
            raise EngineUnavailable("The engine runs in this process already.")
        config: DBOSConfig = {
            "name": "event-console",
            "system_database_url": self._url,
            "system_database_engine": self._engine,
            "application_version": ENGINE_VERSION,
            "executor_id": self._lease.name,
            "log_level": "WARNING",
            "enable_otlp": False,
            "use_listen_notify": False,  # nothing is listened for, and a pooler in between may not allow it
            "notification_listener_polling_interval_sec": 1.0,
        }
        DbosRunner.is_launched = True
        queue = QUEUES[self._lease.kind]
        try:
            DBOS(config=config)
            DBOS.listen_queues([queue])
            DBOS.launch()  # in this thread: the workflows run in its loop
            for name in QUEUES.values():
                await DBOS.register_queue_async(
                    name,
                    worker_concurrency=self._places,
                    polling_interval_sec=QUEUE_POLL_SECONDS,
                    on_conflict="always_update",
                )
            await delete_old_workflows()
        except BaseException as error:
            await asyncio.to_thread(DBOS.destroy)
            self._release()
            if not isinstance(error, Exception):
                raise  # the process ends just now
            raise EngineUnavailable(
                f"The engine cannot use the database ({hide_password(self._url)}): {type(error).__name__}. Its user"
                " must be allowed to create a schema."
            ) from error
        RUNNERS.append(runner)

    async def distribute(self, groups: Sequence[LaneGroup], alive: Collection[WorkerLease]) -> list[LaneGroup]:
        """Put groups into the queue of those who send now; those that must get a new epoch first.

        Those are groups whose workflow will never claim them: it has ended, its process is dead, or it waits in
        another queue, or for a version that no living process has.
        """
        kind = WorkerKind.WORKER if any(one.kind is WorkerKind.WORKER for one in alive) else WorkerKind.CONSOLE
        names = {one.name for one in alive}
        versions = {one.engine for one in alive if one.kind is kind}
        by_id = {make_workflow_id(group): group for group in groups}
        known = {one.workflow_id: one for one in await _list_workflows(workflow_ids=list(by_id))}
        stale = []
        for id_, group in by_id.items():
            found = known.get(id_)
            if found is None:
                await _enqueue(QUEUES[kind], group)
            elif not _is_going(found, QUEUES[kind], names, versions):
                stale.append(group)
        await DBOS.cancel_workflows_async(
            [id_ for id_, group in by_id.items() if group in stale and known[id_].status in {_WAITING, _RUNNING}]
        )
        return stale

    async def cancel_of(self, names: Iterable[str]) -> None:
        """Cancel the workflows of processes that are dead."""
        for name in names:
            found = await _list_workflows(executor_id=name, status=[_RUNNING])
            await DBOS.cancel_workflows_async([one.workflow_id for one in found])

    async def is_crowded(self) -> bool:
        """Whether groups wait in this process's queue for a free place."""
        return bool(await _list_workflows(queue_name=QUEUES[self._lease.kind], status=[_WAITING], limit=1))

    async def close(self) -> None:
        """Take nothing more, let workflows end that are about to, and release the engine."""
        RUNNERS.clear()
        await asyncio.to_thread(lambda: DBOS.destroy(workflow_completion_timeout_sec=END_SECONDS))
        self._release()

    def _release(self) -> None:
        self._engine.dispose()
        DbosRunner.is_launched = False


def make_workflow_id(group: LaneGroup) -> str:
    """The id of the workflow of a group in an epoch."""
    return f"{group.batch}.{group.number}.{group.epoch}"


def _is_going(found: Any, queue: str, names: Collection[str], versions: Collection[str]) -> bool:
    """Whether a workflow will still claim its group."""
    if found.status == _WAITING:
        return found.queue_name == queue and found.app_version in versions
    return found.status == _RUNNING and found.executor_id in names


async def _enqueue(queue: str, group: LaneGroup) -> None:
    with SetWorkflowID(make_workflow_id(group)):
        await DBOS.enqueue_workflow_async(queue, run_group_workflow, group.batch, group.number, group.epoch)


async def _list_workflows(**given: Any) -> list[Any]:
    return list(await DBOS.list_workflows_async(load_input=False, load_output=False, **given))
