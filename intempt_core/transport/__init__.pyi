from .arrival_verdicts import (
    judge_arrivals as judge_arrivals,
)
from .exchange import (
    USER_AGENT as USER_AGENT,
    HttpClient as HttpClient,
    open_client as open_client,
)
from .feed_client import (
    FEED_LIMIT as FEED_LIMIT,
    FeedResponse as FeedResponse,
    read_feed as read_feed,
)
from .person_arrivals import (
    MAX_PERSON_EVENTS as MAX_PERSON_EVENTS,
    FirstUse as FirstUse,
    PersonArrival as PersonArrival,
    parse_person_arrival as parse_person_arrival,
)
from .sandbox_client import (
    EventFilter as EventFilter,
    KeptRequest as KeptRequest,
    LiveRow as LiveRow,
    LiveView as LiveView,
    SandboxArrival as SandboxArrival,
    SandboxClient as SandboxClient,
    SimulatedFailures as SimulatedFailures,
)
from .tls import (
    load_tls_context as load_tls_context,
)
from .track_client import (
    Attempt as Attempt,
    ConnectionTest as ConnectionTest,
    check_connection as check_connection,
    compute_retry_delay as compute_retry_delay,
    post_track_request as post_track_request,
)
