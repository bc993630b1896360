from .annotations import (
    MAX_LINES_DRAWN as MAX_LINES_DRAWN,
)
from .annotations import (
    AnnotatedLine as AnnotatedLine,
)
from .annotations import (
    Annotation as Annotation,
)
from .annotations import (
    TextPiece as TextPiece,
)
from .annotations import (
    annotate_issues as annotate_issues,
)
from .annotations import (
    annotate_lines as annotate_lines,
)
from .annotations import (
    escape_invisible as escape_invisible,
)
from .annotations import (
    find_issue_span as find_issue_span,
)
from .check import (
    UnknownProductLookup as UnknownProductLookup,
)
from .check import (
    check_events as check_events,
)
from .check import (
    check_table as check_table,
)
from .column_rules import (
    ColumnChecker as ColumnChecker,
)
from .expectations import (
    ExpectationReport as ExpectationReport,
)
from .expectations import (
    ExpectationResult as ExpectationResult,
)
from .expectations import (
    ExpectationState as ExpectationState,
)
from .product_catalogue import (
    CatalogueFile as CatalogueFile,
)
from .product_catalogue import (
    CatalogueStore as CatalogueStore,
)
from .product_catalogue import (
    ProductCatalogue as ProductCatalogue,
)
from .product_catalogue import (
    build_catalogue as build_catalogue,
)
from .product_catalogue import (
    read_catalogue_file as read_catalogue_file,
)
from .report import (
    DuplicateKind as DuplicateKind,
)
from .report import (
    PriorSend as PriorSend,
)
from .report import (
    PriorSendLookup as PriorSendLookup,
)
from .report import (
    Report as Report,
)
from .row_issues import (
    ISSUE_BLOCK_ROWS as ISSUE_BLOCK_ROWS,
)
from .text_column import (
    TextColumn as TextColumn,
)
from .text_column import (
    to_mask as to_mask,
)
from .time_column import (
    TimeState as TimeState,
)
from .time_column import (
    clamp_to_int64 as clamp_to_int64,
)
