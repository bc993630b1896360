from .engine import (
    Dispatcher as Dispatcher,
)
from .progress import (
    Progress as Progress,
)
from .simple import (
    make_batch_intent as make_batch_intent,
)
from .simple import (
    wait_for_batch as wait_for_batch,
)
