"""Ids that are written in two forms in one file: composed and decomposed characters, or another case of letters.

To the engine they are two ids, to the eye one (CONTRACT 7.15). Of ids whose case is random,
as in base 62, it tells them apart, and nothing is said of it.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import (
    Int64Array,
    combine_column,
    hash_texts,
    make_array,
    take_rows,
    view_bytes,
    view_numbers,
)
from intempt_core.contract import is_blank, is_placeholder, shorten_value
from intempt_core.validation.row_issues import Finding
from intempt_core.validation.text_column import TextColumn, to_mask

TWIN_BLOCK_ROWS = 1 << 18
"""Ids that are looked at together."""

MAX_RANDOM_CASE_SHARE = 0.25
"""Of the ids with letters no more than this share have capitals in the middle of a word; else case tells ids apart."""

_RANDOM_CASE = "[a-z][A-Z]|[A-Z]{2}[a-z]"
_LETTER = "[A-Za-z]"


def report_id_twins(
    name: str, ids: pa.Array | pa.ChunkedArray, describe_row: Callable[[int], str]
) -> Iterator[Finding]:
    """Find the ids of a field that are also written in another form, in the rows whose form is the rarer one.

    Args:
        name: The field.
        ids: Texts without nulls; an empty one is no id.
        describe_row: What a row is called in a sentence.
    """
    rows = _find_twin_rows(ids)
    if not rows.size:
        return
    column = ids if isinstance(ids, pa.ChunkedArray) else pa.chunked_array([ids])
    spellings = take_rows(column, rows).dictionary_encode()
    texts, codes = spellings.dictionary.to_pylist(), view_numbers(spellings.indices).astype(np.int64)
    twins = _find_rarer_forms(texts, codes)
    if twins and not all(_is_same_composed(texts[one], texts[other]) for one, other in twins.items()):
        twins = _drop_random_case(ids, texts, twins)
    if not twins:
        return
    is_twin = np.isin(codes, [*twins])
    firsts = np.full(len(texts), -1)
    firsts[codes[::-1]] = rows[::-1]

    def describe(index: int) -> str:
        code = int(codes[is_twin][index])
        other = twins[code]
        return _describe_twin(texts[code], texts[other], describe_row(int(firsts[other])))

    yield Finding("id_twins", rows[is_twin], name, describe)


def _find_twin_rows(ids: pa.Array | pa.ChunkedArray) -> Int64Array:
    """The rows (sorted) whose id is also there in another form; by hashes, so that others may be among them."""
    none: Int64Array = np.empty(0, np.int64)
    if not _may_have_forms(ids):
        return none
    plain, folded = np.empty(len(ids), np.uint64), np.empty(len(ids), np.uint64)
    for start in range(0, len(ids), TWIN_BLOCK_ROWS):
        array = combine_column(ids.slice(start, TWIN_BLOCK_ROWS))
        plain[start : start + len(array)] = hash_texts(array)
        folded[start : start + len(array)] = hash_texts(fold_ids(array))
    _, firsts = np.unique(plain, return_index=True)
    forms = np.sort(folded[firsts])
    twice = forms[1:][forms[1:] == forms[:-1]]
    found: Int64Array = np.flatnonzero(np.isin(folded, twice)) if twice.size else none
    return found


def _may_have_forms(ids: pa.Array | pa.ChunkedArray) -> bool:
    """Whether there are letters of both cases, or characters beyond ASCII."""
    has_lower = has_upper = False
    for start in range(0, len(ids), TWIN_BLOCK_ROWS):
        used = view_bytes(combine_column(ids.slice(start, TWIN_BLOCK_ROWS)))
        if used.size and used.max() > 0x7F:
            return True
        has_lower = has_lower or bool(((used >= ord("a")) & (used <= ord("z"))).any())
        has_upper = has_upper or bool(((used >= ord("A")) & (used <= ord("Z"))).any())
        if has_lower and has_upper:
            return True
    return False


def fold_ids(ids: pa.Array) -> pa.Array:
    """Ids as they are compared to find twins: composed characters, in lower case."""
    folded = pc.ascii_lower(ids)
    is_ascii = pc.string_is_ascii(folded)
    rows = np.flatnonzero(~to_mask(is_ascii))
    if not rows.size:
        return folded
    some = pc.utf8_normalize(pc.utf8_lower(folded.take(make_array(rows))), "NFC")
    return pc.replace_with_mask(folded, pc.invert(is_ascii), some)


def _find_rarer_forms(texts: list[str], codes: Int64Array) -> dict[int, int]:
    """The forms of ids that are rarer than another form: code of the form → code of the most frequent one."""
    counts = Counter(codes.tolist())
    folded = fold_ids(make_array(texts)).to_pylist() if texts else []
    forms = {
        code: form for code, form in enumerate(folded) if not (is_blank(texts[code]) or is_placeholder(texts[code]))
    }
    best: dict[str, int] = {}
    for code, form in forms.items():  # codes are in the order of the file
        if form not in best or counts[code] > counts[best[form]]:
            best[form] = code
    return {code: best[form] for code, form in forms.items() if best[form] != code}


def _drop_random_case(ids: pa.Array | pa.ChunkedArray, texts: list[str], twins: dict[int, int]) -> dict[int, int]:
    """Without the twins of another case, where the case of the column's letters is random."""
    random = lettered = 0
    for start in range(0, len(ids), TWIN_BLOCK_ROWS):
        column = TextColumn(combine_column(ids.slice(start, TWIN_BLOCK_ROWS)))
        random += int(np.count_nonzero(column.matches(_RANDOM_CASE)))
        lettered += int(np.count_nonzero(column.matches(_LETTER)))
    if random <= MAX_RANDOM_CASE_SHARE * lettered:
        return twins
    return {one: other for one, other in twins.items() if _is_same_composed(texts[one], texts[other])}


def _is_same_composed(one: str, other: str) -> bool:
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _describe_twin(text: str, other: str, first: str) -> str:
    if not _is_same_composed(text, other):
        why = f"“{shorten_value(other)}” in {first}: only the case of letters differs"
    else:
        forms = ["composed" if unicodedata.is_normalized("NFC", one) else "decomposed" for one in (text, other)]
        forms = forms if forms[0] != forms[1] else ["other", "other"]
        why = f"with {forms[1]} characters in {first}, here with {forms[0]} ones (Unicode NFC and NFD)"
    return f"It is written {why}. Write it in one form: to the engine these are two ids."
