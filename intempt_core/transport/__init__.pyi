from .exchange import (
    HttpClient as HttpClient,
    open_client as open_client,
)
from .sandbox_client import (
    KeptRequest as KeptRequest,
    LiveRow as LiveRow,
    LiveView as LiveView,
    SandboxClient as SandboxClient,
)
from .sandbox_events import (
    SandboxVerdict as SandboxVerdict,
    read_sandbox_verdicts as read_sandbox_verdicts,
)
from .sandbox_person import (
    read_processing_status as read_processing_status,
)
from .track_client import (
    Attempt as Attempt,
    ConnectionTest as ConnectionTest,
    FEED_LIMIT as FEED_LIMIT,
    FeedResponse as FeedResponse,
    check_connection as check_connection,
    compute_retry_delay as compute_retry_delay,
    post_track_request as post_track_request,
    read_feed as read_feed,
)
