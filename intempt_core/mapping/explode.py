"""Explode: how one row becomes several events, as a mapping file says it.

A list inside JSON, several columns, or a cell with a separator: each member becomes an event of its own, and all of
them share what is outside the list. The columns of members are called ``properties.products[].product_id``,
``product`` (what ``as`` says) or ``products[]``.
"""

from dataclasses import dataclass

from intempt_core.contract import Json
from intempt_core.errors import MappingError

_EXAMPLES = (
    '{"path": "properties.products"}, {"columns": ["product_1", "product_2"], "as": "product"} or'
    ' {"column": "products", "separator": "|"}'
)

MADE_MEMBER_IDS_MESSAGE = (
    "The event ids are made from the cells of each row: once a row is corrected in the file, all of its events have"
    " other ids, so that those sent now would go again, as new ones. Correct such a row first, or on the Upload screen,"
    " where ids stay."
)
"""What is said where of a row with errors the other events are sent, and event ids are made."""


@dataclass(frozen=True, slots=True)
class Explode:
    """What of a row becomes several events. One of ``path``, ``columns`` and ``column`` is given.

    Attributes:
        path: The column of a list in JSON, or a path inside a column's JSON.
        columns: Columns of which each that is filled is a member.
        name: What the column of those members is called.
        column: The column whose cells are several values.
        separator: What stands between them.
    """

    path: str = ""
    columns: tuple[str, ...] = ()
    name: str = ""
    column: str = ""
    separator: str = ""

    @classmethod
    def from_json(cls, given: Json) -> "Explode":
        """What a mapping file says. Raises :class:`MappingError` with a sentence."""
        keys = set(given) if isinstance(given, dict) else set()
        if keys == {"path"} and _is_filled_text(given["path"]):
            return cls(path=given["path"])
        if keys == {"columns", "as"} and _is_filled_text(given["as"]) and isinstance(given["columns"], list):
            columns = given["columns"]
            if columns and all(_is_filled_text(column) for column in columns) and len(set(columns)) == len(columns):
                return cls(columns=tuple(columns), name=given["as"])
        if keys == {"column", "separator"} and all(_is_filled_text(given[key]) for key in keys):
            return cls(column=given["column"], separator=given["separator"])
        raise MappingError(f"“explode” of the mapping is not one of these: {_EXAMPLES}.")

    def to_json(self) -> Json:
        """What :meth:`from_json` reads."""
        if self.path:
            return {"path": self.path}
        if self.columns:
            return {"columns": list(self.columns), "as": self.name}
        return {"column": self.column, "separator": self.separator}

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns whose members become events."""
        return self.columns or (self.path or self.column,)

    @property
    def member_column(self) -> str:
        """The column of members that are single values; those of objects begin with it and a dot."""
        return self.name or f"{self.path or self.column}[]"

    def is_member_column(self, column: str) -> bool:
        """Whether a column is one of the members'."""
        return column == self.member_column or (bool(self.path) and column.startswith(f"{self.member_column}."))


def _is_filled_text(value: Json) -> bool:
    return isinstance(value, str) and bool(value)
