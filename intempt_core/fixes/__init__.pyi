from .json_format import (
    find_format_fix as find_format_fix,
)
from .suggest import (
    SuggestedFix as SuggestedFix,
    suggest_fixes as suggest_fixes,
)
from .table_fixes import (
    ColumnChange as ColumnChange,
    Fix as Fix,
    FixKind as FixKind,
    apply_fixes as apply_fixes,
    preview_fix as preview_fix,
)
from .text_fixes import (
    EditPreview as EditPreview,
    TextFix as TextFix,
    annotate_with_fixes as annotate_with_fixes,
    apply_text_fixes as apply_text_fixes,
    find_text_fix as find_text_fix,
    preview_text_fixes as preview_text_fixes,
)
from .text_problems import (
    ProblemCounts as ProblemCounts,
    ProblemGroup as ProblemGroup,
    TextProblem as TextProblem,
    collect_text_problems as collect_text_problems,
    count_problems as count_problems,
    group_problems as group_problems,
    list_fixes as list_fixes,
)
