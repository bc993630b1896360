from .across_events import (
    UnknownProductLookup as UnknownProductLookup,
)
from .annotations import (
    AnnotatedLine as AnnotatedLine,
    Annotation as Annotation,
    MAX_LINES_DRAWN as MAX_LINES_DRAWN,
    TEAM_ANNOTATION as TEAM_ANNOTATION,
    TextPiece as TextPiece,
    annotate_issues as annotate_issues,
    annotate_lines as annotate_lines,
    escape_invisible as escape_invisible,
    find_issue_span as find_issue_span,
)
from .baseline import (
    Baseline as Baseline,
    CheckComparison as CheckComparison,
    CheckDocuments as CheckDocuments,
    CheckFolder as CheckFolder,
    CheckMemory as CheckMemory,
    RememberedCheck as RememberedCheck,
    read_baseline as read_baseline,
)
from .check import (
    check_events as check_events,
    check_table as check_table,
)
from .check_verdict import (
    CheckVerdict as CheckVerdict,
)
from .column_rules import (
    ColumnChecker as ColumnChecker,
)
from .endpoint.file_schemas import (
    EXPECTATIONS_SCHEMA_ID as EXPECTATIONS_SCHEMA_ID,
    REPORTS_SCHEMA_ID as REPORTS_SCHEMA_ID,
    build_expectations_schema as build_expectations_schema,
    build_reports_schema as build_reports_schema,
)
from .endpoint.report_document import (
    MAX_ISSUES_LISTED as MAX_ISSUES_LISTED,
    REPORT_SCHEMA_ID as REPORT_SCHEMA_ID,
    build_report_document as build_report_document,
    build_report_schema as build_report_schema,
)
from .endpoint.routes import (
    VALIDATE_PATH as VALIDATE_PATH,
    ValidationLimits as ValidationLimits,
    build_validate_paths as build_validate_paths,
    build_validate_schemas as build_validate_schemas,
    create_validate_route as create_validate_route,
)
from .expectations import (
    EXPECT_OK as EXPECT_OK,
    ExpectationReport as ExpectationReport,
    ExpectationResult as ExpectationResult,
    ExpectationState as ExpectationState,
)
from .prior_sends import (
    EventKey as EventKey,
    OrderLine as OrderLine,
    PRIOR_SEND_CODES as PRIOR_SEND_CODES,
    PriorSend as PriorSend,
    PriorSendLookup as PriorSendLookup,
    find_prior_send as find_prior_send,
)
from .product_catalogue import (
    CatalogueFile as CatalogueFile,
    CatalogueFolder as CatalogueFolder,
    CatalogueStore as CatalogueStore,
    dump_catalogue as dump_catalogue,
    hash_target_key as hash_target_key,
    parse_catalogue as parse_catalogue,
    ProductCatalogue as ProductCatalogue,
    build_catalogue as build_catalogue,
    read_catalogue_file as read_catalogue_file,
)
from .product_search import (
    FoundProduct as FoundProduct,
    ProductSearchResult as ProductSearchResult,
    search_products as search_products,
)
from .report import (
    DuplicateKind as DuplicateKind,
    Report as Report,
)
from .row_issues import (
    ISSUE_BLOCK_ROWS as ISSUE_BLOCK_ROWS,
)
from .team_rules.remembered import (
    RulesFolder as RulesFolder,
    RulesStore as RulesStore,
    parse_kept_rules as parse_kept_rules,
    write_kept_rules as write_kept_rules,
)
from .team_rules.rules_file import (
    TeamRules as TeamRules,
    read_rules_file as read_rules_file,
)
from .text_column import (
    TextColumn as TextColumn,
    to_mask as to_mask,
)
from .time_column import (
    TimeState as TimeState,
    TimestampColumn as TimestampColumn,
    clamp_to_int64 as clamp_to_int64,
)
