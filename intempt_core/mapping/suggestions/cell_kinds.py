"""What the cells of each column are, in a word, so that two files of one shape can be compared."""

from intempt_core.mapping.number_forms import NUMBER_FORMS
from intempt_core.mapping.suggestions.cell_types import FIT_SHARE
from intempt_core.mapping.suggestions.fields import is_written_time
from intempt_core.mapping.suggestions.profile import ColumnProfile, map_columns
from intempt_core.mapping.values import is_cell_of_type
from intempt_core.readers import Table

MOST_COLUMNS = 1_000
"""Columns whose cells are looked at; those of a wider table have no kind."""

_KINDS = ("boolean", "integer", "number", *NUMBER_FORMS)


def describe_columns(table: Table) -> dict[str, str]:
    """Header → what its cells are: ``empty``, ``time``, ``text`` or a type of a mapping; over all rows.

    ``mostly number`` is said where some are something else. The header says nothing here: a column of digits is
    ``integer``, whether they are ids or amounts.
    """
    looked_at = table.header[:MOST_COLUMNS]
    kinds = map_columns(table, lambda column: _find_kind(ColumnProfile(table, column)), looked_at)
    return dict.fromkeys(table.header, "") | dict(zip(looked_at, kinds, strict=True))


def _find_kind(profile: ColumnProfile) -> str:
    shapes = profile.shapes
    if not profile.filled:
        return "empty"
    if not shapes:
        return "text"
    counts = {"time": sum(shape.count for shape in shapes if is_written_time(shape))}
    for kind in _KINDS:
        counts[kind] = sum(shape.count for shape in shapes if is_cell_of_type(shape.text, kind))
    best = max(counts, key=lambda kind: counts[kind])
    if counts[best] < FIT_SHARE * profile.filled:
        return "text"
    return best if counts[best] == profile.filled else f"mostly {best}"
