from .assignments import (
    parse_assignments as parse_assignments,
)
from .events import (
    EVENT_ID_FIELD as EVENT_ID_FIELD,
    TIME_FIELD as TIME_FIELD,
    build_journey_events as build_journey_events,
    find_own_values as find_own_values,
    make_journey as make_journey,
)
from .model import (
    JOURNEY_NAME_LENGTH as JOURNEY_NAME_LENGTH,
    Journey as Journey,
    JourneyEvent as JourneyEvent,
    MAX_JOURNEYS as MAX_JOURNEYS,
    MAX_JOURNEY_BYTES as MAX_JOURNEY_BYTES,
    MAX_JOURNEY_EVENTS as MAX_JOURNEY_EVENTS,
    check_journey as check_journey,
    parse_journey as parse_journey,
    read_journey_file as read_journey_file,
    write_journey as write_journey,
)
from .store import (
    JourneyStore as JourneyStore,
    normalize_journey_name as normalize_journey_name,
)
