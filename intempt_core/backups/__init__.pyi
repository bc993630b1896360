from .backup import (
    make_backup as make_backup,
)
from .manifest import (
    BackupManifest as BackupManifest,
)
from .restore import (
    RestoreReport as RestoreReport,
    restore_backup as restore_backup,
)
