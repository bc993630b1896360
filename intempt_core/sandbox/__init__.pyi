from .http.auth import (
    MAX_BODY_BYTES as MAX_BODY_BYTES,
)
from .http.auth import (
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
)
from .storage.live import (
    SEARCHED_EVENTS as SEARCHED_EVENTS,
)
from .storage.live import (
    SHOW_EVERYTHING as SHOW_EVERYTHING,
)
from .storage.projection import (
    KEPT_BODY_BYTES as KEPT_BODY_BYTES,
)
from .storage.projection import (
    KEPT_REQUESTS as KEPT_REQUESTS,
)
