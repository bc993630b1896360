from .contract import (
    FEEDS as FEEDS,
    FeedIdentity as FeedIdentity,
    GivenEvent as GivenEvent,
    ISSUE_KINDS as ISSUE_KINDS,
    Issue as Issue,
    Outcome as Outcome,
    Place as Place,
    Severity as Severity,
    TrackEvent as TrackEvent,
    TrackRequest as TrackRequest,
    compute_feeds as compute_feeds,
)
from .dispatch import (
    Dispatcher as Dispatcher,
    Progress as Progress,
    SendingEnvironment as SendingEnvironment,
    make_batch_intent as make_batch_intent,
    send_plan as send_plan,
)
from .errors import (
    BackupError as BackupError,
    CatalogueUnavailable as CatalogueUnavailable,
    ConsoleError as ConsoleError,
    CredentialError as CredentialError,
    EngineUnavailable as EngineUnavailable,
    FaultDocumentUnreadable as FaultDocumentUnreadable,
    FixtureError as FixtureError,
    HistoryConflict as HistoryConflict,
    HistoryError as HistoryError,
    HistoryUnavailable as HistoryUnavailable,
    JourneyError as JourneyError,
    MappingError as MappingError,
    NotAllowed as NotAllowed,
    NotFound as NotFound,
    PlanError as PlanError,
    ReadError as ReadError,
    RulesError as RulesError,
    SandboxRejection as SandboxRejection,
    SandboxStoreUnavailable as SandboxStoreUnavailable,
    SandboxUnavailable as SandboxUnavailable,
    SecretFound as SecretFound,
    SentBefore as SentBefore,
    SettingsError as SettingsError,
    SpoolError as SpoolError,
    SpoolTooLarge as SpoolTooLarge,
    TableTooLarge as TableTooLarge,
    TargetError as TargetError,
    TargetIncomplete as TargetIncomplete,
    TargetNotFound as TargetNotFound,
)
from .history import (
    History as History,
    RequestRecord as RequestRecord,
)
from .journeys import (
    Journey as Journey,
    JourneyEvent as JourneyEvent,
    build_journey_events as build_journey_events,
    make_journey as make_journey,
    parse_assignments as parse_assignments,
    parse_journey as parse_journey,
)
from .mapping import (
    Explode as Explode,
    Mapping as Mapping,
    draft_mapping as draft_mapping,
    exact_mapping as exact_mapping,
    map_table as map_table,
    suggest_explode as suggest_explode,
    suggest_mapping as suggest_mapping,
)
from .planning import (
    EventOrder as EventOrder,
    Plan as Plan,
    Policy as Policy,
    plan_events as plan_events,
    plan_table as plan_table,
)
from .readers import (
    Dialect as Dialect,
    JsonSyntaxError as JsonSyntaxError,
    Payload as Payload,
    ReadOptions as ReadOptions,
    RequestChoiceError as RequestChoiceError,
    Table as Table,
    read_payload as read_payload,
    read_table as read_table,
)
from .settings import (
    Settings as Settings,
)
from .targets import (
    Credential as Credential,
    Target as Target,
    TargetRegistry as TargetRegistry,
    parse_track_url as parse_track_url,
    sandbox_target as sandbox_target,
)
from .transport import (
    ConnectionTest as ConnectionTest,
    FeedResponse as FeedResponse,
    check_connection as check_connection,
    open_client as open_client,
    read_feed as read_feed,
)
from .validation import (
    Report as Report,
    TeamRules as TeamRules,
    check_events as check_events,
    check_table as check_table,
    read_rules_file as read_rules_file,
)

__version__: str
