from .http.auth import (
    MAX_BODY_BYTES as MAX_BODY_BYTES,
    SANDBOX_KEY as SANDBOX_KEY,
)
from .http.openapi import (
    NeighbouringApi as NeighbouringApi,
)
from .http.routes import (
    create_sandbox_app as create_sandbox_app,
)
from .http.server import (
    run_sandbox as run_sandbox,
)
from .storage.live import (
    SEARCHED_EVENTS as SEARCHED_EVENTS,
)
from .storage.projection import (
    KEPT_BODY_BYTES as KEPT_BODY_BYTES,
    KEPT_REQUESTS as KEPT_REQUESTS,
)
