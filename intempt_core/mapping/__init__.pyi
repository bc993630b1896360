from .derived_columns import (
    NAME_SEPARATOR as NAME_SEPARATOR,
    join_name_columns as join_name_columns,
)
from .document_events import (
    MappedDocuments as MappedDocuments,
)
from .event_source import (
    EventSource as EventSource,
    have_same_cells as have_same_cells,
)
from .explode import (
    Explode as Explode,
    MADE_MEMBER_IDS_MESSAGE as MADE_MEMBER_IDS_MESSAGE,
)
from .explode_suggestions import (
    ExplodeSuggestion as ExplodeSuggestion,
    describe_lists as describe_lists,
    draft_explode as draft_explode,
    expand_sample as expand_sample,
    list_json_paths as list_json_paths,
    suggest_explode as suggest_explode,
)
from .exploded_table import (
    expand_table as expand_table,
)
from .mapped_table import (
    MappedTable as MappedTable,
)
from .model import (
    EXPECT_COLUMN as EXPECT_COLUMN,
    Mapping as Mapping,
    MappingSuggestion as MappingSuggestion,
    PROBLEMS_COLUMN as PROBLEMS_COLUMN,
    RESERVED_COLUMNS as RESERVED_COLUMNS,
    exact_mapping as exact_mapping,
    load_time_zone as load_time_zone,
    match_exact_field as match_exact_field,
)
from .new_ids import (
    map_table_as_new as map_table_as_new,
    renew_event_ids as renew_event_ids,
)
from .number_forms import (
    NUMBER_FORMS as NUMBER_FORMS,
    detect_number_form as detect_number_form,
)
from .mapping_folder import (
    MappingFolder as MappingFolder,
)
from .saved import (
    MAPPING_NAME_LENGTH as MAPPING_NAME_LENGTH,
    MappingDocuments as MappingDocuments,
    MappingStore as MappingStore,
    SavedMapping as SavedMapping,
    read_mapping_file as read_mapping_file,
)
from .suggestions.cell_kinds import (
    describe_columns as describe_columns,
)
from .suggestions.draft import (
    MappingDraft as MappingDraft,
    draft_mapping as draft_mapping,
)
from .suggestions.suggest import (
    ColumnFacts as ColumnFacts,
    suggest_mapping as suggest_mapping,
)
from .suggestions.vendor_lookup import (
    find_vendor as find_vendor,
)
from .suggestions.vendors import (
    VENDORS as VENDORS,
)
from .table_events import (
    check_columns as check_columns,
    choose_initial_mapping as choose_initial_mapping,
    is_unmapped_json as is_unmapped_json,
    map_table as map_table,
    preview_events as preview_events,
)
from .time_formats import (
    COMMON_TIME_PATTERNS as COMMON_TIME_PATTERNS,
    EPOCH_MICROSECONDS as EPOCH_MICROSECONDS,
    EPOCH_MILLISECONDS as EPOCH_MILLISECONDS,
    EPOCH_NANOSECONDS as EPOCH_NANOSECONDS,
    EPOCH_SECONDS as EPOCH_SECONDS,
    FORMAT_SEPARATOR as FORMAT_SEPARATOR,
    ISO_ONLY as ISO_ONLY,
    ISO_OR_EPOCH_MS as ISO_OR_EPOCH_MS,
    NAMED_TIME_FORMATS as NAMED_TIME_FORMATS,
    build_time_parser as build_time_parser,
    check_time_format as check_time_format,
    compile_time_pattern as compile_time_pattern,
    expand_year as expand_year,
    parse_12_hour as parse_12_hour,
    parse_month as parse_month,
    parse_zone as parse_zone,
    split_time_formats as split_time_formats,
)
from .values import (
    CELL_TYPES as CELL_TYPES,
    LazyMapping as LazyMapping,
    UnlockedProperty as UnlockedProperty,
    is_cell_of_type as is_cell_of_type,
    make_event_ids as make_event_ids,
    parse_cell as parse_cell,
    parse_time as parse_time,
    parse_time_suffix as parse_time_suffix,
)
from .whole_file import (
    replace_file as replace_file,
)
from .written_json import (
    load_written_json as load_written_json,
)
