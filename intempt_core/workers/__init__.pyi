from .file_check import (
    FileCheck as FileCheck,
)
from .file_tasks import (
    CheckFile as CheckFile,
    FileContext as FileContext,
    FileTask as FileTask,
    PlanFile as PlanFile,
    ReadFile as ReadFile,
)
from .result_store import (
    ResultStore as ResultStore,
)
