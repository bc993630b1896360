"""The durable engine, DBOS Transact: it remembers which lanes were being sent, and goes on with them after a crash.

A workflow sends a group of lanes, one step per chunk. It knows a batch and its lanes and nothing else: what is to be
sent is in history, and no body and no key ever comes into the engine's database. A step that is repeated after a crash
takes what is pending *then*; what was in flight has been made unknown before (``WorkQueue.in_flight_to_unknown``). So a
step that is repeated, or whose result was lost, sends nothing twice. The engine's database may be lost, locked or full:
then nothing is sent until it can be written again, and nothing is wrong afterwards.

Each process is an executor with a queue of its own. The work of a process that has ended is taken over batch by batch,
by the process that has claimed the batch in history, which the database decides; with PostgreSQL that holds between
machines.

This module is imported where the engine is launched, and nowhere else: the library needs no engine. Two things in it
belong to the process and not to an object, because DBOS is one per process. It registers workflows by name when their
module is imported, and calls a recovered one with its recorded arguments only; so what sends a batch's chunks cannot be
passed to a workflow but is looked up in :data:`CHUNK_SENDERS`. And it can be launched once at a time, which
``DbosRunner.is_launched`` remembers.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from intempt_core.dispatch.engine_file import is_damaged, is_fault_of_content, move_aside
from intempt_core.dispatch.runner import ChunkSender
from intempt_core.errors import EngineUnavailable

WORKFLOW_VERSION = "1"
"""The version of the workflows below. One of another version is not resumed: history has what it still had to do."""

CHUNK_SENDERS: dict[str, ChunkSender] = {}
"""What sends the chunks of a batch, by the batch's id, while this process is sending it."""

ENGINE_BUSY_SECONDS = 2.0
"""How long another program may hold the engine's SQLite file before that counts as trouble."""

WORKFLOW_KEEP_DAYS = 7
"""How long finished workflows are kept, for inspection only."""

QUEUE_POLL_SECONDS = 0.2
"""How often the queue of this process is read: only resumed workflows go through it. Closing the engine waits as long
for a thread of its own, which would otherwise sleep for a whole second.
"""

_OPEN_STATUSES = ["PENDING", "ENQUEUED"]


@DBOS.workflow(name="lanes")  # the names are in the engine's database: work of an earlier version is found by them
async def run_lanes_workflow(batch: str, lanes: list[int]) -> None:
    """Send some lanes of a batch, chunk after chunk, until there is no more, or the batch is not to be sent now."""
    while await run_chunk_step(batch, lanes):
        pass


@DBOS.step(name="chunk")
async def run_chunk_step(batch: str, lanes: list[int]) -> bool:
    """Send one chunk; whether there is more. It is ``False`` where this process does not send the batch (any more)."""
    send_chunk = CHUNK_SENDERS.get(batch)
    return send_chunk is not None and await send_chunk(lanes)


