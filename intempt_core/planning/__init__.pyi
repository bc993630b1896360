from .locate import (
    CellLocation as CellLocation,
)
from .locate import (
    find_cell as find_cell,
)
from .locate import (
    locate_in_event as locate_in_event,
)
from .locate import (
    locate_in_request as locate_in_request,
)
from .plan import (
    ORDER_MESSAGES as ORDER_MESSAGES,
)
from .plan import (
    POLICY_MESSAGES as POLICY_MESSAGES,
)
from .plan import (
    EventOrder as EventOrder,
)
from .plan import (
    Plan as Plan,
)
from .plan import (
    Policy as Policy,
)
from .plan import (
    are_one_order as are_one_order,
)
from .plan import (
    explain_lane_length as explain_lane_length,
)
from .plan import (
    group_persons as group_persons,
)
from .plan import (
    plan_events as plan_events,
)
from .plan import (
    plan_table as plan_table,
)
