from .diff import (
    Comparison as Comparison,
)
from .diff import (
    Difference as Difference,
)
from .diff import (
    compare_sides as compare_sides,
)
from .diff_sources import (
    load_side as load_side,
)
from .funnel import (
    Funnel as Funnel,
)
from .funnel import (
    FunnelStage as FunnelStage,
)
from .funnel import (
    compute_funnel as compute_funnel,
)
from .journey_notes import (
    NOTE_MEANINGS as NOTE_MEANINGS,
)
from .journey_notes import (
    FeedExplanation as FeedExplanation,
)
from .journey_notes import (
    ForeignEvent as ForeignEvent,
)
from .journey_notes import (
    PersonEvent as PersonEvent,
)
from .journey_notes import (
    PersonHistory as PersonHistory,
)
from .journey_notes import (
    ProcessingStatus as ProcessingStatus,
)
from .journey_notes import (
    explain_feed as explain_feed,
)
from .journey_notes import (
    find_notes as find_notes,
)
from .verdicts import (
    EventVerdicts as EventVerdicts,
)
from .verdicts import (
    Verdict as Verdict,
)
from .verdicts import (
    VerdictContext as VerdictContext,
)
from .verdicts import (
    VerdictTone as VerdictTone,
)
from .verdicts import (
    assess_events as assess_events,
)
