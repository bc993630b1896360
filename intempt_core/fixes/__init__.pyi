from .suggest import (
    SuggestedFix as SuggestedFix,
)
from .suggest import (
    suggest_fixes as suggest_fixes,
)
from .table_fixes import (
    ColumnChange as ColumnChange,
)
from .table_fixes import (
    Fix as Fix,
)
from .table_fixes import (
    FixKind as FixKind,
)
from .table_fixes import (
    apply_fixes as apply_fixes,
)
from .table_fixes import (
    preview_fix as preview_fix,
)
from .text_fixes import (
    EditPreview as EditPreview,
)
from .text_fixes import (
    TextFix as TextFix,
)
from .text_fixes import (
    annotate_with_fixes as annotate_with_fixes,
)
from .text_fixes import (
    apply_text_fixes as apply_text_fixes,
)
from .text_fixes import (
    find_text_fix as find_text_fix,
)
from .text_fixes import (
    preview_text_fixes as preview_text_fixes,
)
