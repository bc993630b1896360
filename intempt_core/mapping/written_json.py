"""JSON that a person writes by hand, such as a mapping: what a parser would pass over in silence is rejected."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from intempt_core.contract import Json


def load_written_json(
    text: str, *, parse_float: Callable[[str], float] = float, parse_int: Callable[[str], int] = int
) -> Any:
    """Read JSON that a person wrote; a key that is twice in one object, or a number such as NaN, is rejected.

    Raises :class:`ValueError` (where it is no JSON: ``json.JSONDecodeError``) and :class:`RecursionError`.
    """
    return json.loads(
        text,
        object_pairs_hook=_reject_repeated_keys,
        parse_constant=_reject_constant,
        parse_float=parse_float,
        parse_int=parse_int,
    )


def _reject_repeated_keys(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key “{next(key for key in keys if keys.count(key) > 1)}” is twice in one object")
    return found


def _reject_constant(text: str) -> Json:
    raise ValueError(f"{text} is no JSON number")
