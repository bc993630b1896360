from .digest import (
    KEPT_BODY_BYTES as KEPT_BODY_BYTES,
)
from .digest import (
    KEPT_REQUESTS as KEPT_REQUESTS,
)
from .guards import (
    MAX_BODY_BYTES as MAX_BODY_BYTES,
)
from .guards import (
    SANDBOX_KEY as SANDBOX_KEY,
)
from .live import (
    LIVE_FILTERS as LIVE_FILTERS,
)
from .live import (
    SEARCHED_EVENTS as SEARCHED_EVENTS,
)
from .live import (
    SHOW_EVERYTHING as SHOW_EVERYTHING,
)
from .routes import (
    create_sandbox_app as create_sandbox_app,
)
from .serving import (
    run_sandbox as run_sandbox,
)
