from .cell_positions import (
    TextPosition as TextPosition,
    locate_cells as locate_cells,
)
from .column_store import (
    ReplaceableColumns as ReplaceableColumns,
)
from .dialects.dialect import (
    Dialect as Dialect,
)
from .dialects.read_options import (
    DELIMITER_NAMES as DELIMITER_NAMES,
    HIDDEN_ROWS_CHOICES as HIDDEN_ROWS_CHOICES,
    MERGED_CELLS_CHOICES as MERGED_CELLS_CHOICES,
    ReadOptions as ReadOptions,
    parse_delimiter as parse_delimiter,
)
from .formats import (
    EXCEL as EXCEL,
    FORMATS as FORMATS,
    FileFormat as FileFormat,
    GZIP_SUFFIX as GZIP_SUFFIX,
    JSON_DOCUMENT as JSON_DOCUMENT,
    TABLE_FORMATS as TABLE_FORMATS,
    list_suffixes as list_suffixes,
)
from .json_cells import (
    EMPTY_TEXT_CELL as EMPTY_TEXT_CELL,
    JSON_CELL as JSON_CELL,
    KeyClash as KeyClash,
    NULL as NULL,
    NULL_CELL as NULL_CELL,
    PATH_SEPARATOR as PATH_SEPARATOR,
    TEXT_CELL as TEXT_CELL,
    decode_cell as decode_cell,
    encode_cells as encode_cells,
    flatten_entries as flatten_entries,
    flatten_value as flatten_value,
    parse_exactly as parse_exactly,
    spell_half_characters as spell_half_characters,
)
from .json_text.json_positions import (
    JsonNode as JsonNode,
    JsonSyntaxError as JsonSyntaxError,
    JsonText as JsonText,
    TEXT_LINE_END as TEXT_LINE_END,
)
from .jsonl import (
    DocumentIndex as DocumentIndex,
)
from .limits import (
    MAX_EVENT_BYTES as MAX_EVENT_BYTES,
    ReadLimits as ReadLimits,
)
from .mapped_file import (
    MappedFile as MappedFile,
)
from .open_file import (
    OpenFile as OpenFile,
)
from .pasted.chosen_requests import (
    ListedRequest as ListedRequest,
    RequestChoiceError as RequestChoiceError,
    choose_source as choose_source,
)
from .pasted.forms import (
    PastedReading as PastedReading,
)
from .pasted.har import (
    LARGE_HAR_BYTES as LARGE_HAR_BYTES,
    MAX_HAR_BYTES as MAX_HAR_BYTES,
    extract_har_requests as extract_har_requests,
    is_har as is_har,
)
from .pasted.mail import (
    reject_mail as reject_mail,
)
from .pasted.pasted_keys import (
    KEY_HINT as KEY_HINT,
    mask_pasted_keys as mask_pasted_keys,
    mask_reading as mask_reading,
)
from .payload import (
    MAX_PASTED_CHARS as MAX_PASTED_CHARS,
    Payload as Payload,
    TOO_LONG_HINT as TOO_LONG_HINT,
    locate_in_payload as locate_in_payload,
    read_payload as read_payload,
)
from .reading_issues import (
    ReadingIssues as ReadingIssues,
)
from .table_content import (
    CellCounts as CellCounts,
)
from .table import (
    Document as Document,
    Table as Table,
    TableOrigin as TableOrigin,
    read_table as read_table,
    read_table_or_document as read_table_or_document,
)
