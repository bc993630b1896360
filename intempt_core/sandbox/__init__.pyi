from .http.auth import (
    MAX_BODY_BYTES as MAX_BODY_BYTES,
    SANDBOX_KEY as SANDBOX_KEY,
)
from .http.routes import (
    create_sandbox_app as create_sandbox_app,
)
from .http.server import (
    run_sandbox as run_sandbox,
)
from .storage.live import (
    LIVE_FILTERS as LIVE_FILTERS,
    SEARCHED_EVENTS as SEARCHED_EVENTS,
    SHOW_EVERYTHING as SHOW_EVERYTHING,
)
from .storage.projection import (
    KEPT_BODY_BYTES as KEPT_BODY_BYTES,
    KEPT_REQUESTS as KEPT_REQUESTS,
)
