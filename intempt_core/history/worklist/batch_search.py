"""The batches that a text finds: it is a part of their name or label, or their events have ids that begin with it.

A whole id is found wherever it is, by jumping through the index from one batch to the next. What merely begins with the
text is read from a range of the same index, and of that at most :data:`MAX_KEYS_READ` entries a kind of id: ``u`` may
begin a million of them. Whether that was all is part of the result.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Subquery, false, func, or_, select, union_all

from intempt_core.history.records import KEY_COLUMNS, SEARCH_COLUMNS
from intempt_core.history.schema import batches, event_keys, events, make_indexable
from intempt_core.history.upkeep.search_index import IS_UNKEYED, is_key_kind, select_batches_by_id

MAX_KEYS_READ = 20_000
"""Ids of one kind that are read because they begin with the text."""

MIN_BATCH_ID_LENGTH = 6
"""From how many characters on a text is the beginning of a batch's id: all of them begin alike."""

_LAST_CHARACTER = "\U0010ffff"
"""Behind every text that begins alike."""


def build_text_conditions(connection: Connection, text: str) -> list[ColumnElement[bool]]:
    """The conditions on batches of which one must hold, so that a text finds them."""
    asked = make_indexable(text)
    find = func.instr if connection.dialect.name == "sqlite" else func.strpos
    of_id = func.substr(batches.c.id, 1, len(asked)) == asked if len(asked) >= MIN_BATCH_ID_LENGTH else false()
    of_name = select(batches.c.number).where(find(batches.c.search_text, asked.casefold()) > 0)
    return [
        batches.c.number.in_(of_name),
        batches.c.number.in_(select(batches.c.number).where(of_id)),
        *(batches.c.number.in_(select_batches_by_id(column, asked)) for column in SEARCH_COLUMNS),
        *(batches.c.number.in_(select(keys.c.batch)) for keys in _select_keys_beginning(asked)),
        batches.c.number.in_(_select_unkeyed_batches(asked)),
    ]


def is_search_complete(connection: Connection, text: str) -> bool:
    """Whether all ids that begin with a text were read; else some batches may be missing."""
    begins = _select_keys_beginning(make_indexable(text))
    read = union_all(*(select(func.count().label("read")).select_from(keys) for keys in begins))
    return int(connection.execute(select(func.max(read.subquery().c.read))).scalar_one()) < MAX_KEYS_READ


def _select_keys_beginning(text: str) -> list[Subquery]:
    """The batches of the ids that begin with a text and are longer, for each kind of id."""
    found: list[Select[Any]] = [select(events.c.batch).where(*_begins_with(events.c.event_id, text))]
    found += [
        select(event_keys.c.batch).where(is_key_kind(column), *_begins_with(event_keys.c.value, text))
        for column in KEY_COLUMNS
    ]
    return [kind.limit(MAX_KEYS_READ).subquery() for kind in found]


def _begins_with(column: ColumnElement[Any], text: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column > text, column < text + _LAST_CHARACTER


def _select_unkeyed_batches(text: str) -> Select[Any]:
    """The batches with an event whose id begins with the text, of those that are not in the search index yet."""
    same = (func.substr(events.c[column], 1, len(text)) == text for column in KEY_COLUMNS)
    return select(events.c.batch).where(IS_UNKEYED, or_(*same))
