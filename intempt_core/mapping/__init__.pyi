from .model import (
    EXPECT_COLUMN as EXPECT_COLUMN,
)
from .model import (
    PROBLEMS_COLUMN as PROBLEMS_COLUMN,
)
from .model import (
    RESERVED_COLUMNS as RESERVED_COLUMNS,
)
from .model import (
    Mapping as Mapping,
)
from .model import (
    MappingSuggestion as MappingSuggestion,
)
from .model import (
    exact_mapping as exact_mapping,
)
from .model import (
    load_time_zone as load_time_zone,
)
from .model import (
    match_exact_field as match_exact_field,
)
from .saved import (
    MAPPING_NAME_LENGTH as MAPPING_NAME_LENGTH,
)
from .saved import (
    MappingStore as MappingStore,
)
from .saved import (
    SavedMapping as SavedMapping,
)
from .saved import (
    read_mapping_file as read_mapping_file,
)
from .suggestions import (
    suggest_mapping as suggest_mapping,
)
from .table_events import (
    MappedDocuments as MappedDocuments,
)
from .table_events import (
    MappedTable as MappedTable,
)
from .table_events import (
    choose_initial_mapping as choose_initial_mapping,
)
from .table_events import (
    is_unmapped_json as is_unmapped_json,
)
from .table_events import (
    map_table as map_table,
)
from .time_formats import (
    COMMON_TIME_PATTERNS as COMMON_TIME_PATTERNS,
)
from .time_formats import (
    EPOCH_MICROSECONDS as EPOCH_MICROSECONDS,
)
from .time_formats import (
    EPOCH_MILLISECONDS as EPOCH_MILLISECONDS,
)
from .time_formats import (
    EPOCH_SECONDS as EPOCH_SECONDS,
)
from .time_formats import (
    ISO_ONLY as ISO_ONLY,
)
from .time_formats import (
    ISO_OR_EPOCH_MS as ISO_OR_EPOCH_MS,
)
from .time_formats import (
    NAMED_TIME_FORMATS as NAMED_TIME_FORMATS,
)
from .time_formats import (
    build_time_parser as build_time_parser,
)
from .time_formats import (
    check_time_format as check_time_format,
)
from .time_formats import (
    compile_time_pattern as compile_time_pattern,
)
from .time_formats import (
    expand_year as expand_year,
)
from .time_formats import (
    parse_12_hour as parse_12_hour,
)
from .time_formats import (
    parse_month as parse_month,
)
from .values import (
    CELL_TYPES as CELL_TYPES,
)
from .values import (
    LazyMapping as LazyMapping,
)
from .values import (
    combine_column as combine_column,
)
from .values import (
    is_cell_of_type as is_cell_of_type,
)
from .values import (
    make_event_ids as make_event_ids,
)
from .values import (
    parse_cell as parse_cell,
)
from .values import (
    parse_time as parse_time,
)
from .values import (
    parse_time_suffix as parse_time_suffix,
)
from .values import (
    take_rows as take_rows,
)
from .values import (
    view_bytes as view_bytes,
)
