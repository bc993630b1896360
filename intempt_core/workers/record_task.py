"""The task that records the plan of a checked file: what is to be sent is written down, while the console sends it."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from intempt_core.planning import Plan
from intempt_core.workers.file_check import FileCheck
from intempt_core.workers.file_tasks import CheckFile, FileContext, PlanFile, make_task_key

if TYPE_CHECKING:
    from intempt_core.history import BatchIntent

RECORDING_NICENESS = 5
"""How much the process gives way, of 19: little, as others wait for it whenever it writes to history."""


@dataclass(frozen=True)
class RecordPlan:
    """Record the plan of a checked file as a batch.

    Attributes:
        plan: The task that plans it.
        intent: What the batch is, with its id, by which it is found while it is recorded.
    """

    plan: PlanFile
    intent: "BatchIntent"
    verb = "recorded"
    file_bytes = 0

    @property
    def file_name(self) -> str:
        """The name of the file."""
        return self.plan.file_name

    @cached_property
    def key(self) -> str:
        """By the batch: it is recorded once."""
        return make_task_key("record", self.intent.id)

    @property
    def inputs(self) -> tuple[PlanFile, CheckFile]:
        """The plan, and the checked file for the rows that are excluded."""
        return self.plan, self.plan.checked

    def run(self, context: FileContext, given: Sequence[Any]) -> str:
        """The id of the batch. Raises what :meth:`~intempt_core.history.recorder.Recorder.record` raises."""
        from intempt_core.history import make_request_blocks  # noqa: PLC0415  half a second that only this task needs

        plan: Plan = given[0]
        checked: FileCheck = given[1]
        excluded = checked.excluded_records(
            everything=self.plan.everything,
            exclude_accepted=self.plan.exclude_accepted,
            good_members=self.plan.good_members,
            exclude_codes=self.plan.exclude_codes,
        )
        with closing(context.open_history()) as history:
            return history.recorder.record(self.intent, make_request_blocks(plan), excluded)
