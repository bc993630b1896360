"""The durable engine, DBOS Transact, under dispatch: it remembers which lanes were being sent, and goes on with them.

History stays the truth; the engine only drives it. So its database may be lost, locked or full: then nothing is sent
until it can be written again, and nothing is wrong afterwards. Each process is an executor of its own with a queue of
its own. What a dead one left is taken over batch by batch, by whoever has claimed the batch in history, which is
decided inside the database; with PostgreSQL that holds between machines.
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

from intempt_core.dispatch.dbos_workflows import CHUNK_SENDERS, WORKFLOW_VERSION, run_lanes_workflow
from intempt_core.dispatch.runner import ChunkSender
from intempt_core.errors import EngineUnavailable

ENGINE_BUSY_SECONDS = 2.0
"""How long another program may hold the engine's SQLite file before that counts as trouble."""

WORKFLOW_KEEP_DAYS = 7
"""How long finished workflows are kept: to look at, nothing needs them."""

QUEUE_POLL_SECONDS = 0.2
"""How often the queue of this process is looked at: only what is taken over goes through it. The engine's end waits
for as long, for a thread of its own that sleeps between its looks: a whole second, were it not told.
"""

_OPEN_STATUSES = ["PENDING", "ENQUEUED"]


class DbosRunner:
    """Calls for chunks from workflows. One at a time in a process: the engine is one per process."""

    _launched: ClassVar[bool] = False

    def __init__(self, url: str, owner: str) -> None:
        self._url, self._owner = url, owner
        self._queue = f"lanes of {owner}"
        self._engine: Engine | None = None

    async def launch(self) -> None:
        """Start the engine in the running event loop, which it blocks for a moment.

        Raises :class:`EngineUnavailable` where its database cannot be used.
        """
        if DbosRunner._launched:
            raise EngineUnavailable("The engine runs in this process already.")
        sqlite = make_url(self._url).get_backend_name() == "sqlite"
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
        DbosRunner._launched = True
        try:
            DBOS(config=config)
            DBOS.listen_queues([self._queue])
            DBOS.launch()
            await _delete_old_workflows()
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
        """As :class:`~intempt_core.dispatch.runner.ChunkRunner` has it; workflows that were interrupted are taken up again."""
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
        again = [found.workflow_id for found in interrupted if found.app_version == WORKFLOW_VERSION]
        await DBOS.cancel_workflows_async(
            [found.workflow_id for found in interrupted if found.app_version != WORKFLOW_VERSION]
        )
        running: list[Any] = []
        if again:
            await DBOS.register_queue_async(self._queue, polling_interval_sec=QUEUE_POLL_SECONDS)
            running += await DBOS.resume_workflows_async(again, queue_name=self._queue)
        covered = {
            lane
            for found in interrupted
            if found.workflow_id in again and found.input
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

    def _release_engine(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        DbosRunner._launched = False


async def _delete_old_workflows() -> None:
    """Remove what is over for days."""
    before = (datetime.now(UTC) - timedelta(days=WORKFLOW_KEEP_DAYS)).isoformat()
    old = await DBOS.list_workflows_async(
        status=["SUCCESS", "ERROR", "CANCELLED"], end_time=before, load_input=False, load_output=False, limit=10_000
    )
    if old:
        await DBOS.delete_workflows_async([found.workflow_id for found in old])


def _open_engine(url: str) -> Engine:
    """The engine's SQLite file as it needs it.

    In WAL, so that readers and the writer do not wait for each other. ``synchronous=NORMAL``: a power cut may cost the
    last steps' results, and then those steps are repeated, which history makes harmless. A lock that others hold is
    raised after :data:`ENGINE_BUSY_SECONDS`: the engine itself would sleep, for up to a minute at a time, and say nothing.
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
    def in_words(context: ExceptionContext) -> None:
        name = getattr(context.original_exception, "sqlite_errorname", "")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise EngineUnavailable(f"The engine's database ({engine.url.database}) is held by another program.")

    return engine
