from .curl import (
    mask_pasted_keys as mask_pasted_keys,
)
from .curl import (
    parse_curl_command as parse_curl_command,
)
from .delimited import (
    Dialect as Dialect,
)
from .formats import (
    FORMATS as FORMATS,
    FileFormat as FileFormat,
    GZIP_SUFFIX as GZIP_SUFFIX,
    JSON_DOCUMENT as JSON_DOCUMENT,
    TABLE_FORMATS as TABLE_FORMATS,
    list_suffixes as list_suffixes,
)
from .json_positions import (
    TEXT_LINE_END as TEXT_LINE_END,
)
from .json_positions import (
    JsonNode as JsonNode,
)
from .json_positions import (
    JsonText as JsonText,
)
from .jsonl import (
    DocumentIndex as DocumentIndex,
)
from .payload import (
    MAX_PASTED_CHARS as MAX_PASTED_CHARS,
)
from .payload import (
    TOO_LONG_HINT as TOO_LONG_HINT,
)
from .payload import (
    Payload as Payload,
)
from .payload import (
    locate_in_payload as locate_in_payload,
)
from .payload import (
    read_payload as read_payload,
)
from .shell_words import (
    UnclosedQuote as UnclosedQuote,
)
from .table import (
    FileKind as FileKind,
)
from .table import (
    Table as Table,
)
from .table import (
    read_table as read_table,
)
