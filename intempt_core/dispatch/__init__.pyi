from .engine import (
    Dispatcher as Dispatcher,
)
from .gates import (
    FAILURES_TO_BREAK as FAILURES_TO_BREAK,
)
from .health import (
    check_health as check_health,
)
from .lanes import (
    TurnResult as TurnResult,
)
from .lanes import (
    split_body as split_body,
)
from .progress import (
    Progress as Progress,
)
from .simple import (
    make_batch_intent as make_batch_intent,
)
from .simple import (
    send_plan as send_plan,
)
from .simple import (
    wait_for_batch as wait_for_batch,
)
