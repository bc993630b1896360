from .absence import (
    FeedAnswer as FeedAnswer,
    explain_absence as explain_absence,
)
from .batch_diff import (
    BatchDiff as BatchDiff,
    BatchDiffCounts as BatchDiffCounts,
    EventDifference as EventDifference,
    EventDifferenceKind as EventDifferenceKind,
)
from .diff import (
    Comparison as Comparison,
    Difference as Difference,
    compare_sides as compare_sides,
)
from .diff_sources import (
    find_named_batch as find_named_batch,
    load_side as load_side,
)
from .event_result import (
    EventResult as EventResult,
    FeedReading as FeedReading,
    ResultAction as ResultAction,
    ResultEvidence as ResultEvidence,
    ResultStep as ResultStep,
    StepState as StepState,
    compute_event_result as compute_event_result,
)
from .feed_diff import (
    FeedExplanation as FeedExplanation,
    explain_feed as explain_feed,
    find_feed_changes as find_feed_changes,
)
from .funnel import (
    Funnel as Funnel,
    FunnelStage as FunnelStage,
    compute_funnel as compute_funnel,
)
from .journey_notes import (
    NOTE_MEANINGS as NOTE_MEANINGS,
    find_notes as find_notes,
)
from .resend_preview import (
    ResendPreview as ResendPreview,
    preview_resend as preview_resend,
)
from .timeline import (
    EventEffect as EventEffect,
    PersonTimeline as PersonTimeline,
    TimelineEvent as TimelineEvent,
    build_timeline as build_timeline,
)
from .verdicts import (
    EventVerdicts as EventVerdicts,
    Verdict as Verdict,
    VerdictContext as VerdictContext,
    VerdictTone as VerdictTone,
    assess_events as assess_events,
)
