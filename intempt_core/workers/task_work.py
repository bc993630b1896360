"""A task carried out in the process that calls this, whichever that is; its result is on disk afterwards."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from intempt_core.errors import ReadError
from intempt_core.settings import Settings
from intempt_core.workers.file_tasks import FileContext, FileTask
from intempt_core.workers.stored_results import StoredResult, store_result


def work_out_task(task: FileTask, settings: Settings, given: Sequence[StoredResult], folder: Path) -> StoredResult:
    """The result of a task, stored in ``folder``. Raises what the task raises, and :class:`ReadError` for the disk."""
    try:
        inputs: list[Any] = [one.load() for one in given]
        found = task.run(FileContext.from_settings(settings), inputs)
        if hasattr(found, "work_out"):
            found.work_out()
        return store_result(found, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        what = f"{task.file_name} could not be {task.verb}"
        raise ReadError(f"{what}: {reason}. Free some space in {folder}, then take it again.") from error
