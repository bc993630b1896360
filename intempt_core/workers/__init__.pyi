from .export_tasks import (
    ExportFile as ExportFile,
    ExportKind as ExportKind,
    ExportedFile as ExportedFile,
)
from .file_check import (
    FileCheck as FileCheck,
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
from .result_store import (
    ResultStore as ResultStore,
)
