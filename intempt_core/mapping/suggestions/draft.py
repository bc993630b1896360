"""A whole mapping made of suggestions, to be corrected by hand: printing it is not applying it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from intempt_core.contract import IDENTITY_FIELDS, shorten_value
from intempt_core.mapping.explode_suggestions import ExplodeSuggestion, draft_explode, suggest_explode
from intempt_core.mapping.model import Mapping, MappingSuggestion, exact_mapping
from intempt_core.mapping.suggestions.profile import ColumnProfile
from intempt_core.mapping.suggestions.suggest import ColumnFacts, suggest_mapping
from intempt_core.mapping.table_events import choose_initial_mapping, is_unmapped_json
from intempt_core.readers import Table

_ROUNDS = 3
_COLUMNS_NAMED, _PLACES_NAMED = 10, 3


@dataclass(frozen=True, slots=True)
class MappingDraft:
    """A mapping that every suggestion went into, and why, a sentence a line.

    Attributes:
        mapping: The mapping; it can be used as it is.
        reasons: What each column became and why, what to confirm, and what is missing.
    """

    mapping: Mapping
    reasons: tuple[str, ...]


def draft_mapping(table: Table, vendor: str = "") -> MappingDraft:
    """Draft the mapping of a file from its suggestions; of several for one field the best is taken, to be confirmed.

    ``vendor`` is whose file it is, one of :data:`VENDORS`, where a person says so. Raises :class:`MappingError` where
    no mapping of this header can be used.
    """
    if is_unmapped_json(table, choose_initial_mapping(table)):
        return MappingDraft(
            Mapping({}), ("Its events have their names in place: they are sent as they are, and need no mapping.",)
        )
    mapping, dropped = _drop_twice_mapped(table)
    reasons: dict[str, list[str]] = {}
    facts, told = ColumnFacts(), set[tuple[str, str]]()
    for _ in range(_ROUNDS):
        found = [one for one in suggest_mapping(table, mapping, facts, vendor) if (one.column, one.field) not in told]
        best = {one.field: one for one in reversed(found) if one.exclusive}
        chosen = {one.column for one in best.values()}
        joint = [one for one in found if not one.exclusive and one.column not in chosen]
        if not found:
            break
        for one in (*joint, *best.values()):
            told.add((one.column, one.field))
            several = _find_products(table, one) if one.field == "data.productId" else None
            if several is None:
                mapping = mapping.accept(one)
                where, why = _explain(one)
            else:
                mapping = _explode_products(mapping, several)
                where = f"{several.explode.member_column} → {one.field}"
                why = f"Confirm it: {several.reason} Without “explode” in the mapping each row is one event."
            reasons.setdefault(why, []).append(where)
    mapping, lists = draft_explode(table, mapping)
    mapping.check()
    return MappingDraft(mapping, (*dropped, *_list_reasons(reasons), *lists, *_describe_rest(table, mapping)))


def _find_products(table: Table, one: MappingSuggestion) -> ExplodeSuggestion | None:
    """The columns or the cells with a separator in which a row has several products; ``None`` where it has one."""
    found = (some for some in suggest_explode(table) if not some.explode.path)
    return next((some for some in found if one.column in some.explode.sources), None)


def _explode_products(mapping: Mapping, several: ExplodeSuggestion) -> Mapping:
    """A mapping by which each product of a row is an event."""
    sources = several.explode.sources
    columns = {
        column: field
        for column, field in mapping.columns.items()
        if column not in sources and field != "data.productId"
    }
    types = {field: kind for field, kind in mapping.types.items() if field in columns.values()}
    columns[several.explode.member_column] = "data.productId"
    return replace(mapping, columns=columns, types=types, explode=several.explode)


def _list_reasons(reasons: dict[str, list[str]]) -> Iterator[str]:
    """A line for each reason; many columns of one reason share it."""
    for why, places in reasons.items():
        more = len(places) - _PLACES_NAMED
        yield f"{', '.join(places[:_PLACES_NAMED])}{f' and {more:,} more' if more > 0 else ''}: {why}"


def _drop_twice_mapped(table: Table) -> tuple[Mapping, list[str]]:
    """The exact mapping, each field by one column: the first that is not empty."""
    exact = exact_mapping(table.header)
    chosen: dict[str, str] = {}
    for column, field in exact.columns.items():
        if field not in chosen or not ColumnProfile(table, chosen[field]).filled:
            chosen[field] = column
    kept = set(chosen.values())
    dropped = [column for column in exact.columns if column not in kept]
    said = [f"“{shorten_value(column)}” is left out: another column is {exact.columns[column]}." for column in dropped]
    return replace(exact, columns={column: field for column, field in exact.columns.items() if column in kept}), said


def _explain(one: MappingSuggestion) -> tuple[str, str]:
    """What becomes what, and why."""
    where = f"{one.column} → {one.field}" if one.constant is None else f"every row → {one.field} = {one.constant}"
    confirm = ""
    if one.field == "data.productId":
        confirm = "Confirm it: a product id names one product of the catalogue, and only you know which column does. "
    elif one.exclusive:
        confirm = "Confirm it: it may be otherwise. "
    second = f" Next best: {one.runner_up}." if one.runner_up else ""
    return where, f"{confirm}{one.reason}{second}"


def _describe_rest(table: Table, mapping: Mapping) -> Iterator[str]:
    """What is missing, and which columns go into ``data`` under their own names."""
    given = {*mapping.columns.values(), *mapping.constants}
    for field in ("name", "data.productId"):
        if field not in given:
            yield f"No column seems to be {field}: map it by hand."
    if not given & set(IDENTITY_FIELDS):
        yield f"No column seems to be an identity: map one to {', '.join(IDENTITY_FIELDS)} by hand."
    own = [column for column in table.header if mapping.columns.get(column) == f"data.{column}"]
    if own:
        some = ", ".join(f"“{shorten_value(column)}”" for column in own[:_COLUMNS_NAMED])
        more = f" and {len(own) - _COLUMNS_NAMED:,} more" if len(own) > _COLUMNS_NAMED else ""
        yield f"Sent inside data under their own names: {some}{more}. Take out of “columns” what is not to be sent."
