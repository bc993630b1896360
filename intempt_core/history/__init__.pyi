from .event_lookup import (
    EventOccurrence as EventOccurrence,
)
from .history import (
    History as History,
)
from .recorder import (
    collect_excluded_rows as collect_excluded_rows,
)
from .recorder import (
    make_request_intents as make_request_intents,
)
from .records import (
    AttemptEnd as AttemptEnd,
)
from .records import (
    AttemptStart as AttemptStart,
)
from .records import (
    BatchIntent as BatchIntent,
)
from .records import (
    BatchSource as BatchSource,
)
from .records import (
    BatchState as BatchState,
)
from .records import (
    EventIntent as EventIntent,
)
from .records import (
    ExcludedRow as ExcludedRow,
)
from .records import (
    LaneState as LaneState,
)
from .records import (
    RequestHalf as RequestHalf,
)
from .records import (
    RequestIntent as RequestIntent,
)
from .records import (
    RequestState as RequestState,
)
from .records import (
    TargetSnapshot as TargetSnapshot,
)
from .records import (
    Transition as Transition,
)
from .records import (
    UnfinishedBatch as UnfinishedBatch,
)
from .records import (
    WorkItem as WorkItem,
)
from .records import (
    derive_target_key as derive_target_key,
)
from .records import (
    is_batch_active as is_batch_active,
)
from .resend import (
    preview_resend as preview_resend,
)
from .views import (
    AttemptRecord as AttemptRecord,
)
from .views import (
    BatchFilter as BatchFilter,
)
from .views import (
    BatchSummary as BatchSummary,
)
from .views import (
    DeletionPreview as DeletionPreview,
)
from .views import (
    DeletionProgress as DeletionProgress,
)
from .views import (
    RequestRecord as RequestRecord,
)
from .views import (
    RequestSummary as RequestSummary,
)
from .views import (
    RowOutcome as RowOutcome,
)
from .views import (
    SlowAttempt as SlowAttempt,
)
from .views import (
    ThroughputTimeline as ThroughputTimeline,
)
