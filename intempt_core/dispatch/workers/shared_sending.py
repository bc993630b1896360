"""What a process does of the work that all processes of a database share: it takes groups, and supervises."""

from collections.abc import Callable, Collection

from intempt_core.dispatch.batch_runner import BatchRunner
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.workers.group_engine import GroupEngine
from intempt_core.dispatch.workers.group_runner import GroupRunner
from intempt_core.dispatch.workers.lease_keeper import LeaseKeeper
from intempt_core.dispatch.workers.supervisor import Supervisor
from intempt_core.settings import Settings


class SharedSending:
    """The groups, the engine and the supervisor of one process, in one event loop."""

    def __init__(
        self,
        runner: BatchRunner,
        writer: HistoryWriter,
        keeper: LeaseKeeper,
        settings: Settings,
        wake: Callable[[], None],
    ) -> None:
        """Make it; ``wake`` is called where :meth:`look` should be called soon."""
        self._keeper = keeper
        self._groups = GroupRunner(runner, writer, keeper.lease, wake)
        self._engine = GroupEngine(settings.engine_url, keeper.lease, settings.lanes_at_once)
        self._supervisor = Supervisor(writer, keeper, self._engine, self._groups)

    async def start(self) -> None:
        """Start to take groups. Raises :class:`EngineUnavailable`."""
        await self._engine.launch(self._groups)

    async def look(self, sending: Collection[str]) -> None:
        """Do what is to be done now; ``sending`` are the batches that are being sent."""
        if self._keeper.may_send:
            self._groups.halt_all_but(set(sending))
            await self._supervisor.look()
        else:
            self._groups.lose()

    def lose(self) -> None:
        """Send nothing more of what this process owns now: others may have taken it."""
        self._groups.lose()

    def cut_connections(self) -> None:
        """Let calls of the engine fail that wait without end for the database."""
        self._engine.cut_connections()

    def stop(self) -> None:
        """Take nothing more, and let everything go after what is in flight."""
        self._groups.stop()

    async def wait_until_idle(self) -> None:
        """Wait until this process owns no group any more."""
        await self._groups.wait_until_idle()

    async def close(self) -> None:
        """Release the engine."""
        await self._engine.close()
