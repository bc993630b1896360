"""The store of everything that is recorded and sent: one object made of parts, each with one duty."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from intempt_core.history import schema
from intempt_core.history.control import BatchControl
from intempt_core.history.database import Database
from intempt_core.history.event_lookup import EventLookup
from intempt_core.history.outcomes import OutcomeQueries
from intempt_core.history.persons import PersonQueries
from intempt_core.history.queries import HistoryQueries
from intempt_core.history.recorder import Recorder
from intempt_core.history.repeats import RepeatLookup
from intempt_core.history.retention import Retention
from intempt_core.history.saved.catalogues import CatalogueDocuments
from intempt_core.history.saved.journeys import SavedJourneys
from intempt_core.history.saved.named_documents import NamedDocuments
from intempt_core.history.saved.targets import SavedTargets
from intempt_core.history.throughput import ThroughputLog
from intempt_core.history.upkeep.backlog import BacklogMeter
from intempt_core.history.upkeep.integrity import IntegrityCheck
from intempt_core.history.upkeep.search_index import SearchIndex
from intempt_core.history.upkeep.write_probe import WriteProbe
from intempt_core.history.webhooks.outbox import WebhookOutbox
from intempt_core.history.work_queue import WorkQueue
from intempt_core.history.workers.groups import LaneGroups
from intempt_core.history.workers.leases import WorkerLeases
from intempt_core.history.workers.limits import TargetLimitStore


class History:
    """The SQL store. One instance serves all threads of a process; several processes may use the same database.

    Attributes:
        database: the connection that all parts share.
        search_index: writes the keys of events that are missing for quick searches.
        recorder: records batches before they are sent.
        queue: gives out requests to dispatch, and takes back their outcomes.
        workers: tells which processes are alive that send from a database of many machines.
        groups: says which of them may send what.
        limits: shares the limits of targets among them.
        control: pauses, resumes, finishes and cancels batches.
        queries: reads batches, requests and attempts.
        outcomes: reads the outcomes of a whole batch, row by row.
        persons: reads the events of persons.
        events: looks up events by their ids.
        repeats: tells what of a batch went in others too.
        throughput: tells how fast a batch was sent, and what came of it over time.
        retention: deletes old batches.
        journeys: keeps the saved journeys.
        targets: keeps the targets that were added on a screen.
        mappings: keeps the saved mappings of consoles that share the database.
        team_rules: keeps the team's rules that these consoles go by.
        checks: keeps what these consoles found in files of each shape.
        catalogues: keeps the product catalogues of these consoles.
        probe: tells whether it can be written now.
        integrity: checks the file for damage.
        backlog: measures what is still to be sent.
        webhooks: gives out what the webhooks of targets are to be told.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.search_index = SearchIndex(database)
        self.recorder = Recorder(database, search_index=self.search_index)
        self.throughput = ThroughputLog(database)
        self.queue = WorkQueue(database, self.throughput)
        self.workers = WorkerLeases(database)
        self.groups = LaneGroups(database, self.throughput)
        self.limits = TargetLimitStore(database)
        self.control = BatchControl(database)
        self.queries = HistoryQueries(database)
        self.outcomes = OutcomeQueries(database)
        self.persons = PersonQueries(database)
        self.events = EventLookup(database)
        self.repeats = RepeatLookup(database)
        self.retention = Retention(database)
        self.journeys = SavedJourneys(database)
        self.targets = SavedTargets(database)
        self.mappings, self.team_rules, self.checks = (
            NamedDocuments(database, table) for table in (schema.mappings, schema.team_rules, schema.checks)
        )
        self.catalogues = CatalogueDocuments(database)
        self.probe = WriteProbe(database)
        self.integrity = IntegrityCheck(database)
        self.backlog = BacklogMeter(database)
        self.webhooks = WebhookOutbox(database)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Callable[[], int] | None = None,
        busy_seconds: float = 5.0,
        traces: Iterable[Path] = (),
    ) -> Self:
        """Open the database at an SQLAlchemy URL; it is created and migrated where needed.

        Args:
            url: such as ``sqlite:////data/history.sqlite3`` or ``postgresql+psycopg://user:password@host/name``.
            clock: the time now, in epoch ms; by default a server's own, and this machine's beside a file.
            busy_seconds: how long to wait for a lock that another process holds before :class:`HistoryUnavailable`.
            traces: files that are only there where a history was too: a new one beside them is noticed.
        """
        return cls(Database.open(url, clock=clock, busy_seconds=busy_seconds, traces=traces))

    @property
    def notices(self) -> list[str]:
        """What everybody who uses this history has to know of it, as sentences: damage, and that one was lost."""
        database = self.database
        loss = database.memory.describe_loss(database.clock()) if database.memory is not None else ""
        return [notice for notice in (database.damage, loss) if notice]

    def close(self) -> None:
        """Close every connection."""
        self.integrity.stop()
        self.search_index.stop()
        self.database.close()
