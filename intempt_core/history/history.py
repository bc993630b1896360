"""The SQL store: what is recorded, sent and asked, in one object."""

from intempt_core.history.by_event import EventLookup
from intempt_core.history.forgetting import Retention
from intempt_core.history.looking_back import OutcomeQueries
from intempt_core.history.reading import HistoryQueries
from intempt_core.history.recording import Recorder
from intempt_core.history.steering import BatchControl
from intempt_core.history.working import WorkQueue


class History(Recorder, WorkQueue, BatchControl, HistoryQueries, OutcomeQueries, Retention, EventLookup):
    """The SQL store. One instance serves all threads of a process; several processes may hold the same database."""
