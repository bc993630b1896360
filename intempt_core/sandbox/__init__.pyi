from .digest import (
    KEPT_BODY_BYTES as KEPT_BODY_BYTES,
)
from .digest import (
    KEPT_REQUESTS as KEPT_REQUESTS,
)
from .faults import (
    FAULT_PATH_LABELS as FAULT_PATH_LABELS,
)
from .faults import (
    DisconnectFault as DisconnectFault,
)
from .faults import (
    Fault as Fault,
)
from .faults import (
    FaultDocument as FaultDocument,
)
from .faults import (
    LatencyFault as LatencyFault,
)
from .faults import (
    NoResponseFault as NoResponseFault,
)
from .faults import (
    SlowResponseFault as SlowResponseFault,
)
from .faults import (
    StatusFault as StatusFault,
)
from .faults import (
    TooLargeFault as TooLargeFault,
)
from .faults import (
    parse_fault_document as parse_fault_document,
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
