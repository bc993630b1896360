from .event_columns import (
    EventColumns as EventColumns,
    describe_event as describe_event,
    read_event_columns as read_event_columns,
)
from .locate import (
    CellLocation as CellLocation,
    find_cell as find_cell,
    locate_in_event as locate_in_event,
    locate_in_request as locate_in_request,
)
from .persons import (
    IdentityColumn as IdentityColumn,
    group_persons as group_persons,
    link_columns as link_columns,
    link_events as link_events,
)
from .plan import (
    EventOrder as EventOrder,
    ORDER_MESSAGES as ORDER_MESSAGES,
    POLICY_MESSAGES as POLICY_MESSAGES,
    Plan as Plan,
    PlannedBlock as PlannedBlock,
    Policy as Policy,
    are_one_order as are_one_order,
    explain_lane_length as explain_lane_length,
    plan_events as plan_events,
    plan_table as plan_table,
)
