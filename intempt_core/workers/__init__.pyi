from .export_tasks import (
    ExportFile as ExportFile,
    ExportKind as ExportKind,
    ExportedFile as ExportedFile,
)
from .file_check import (
    FileCheck as FileCheck,
)
from .file_recorder import (
    FileRecorder as FileRecorder,
)
from .file_tasks import (
    BuildCatalogue as BuildCatalogue,
    CheckFile as CheckFile,
    FileContext as FileContext,
    FileTask as FileTask,
    PlanFile as PlanFile,
    PreviewFix as PreviewFix,
    ReadCatalogue as ReadCatalogue,
    ReadFile as ReadFile,
)
from .record_task import (
    RECORDING_NICENESS as RECORDING_NICENESS,
    RecordPlan as RecordPlan,
)
from .result_store import (
    ResultStore as ResultStore,
)
from .worker_process import (
    WorkerProcess as WorkerProcess,
)
