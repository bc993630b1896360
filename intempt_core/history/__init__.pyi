from .event_lookup import (
    EventOccurrence as EventOccurrence,
)
from .history import (
    History as History,
)
from .recorder import (
    collect_excluded_rows as collect_excluded_rows,
    collect_ignored_rows as collect_ignored_rows,
    describe_partial_recording as describe_partial_recording,
    make_batch_id as make_batch_id,
    make_request_blocks as make_request_blocks,
)
from .records import (
    AttemptEnd as AttemptEnd,
    AttemptStart as AttemptStart,
    BatchIntent as BatchIntent,
    BatchSource as BatchSource,
    BatchState as BatchState,
    EventIntent as EventIntent,
    ExcludedRow as ExcludedRow,
    HistoryCheckpoint as HistoryCheckpoint,
    IDENTITY_COLUMNS as IDENTITY_COLUMNS,
    LaneState as LaneState,
    RequestBlock as RequestBlock,
    RequestHalf as RequestHalf,
    RequestIntent as RequestIntent,
    RequestState as RequestState,
    TargetSnapshot as TargetSnapshot,
    Transition as Transition,
    UnfinishedBatch as UnfinishedBatch,
    WorkItem as WorkItem,
    count_settled as count_settled,
    is_batch_active as is_batch_active,
)
from .repeats import (
    GOING_STATES as GOING_STATES,
    NEVER_LEFT_STATES as NEVER_LEFT_STATES,
    RepeatedSend as RepeatedSend,
    describe_repeats as describe_repeats,
)
from .retention import (
    BackgroundDeletion as BackgroundDeletion,
)
from .throughput import (
    UnjudgedRequest as UnjudgedRequest,
)
from .saved.documents import (
    SavedDocuments as SavedDocuments,
)
from .saved.uploads import (
    SharedUploads as SharedUploads,
)
from .schema import (
    MAX_NAME_LENGTH as MAX_NAME_LENGTH,
)
from .views import (
    AttemptRecord as AttemptRecord,
    BatchFilter as BatchFilter,
    BatchOrder as BatchOrder,
    BatchSubjects as BatchSubjects,
    BatchSummary as BatchSummary,
    DeletionPreview as DeletionPreview,
    DeletionProgress as DeletionProgress,
    RecordedEvent as RecordedEvent,
    VerdictCounts as VerdictCounts,
    RequestRecord as RequestRecord,
    RequestSummary as RequestSummary,
    RowOutcome as RowOutcome,
    SlowAttempt as SlowAttempt,
    ThroughputStep as ThroughputStep,
    ThroughputTimeline as ThroughputTimeline,
    UndecidedCounts as UndecidedCounts,
)
from .upkeep.backlog import (
    Backlog as Backlog,
)
from .upkeep.observer import (
    HistoryObserver as HistoryObserver,
    ObservedAttempt as ObservedAttempt,
)
from .transfer.transfer import (
    MovedTable as MovedTable,
    MoveProgress as MoveProgress,
    MoveReport as MoveReport,
    MoveStage as MoveStage,
    move_history as move_history,
)
from .webhooks.announcements import (
    DELIVERED as DELIVERED,
    GIVEN_UP as GIVEN_UP,
    WAITING as WAITING,
)
from .webhooks.outbox import (
    WebhookDelivery as WebhookDelivery,
    WebhookOutbox as WebhookOutbox,
)
from .workers.connections import (
    ConnectionCutter as ConnectionCutter,
)
from .workers.groups import (
    LaneGroup as LaneGroup,
    MAX_GROUPS as MAX_GROUPS,
    SharedWork as SharedWork,
    Takeover as Takeover,
)
from .workers.leases import (
    LEASE_SECONDS as LEASE_SECONDS,
    RENEW_SECONDS as RENEW_SECONDS,
    WorkerKind as WorkerKind,
    WorkerLease as WorkerLease,
)
from .migrations import (
    HEAD as HEAD,
)
from .upkeep.backups import (
    copy_sqlite_file as copy_sqlite_file,
)
from .upkeep.snapshot import (
    HistorySnapshot as HistorySnapshot,
    hold_snapshot as hold_snapshot,
)
