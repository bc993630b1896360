"""The SQL store: what is recorded, sent and asked, in one object."""

from intempt_core.history.control import BatchControl
from intempt_core.history.event_lookup import EventLookup
from intempt_core.history.outcomes import OutcomeQueries
from intempt_core.history.queries import HistoryQueries
from intempt_core.history.recorder import Recorder
from intempt_core.history.retention import Retention
from intempt_core.history.work_queue import WorkQueue


class History(Recorder, WorkQueue, BatchControl, HistoryQueries, OutcomeQueries, Retention, EventLookup):
    """The SQL store. One instance serves all threads of a process; several processes may hold the same database."""