class DbosRunner:
    """Calls for chunks from durable workflows. There is one at a time in a process.

    Attributes:
        notice: what people have to know of its launch, as sentences; mostly empty.
        is_launched: whether DBOS runs in this process.
    """

    is_launched: ClassVar[bool] = False

    def __init__(self, url: str, owner: str) -> None:
        self._url, self._owner = url, owner
        self.notice = ""
        self._queue = f"lanes of {owner}"
        self._engine: Engine | None = None

    async def launch(self) -> None:
        """Start the engine in the running event loop, which this blocks for a moment.

        A damaged SQLite file is moved aside first. Raises :class:`EngineUnavailable` where its database cannot be used.
        """
        if DbosRunner.is_launched:
            raise EngineUnavailable("The engine runs in this process already.")
        sqlite = make_url(self._url).get_backend_name() == "sqlite"
        file = Path(make_url(self._url).database or "")
        if sqlite and is_damaged(file):
            self.notice = self._move_aside(file)
        try:
            await self._launch(sqlite=sqlite)
        except EngineUnavailable as error:
            if not sqlite or self.notice or not is_fault_of_content(error.__context__):
                raise
            self.notice = self._move_aside(file)
            await self._launch(sqlite=sqlite)

    async def _launch(self, *, sqlite: bool) -> None:
        self._engine = _open_engine(self._url) if sqlite else None
        config: DBOSConfig = {
            "name": "event-console",
            "system_database_url": self._url,
            "system_database_engine": self._engine,
            "application_version": WORKFLOW_VERSION,
            "executor_id": self._owner,
            "log_level": "WARNING",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": QUEUE_POLL_SECONDS,
        }
        DbosRunner.is_launched = True
        try:
            DBOS(config=config)
            DBOS.listen_queues([self._queue])
            DBOS.launch()
            await delete_old_workflows()
        except BaseException as error:
            await asyncio.to_thread(DBOS.destroy)
            self._release_engine()
            if not isinstance(error, Exception):
                raise  # the process ends just now
            raise EngineUnavailable(
                f"The engine's database ({make_url(self._url).database}) cannot be used: {error}. It holds nothing that"
                " is not in history: it may be moved away."
            ) from None

    async def run(self, batch: str, groups: Sequence[Sequence[int]], send_chunk: ChunkSender) -> None:
        """As :class:`~intempt_core.dispatch.runner.ChunkRunner` has it; interrupted workflows are resumed."""
        CHUNK_SENDERS[batch] = send_chunk
        try:
            await self._run_workflows(batch, groups)
        except EngineUnavailable:
            raise
        except Exception as error:
            raise EngineUnavailable(
                f"The engine cannot go on ({type(error).__name__}: {error}). Nothing is sent until it can."
            ) from error
        finally:
            del CHUNK_SENDERS[batch]

    async def _run_workflows(self, batch: str, groups: Sequence[Sequence[int]]) -> None:
        interrupted = await DBOS.list_workflows_async(
            workflow_id_prefix=f"{batch}.", status=_OPEN_STATUSES, load_output=False
        )
        resumable = [found.workflow_id for found in interrupted if found.app_version == WORKFLOW_VERSION]
        await DBOS.cancel_workflows_async(
            [found.workflow_id for found in interrupted if found.app_version != WORKFLOW_VERSION]
        )
        running: list[Any] = []
        if resumable:
            await DBOS.register_queue_async(self._queue, polling_interval_sec=QUEUE_POLL_SECONDS)
            running += await DBOS.resume_workflows_async(resumable, queue_name=self._queue)
        covered = {
            lane
            for found in interrupted
            if found.workflow_id in resumable and found.input
            for lane in found.input["args"][1]
        }
        run = secrets.token_hex(4)
        for number, group in enumerate(groups):
            lanes = [lane for lane in group if lane not in covered]
            if lanes:
                with SetWorkflowID(f"{batch}.{run}.{number}"):
                    running.append(await DBOS.start_workflow_async(run_lanes_workflow, batch, lanes))
        ended = await asyncio.gather(
            *(handle.get_result(polling_interval_sec=QUEUE_POLL_SECONDS) for handle in running), return_exceptions=True
        )
        for error in ended:
            if isinstance(error, BaseException):
                raise error

    async def close(self) -> None:
        """As :class:`~intempt_core.dispatch.runner.ChunkRunner` has it."""
        with suppress(SQLAlchemyError, EngineUnavailable):
            await DBOS.delete_queue_async(self._queue)
        await asyncio.to_thread(DBOS.destroy)
        self._release_engine()

    def _move_aside(self, file: Path) -> str:
        try:
            return move_aside(file)
        except OSError as error:
            raise EngineUnavailable(
                f"The engine's database ({file}) is damaged and cannot be moved away: {error.strerror}. Move it away."
            ) from None

    def _release_engine(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        DbosRunner.is_launched = False


async def delete_old_workflows() -> None:
    """Delete workflows that finished days ago."""
    before = (datetime.now(UTC) - timedelta(days=WORKFLOW_KEEP_DAYS)).isoformat()
    old = await DBOS.list_workflows_async(
        status=["SUCCESS", "ERROR", "CANCELLED"], end_time=before, load_input=False, load_output=False, limit=10_000
    )
    if old:
        await DBOS.delete_workflows_async([found.workflow_id for found in old])


def _open_engine(url: str) -> Engine:
    """Open the engine's SQLite file.

    In WAL mode, so that readers and the writer do not wait for each other. With ``synchronous=NORMAL`` a power cut may
    lose the results of the last steps; then those are repeated, which history makes harmless. A lock that another
    program holds raises after :data:`ENGINE_BUSY_SECONDS`: the engine itself would sleep for up to a minute, silently.
    """
    Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in (
            f"busy_timeout={int(ENGINE_BUSY_SECONDS * 1000)}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "handle_error")
    def translate_error(context: ExceptionContext) -> None:
        name = getattr(context.original_exception, "sqlite_errorname", "")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise EngineUnavailable(f"The engine's database ({engine.url.database}) is held by another program.")

    return engine
