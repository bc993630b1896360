from .events import (
    BLANK_CHARACTERS as BLANK_CHARACTERS,
)
from .events import (
    EARLIEST_MS as EARLIEST_MS,
)
from .events import (
    EVENT_EFFECTS as EVENT_EFFECTS,
)
from .events import (
    EVENTS_PER_REQUEST as EVENTS_PER_REQUEST,
)
from .events import (
    HINT_BUILDERS as HINT_BUILDERS,
)
from .events import (
    ID_FIELDS as ID_FIELDS,
)
from .events import (
    ID_PATTERNS as ID_PATTERNS,
)
from .events import (
    IDENTITY_FIELDS as IDENTITY_FIELDS,
)
from .events import (
    INVISIBLE_CHARACTERS as INVISIBLE_CHARACTERS,
)
from .events import (
    LATEST_MS as LATEST_MS,
)
from .events import (
    LINKING_FIELDS as LINKING_FIELDS,
)
from .events import (
    OPEN_FIELDS as OPEN_FIELDS,
)
from .events import (
    PLACEHOLDER_IDS as PLACEHOLDER_IDS,
)
from .events import (
    PLAIN_FIELDS as PLAIN_FIELDS,
)
from .events import (
    EventName as EventName,
)
from .events import (
    GivenEvent as GivenEvent,
)
from .events import (
    Json as Json,
)
from .events import (
    TrackEvent as TrackEvent,
)
from .events import (
    TrackRequest as TrackRequest,
)
from .events import (
    build_request_body as build_request_body,
)
from .events import (
    dump_json as dump_json,
)
from .events import (
    find_event_errors as find_event_errors,
)
from .events import (
    find_event_warnings as find_event_warnings,
)
from .events import (
    find_similar_name as find_similar_name,
)
from .events import (
    format_given as format_given,
)
from .events import (
    get_field as get_field,
)
from .events import (
    id_to_text as id_to_text,
)
from .events import (
    is_blank as is_blank,
)
from .events import (
    is_given as is_given,
)
from .events import (
    is_placeholder as is_placeholder,
)
from .events import (
    now_ms as now_ms,
)
from .events import (
    read_epoch_ms as read_epoch_ms,
)
from .events import (
    read_identities as read_identities,
)
from .events import (
    read_linking_ids as read_linking_ids,
)
from .faults import (
    BODILESS_STATUSES as BODILESS_STATUSES,
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
    FaultDocumentUnreadable as FaultDocumentUnreadable,
)
from .faults import (
    FaultInjector as FaultInjector,
)
from .faults import (
    LatencyFault as LatencyFault,
)
from .faults import (
    NoResponseFault as NoResponseFault,
)
from .faults import (
    ResponseFault as ResponseFault,
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
from .feeds import (
    ADDS_TO_FEED as ADDS_TO_FEED,
)
from .feeds import (
    FEED_IDENTITY_TYPES as FEED_IDENTITY_TYPES,
)
from .feeds import (
    FEED_TITLES as FEED_TITLES,
)
from .feeds import (
    FEEDS as FEEDS,
)
from .feeds import (
    REMOVES_FROM_FEED as REMOVES_FROM_FEED,
)
from .feeds import (
    SHARED_FEEDS as SHARED_FEEDS,
)
from .feeds import (
    FeedId as FeedId,
)
from .feeds import (
    Interaction as Interaction,
)
from .feeds import (
    compute_feeds as compute_feeds,
)
from .feeds import (
    find_feed_changes as find_feed_changes,
)
from .issues import (
    GIVEN_MAX_CHARACTERS as GIVEN_MAX_CHARACTERS,
)
from .issues import (
    ISSUE_KINDS as ISSUE_KINDS,
)
from .issues import (
    Issue as Issue,
)
from .issues import (
    Place as Place,
)
from .issues import (
    Severity as Severity,
)
from .issues import (
    escape_pointer_key as escape_pointer_key,
)
from .issues import (
    shorten_value as shorten_value,
)
from .issues import (
    split_pointer as split_pointer,
)
