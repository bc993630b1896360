from .exchange import (
    HttpClient as HttpClient,
)
from .exchange import (
    Outcome as Outcome,
)
from .exchange import (
    open_client as open_client,
)
from .sandbox_client import (
    KeptRequest as KeptRequest,
)
from .sandbox_client import (
    LiveRow as LiveRow,
)
from .sandbox_client import (
    LiveView as LiveView,
)
from .sandbox_client import (
    SandboxClient as SandboxClient,
)
from .sandbox_events import (
    SandboxVerdict as SandboxVerdict,
)
from .sandbox_events import (
    read_sandbox_verdicts as read_sandbox_verdicts,
)
from .sandbox_person import (
    read_processing_status as read_processing_status,
)
from .track_client import (
    FEED_LIMIT as FEED_LIMIT,
)
from .track_client import (
    Attempt as Attempt,
)
from .track_client import (
    ConnectionTest as ConnectionTest,
)
from .track_client import (
    FeedResponse as FeedResponse,
)
from .track_client import (
    check_connection as check_connection,
)
from .track_client import (
    compute_retry_delay as compute_retry_delay,
)
from .track_client import (
    post_track_request as post_track_request,
)
from .track_client import (
    read_feed as read_feed,
)
