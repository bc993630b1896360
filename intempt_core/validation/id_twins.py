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
    HashArray,
    Int64Array,
    combine_column,
    find_rows_of_bytes,
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

MAX_DISTINCT_SHARE = 0.5
"""Which share of a part's ids may be different where each is asked only once."""

_BUCKETS = 1 << 20
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
    if not _may_have_forms(ids):
        return
    upper = _are_capitals(ids)
    encoded = encode_ids(ids)
    if encoded is None:
        rows = find_twin_rows(ids, upper=upper)
    else:  # ids that come often are asked once each
        has_twin = np.zeros(len(encoded[0]), np.bool_)
        has_twin[find_twin_rows(encoded[0], upper=upper)] = True
        rows = np.flatnonzero(has_twin[encoded[1]])
    if not rows.size:
        return
    column = ids if isinstance(ids, pa.ChunkedArray) else pa.chunked_array([ids])
    spellings = take_rows(column, rows).dictionary_encode()
    texts, codes = spellings.dictionary.to_pylist(), view_numbers(spellings.indices).astype(np.int64)
    twins = _find_rarer_forms(texts, codes, upper=upper)
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


def encode_ids(ids: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, Int64Array] | None:
    """The different ids and for each row the number of its id, where ids come often; else ``None``."""
    codes, dictionaries, size = list[Int64Array](), list[pa.Array](), 0
    for start in range(0, len(ids), TWIN_BLOCK_ROWS):
        encoded = combine_column(ids.slice(start, TWIN_BLOCK_ROWS)).dictionary_encode()
        if len(encoded.dictionary) > MAX_DISTINCT_SHARE * len(encoded):
            return None
        codes.append(view_numbers(encoded.indices) + size)
        dictionaries.append(encoded.dictionary)
        size += len(encoded.dictionary)
    if not dictionaries:
        return None
    whole = pa.concat_arrays(dictionaries).dictionary_encode()
    return whole.dictionary, view_numbers(whole.indices)[np.concatenate(codes)]


def find_twin_rows(ids: pa.Array | pa.ChunkedArray, *, upper: bool) -> Int64Array:
    """The rows (sorted) whose id is also there in another form; by hashes, so that others may be among them.

    An id that folding leaves as it is has a twin only among those that it changes.
    """
    none = np.empty(0, np.int64)
    rows: list[Int64Array] = [none]
    plain: list[HashArray] = [np.empty(0, np.uint64)]
    folded: list[HashArray] = [np.empty(0, np.uint64)]
    for start in range(0, len(ids), TWIN_BLOCK_ROWS):
        array = combine_column(ids.slice(start, TWIN_BLOCK_ROWS))
        some = _find_cells_to_fold(array, upper=upper)
        cells = array.take(make_array(some))
        forms = fold_ids(cells, upper=upper)
        is_changed = pc.not_equal(forms, cells)
        rows.append(some[to_mask(is_changed)] + start)
        plain.append(hash_texts(cells.filter(is_changed)))
        folded.append(hash_texts(combine_column(forms.filter(is_changed))))
    changed_rows: Int64Array = np.concatenate(rows)
    changed_plain, changed_forms = np.concatenate(plain), np.concatenate(folded)
    if not changed_rows.size:
        return changed_rows
    order = np.lexsort((changed_plain, changed_forms))
    is_same_form = changed_forms[order][1:] == changed_forms[order][:-1]
    is_other = changed_plain[order][1:] != changed_plain[order][:-1]
    twice = changed_forms[order][1:][is_same_form & is_other]
    unchanged, met = _find_unchanged_twins(ids, np.unique(changed_forms), changed_rows)
    mine = changed_rows[np.isin(changed_forms, np.union1d(twice, met))]
    found: Int64Array = np.union1d(mine, unchanged)
    return found


def _find_cells_to_fold(array: pa.Array, *, upper: bool) -> Int64Array:
    """The cells that folding may change: those with a letter of the other case, or a character beyond ASCII."""
    used = view_bytes(array)
    first, last = (ord("a"), ord("z")) if upper else (ord("A"), ord("Z"))
    return find_rows_of_bytes(array, (used > 0x7F) | ((used >= first) & (used <= last)))


def _find_unchanged_twins(
    ids: pa.Array | pa.ChunkedArray, forms: HashArray, changed: Int64Array
) -> tuple[Int64Array, HashArray]:
    """The rows that folding leaves as they are, and whose hash is one of some forms' (sorted); and those forms."""
    is_near = np.zeros(_BUCKETS, np.bool_)  # a quick look first: nearly every row has no twin
    is_near[forms & np.uint64(_BUCKETS - 1)] = True
    rows, met = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
    for start in range(0, len(ids), TWIN_BLOCK_ROWS):
        hashes = hash_texts(combine_column(ids.slice(start, TWIN_BLOCK_ROWS)))
        near = np.flatnonzero(is_near[hashes & np.uint64(_BUCKETS - 1)])
        near = near[~np.isin(near + start, changed, assume_unique=True)]
        near = near[forms[np.minimum(np.searchsorted(forms, hashes[near]), forms.size - 1)] == hashes[near]]
        rows.append(near + start)
        met.append(hashes[near])
    return np.concatenate(rows), np.unique(np.concatenate(met))


def _are_capitals(ids: pa.Array | pa.ChunkedArray) -> bool:
    """Whether most ids are written in capitals: then folding to capitals changes fewer of them."""
    array = combine_column(ids.slice(0, TWIN_BLOCK_ROWS))
    lower, upper = (int(pc.sum(pc.equal(fold(array), array)).as_py() or 0) for fold in (pc.ascii_lower, pc.ascii_upper))
    return upper > lower


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


def fold_ids(ids: pa.Array, *, upper: bool = False) -> pa.Array:
    """Ids as they are compared to find twins: composed characters, in one case."""
    folded = (pc.ascii_upper if upper else pc.ascii_lower)(ids)
    is_ascii = pc.string_is_ascii(folded)
    rows = np.flatnonzero(~to_mask(is_ascii))
    if not rows.size:
        return folded
    some = (pc.utf8_upper if upper else pc.utf8_lower)(folded.take(make_array(rows)))
    return pc.replace_with_mask(folded, pc.invert(is_ascii), pc.utf8_normalize(some, "NFC"))


def _find_rarer_forms(texts: list[str], codes: Int64Array, *, upper: bool) -> dict[int, int]:
    """The forms of ids that are rarer than another form: code of the form → code of the most frequent one."""
    counts = Counter(codes.tolist())
    folded = fold_ids(make_array(texts), upper=upper).to_pylist() if texts else []
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
