"""Product events, checked and sent with certainty: the console's core, without a screen.

The rooms and their order are those of the README. A program needs these names; each is told about where it stands::

    from intempt_core import check_table, exact_mapping, map_table, plan_table, read_table, sandbox_target, send

    table = read_table(Path("events.csv"), name="events.csv")
    mapped = map_table(table, exact_mapping(table.header))
    report = check_table(mapped)
    print(report.counts, "stay behind:", report.rows_with_errors)
    batch = send(plan_table(mapped, (~report.bad).nonzero()[0]), sandbox_target("http://127.0.0.1:8501/sandbox"))
    print(batch.events)
"""

from intempt_core.contract import (
    FEEDS,
    ISSUE_KINDS,
    GivenEvent,
    Issue,
    Outcome,
    Place,
    Severity,
    TrackEvent,
    TrackRequest,
    compute_feeds,
)
from intempt_core.dispatch import Dispatcher, Progress, make_batch_intent, send_plan
from intempt_core.errors import (
    ConsoleError,
    CredentialError,
    HistoryError,
    HistoryUnavailable,
    MappingError,
    NotAllowed,
    NotFound,
    PlanError,
    ReadError,
    SandboxUnavailable,
    SecretFound,
    SettingsError,
    TargetError,
    TargetIncomplete,
    TargetNotFound,
)
from intempt_core.history import History, RequestRecord
from intempt_core.mapping import Mapping, exact_mapping, map_table, suggest_mapping
from intempt_core.planning import EventOrder, Plan, Policy, plan_events, plan_table
from intempt_core.readers import Dialect, Payload, Table, read_payload, read_table
from intempt_core.settings import Settings
from intempt_core.targets import Credential, Target, TargetRegistry, parse_track_url, sandbox_target, typed_target
from intempt_core.transport import ConnectionTest, FeedResponse, check_connection, open_client, read_feed
from intempt_core.validation import Report, check_events, check_table

__version__ = "0.1.0"

__all__ = [
    "ISSUE_KINDS",
    "FEEDS",
    "ConnectionTest",
    "ConsoleError",
    "Credential",
    "CredentialError",
    "Dialect",
    "Dispatcher",
    "FeedResponse",
    "GivenEvent",
    "History",
    "HistoryError",
    "HistoryUnavailable",
    "Issue",
    "Mapping",
    "MappingError",
    "TargetNotFound",
    "NotAllowed",
    "NotFound",
    "EventOrder",
    "Outcome",
    "Payload",
    "Place",
    "Plan",
    "PlanError",
    "Policy",
    "Progress",
    "ReadError",
    "Report",
    "RequestRecord",
    "SandboxUnavailable",
    "SecretFound",
    "Settings",
    "SettingsError",
    "Severity",
    "Table",
    "Target",
    "TargetError",
    "TargetIncomplete",
    "TargetRegistry",
    "TrackEvent",
    "TrackRequest",
    "check_events",
    "check_table",
    "exact_mapping",
    "compute_feeds",
    "make_batch_intent",
    "map_table",
    "suggest_mapping",
    "open_client",
    "parse_track_url",
    "plan_events",
    "plan_table",
    "read_feed",
    "read_payload",
    "read_table",
    "sandbox_target",
    "send_plan",
    "check_connection",
    "typed_target",
]
