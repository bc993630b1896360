from .body import (
    ExactNumber as ExactNumber,
    build_request_body as build_request_body,
    dump_json as dump_json,
)
from .counting import (
    REASONS_NOT_COUNTING as REASONS_NOT_COUNTING,
    REASON_REPEATED as REASON_REPEATED,
    REQUIRED_FIELDS as REQUIRED_FIELDS,
    REQUIREMENTS as REQUIREMENTS,
    event_counts as event_counts,
    explain_not_counting as explain_not_counting,
)
from .faults import (
    BODILESS_STATUSES as BODILESS_STATUSES,
    DisconnectFault as DisconnectFault,
    FAULT_PATH_LABELS as FAULT_PATH_LABELS,
    Fault as Fault,
    FaultDocument as FaultDocument,
    LatencyFault as LatencyFault,
    NoResponseFault as NoResponseFault,
    ResponseFault as ResponseFault,
    SlowResponseFault as SlowResponseFault,
    StatusFault as StatusFault,
    TooLargeFault as TooLargeFault,
    parse_fault_document as parse_fault_document,
)
from .feeds import (
    ADDS_TO_FEED as ADDS_TO_FEED,
    FEEDS as FEEDS,
    FEED_EFFECTS as FEED_EFFECTS,
    FEED_IDENTITY_TYPES as FEED_IDENTITY_TYPES,
    FEED_TITLES as FEED_TITLES,
    FeedId as FeedId,
    FeedIdentity as FeedIdentity,
    Interaction as Interaction,
    REMOVES_FROM_FEED as REMOVES_FROM_FEED,
    SHARED_FEEDS as SHARED_FEEDS,
    compute_feeds as compute_feeds,
)
from .fields import (
    BLANK_CHARACTERS as BLANK_CHARACTERS,
    EARLIEST_MS as EARLIEST_MS,
    EVENT_COUNT as EVENT_COUNT,
    EVENT_EFFECTS as EVENT_EFFECTS,
    EVENT_FIELDS as EVENT_FIELDS,
    EventName as EventName,
    FieldType as FieldType,
    IDENTITY_FIELDS as IDENTITY_FIELDS,
    ID_FIELDS as ID_FIELDS,
    INVISIBLE_CHARACTERS as INVISIBLE_CHARACTERS,
    Json as Json,
    LATEST_MS as LATEST_MS,
    LINKING_FIELDS as LINKING_FIELDS,
    MASK as MASK,
    OPEN_FIELDS as OPEN_FIELDS,
    PLAIN_FIELDS as PLAIN_FIELDS,
    get_field as get_field,
    id_to_text as id_to_text,
    is_blank as is_blank,
    is_event_name as is_event_name,
    is_given as is_given,
    join_words as join_words,
    now_ms as now_ms,
    read_epoch_ms as read_epoch_ms,
    spell_number as spell_number,
)
from .hints import (
    find_meant_name as find_meant_name,
    suggest_nearest as suggest_nearest,
)
from .id_forms import (
    FLOAT_OF_WHOLE_PATTERN as FLOAT_OF_WHOLE_PATTERN,
    ID_PATTERNS as ID_PATTERNS,
    PLACEHOLDER_IDS as PLACEHOLDER_IDS,
    PLACEHOLDER_MARKS as PLACEHOLDER_MARKS,
    PLACEHOLDER_PATTERN as PLACEHOLDER_PATTERN,
    PLACEHOLDER_STARTS as PLACEHOLDER_STARTS,
    SPREADSHEET_ERROR as SPREADSHEET_ERROR,
    describe_placeholder as describe_placeholder,
    is_placeholder as is_placeholder,
    drop_zero_fraction as drop_zero_fraction,
    unwrap_spreadsheet_text as unwrap_spreadsheet_text,
)
from .identity import (
    find_links as find_links,
    read_identities as read_identities,
    read_linking_ids as read_linking_ids,
)
from .invisible import (
    spell_invisible as spell_invisible,
)
from .issue_kinds import (
    ISSUE_KINDS as ISSUE_KINDS,
    IssueKind as IssueKind,
    Severity as Severity,
)
from .issues import (
    Issue as Issue,
    Place as Place,
    escape_pointer_key as escape_pointer_key,
    format_given as format_given,
    split_pointer as split_pointer,
)
from .json_schema import (
    SCHEMA_VERSION as SCHEMA_VERSION,
    SchemaSubject as SchemaSubject,
    build_contract_schema as build_contract_schema,
)
from .model import (
    TrackEvent as TrackEvent,
    TrackRequest as TrackRequest,
)
from .outcome import (
    FORMER_STATE_VALUES as FORMER_STATE_VALUES,
    Outcome as Outcome,
    find_current_state as find_current_state,
)
from .person_history import (
    ForeignEvent as ForeignEvent,
    PersonEvent as PersonEvent,
    PersonHistory as PersonHistory,
    ProcessingStatus as ProcessingStatus,
)
from .readings import (
    FieldColumn as FieldColumn,
    FoundElsewhere as FoundElsewhere,
    Requirement as Requirement,
    ValueRule as ValueRule,
    find_none as find_none,
    read_each_value as read_each_value,
)
from .quantities import (
    GIVEN_MAX_CHARACTERS as GIVEN_MAX_CHARACTERS,
    format_count as format_count,
    shorten_value as shorten_value,
)
from .rules import (
    GivenEvent as GivenEvent,
    find_event_errors as find_event_errors,
    find_event_warnings as find_event_warnings,
)
from .sandbox_api import (
    IgnoredEvent as IgnoredEvent,
    LiveFilter as LiveFilter,
    MAX_ARRIVAL_IDS as MAX_ARRIVAL_IDS,
    MAX_INSTEAD_ROWS as MAX_INSTEAD_ROWS,
    MAX_LISTED_ARRIVALS as MAX_LISTED_ARRIVALS,
    MAX_QUERY_EVENT_IDS as MAX_QUERY_EVENT_IDS,
    MAX_VERDICT_EVENTS as MAX_VERDICT_EVENTS,
    MAX_WAIT_SECONDS as MAX_WAIT_SECONDS,
    REPEATED_CODE as REPEATED_CODE,
    RequestVerdict as RequestVerdict,
    SANDBOX_PATH_PREFIX as SANDBOX_PATH_PREFIX,
    SandboxPath as SandboxPath,
    VERDICT_HEADER as VERDICT_HEADER,
    parse_verdict as parse_verdict,
)
