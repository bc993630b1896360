"""Arrays are those that Arrow makes; texts are numbered alike exactly where they are equal, however they collide."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core import arrays
from intempt_core.arrays import (
    combine_column,
    factorize_texts,
    find_rows_of_bytes,
    hash_texts,
    make_array,
    make_scalar,
    release_unused_memory,
    take_rows,
    view_bytes,
    view_numbers,
)

lengths = st.sampled_from([0, 1, 7, 8, 9, 15, 16, 17, 255, 256, 257, 300])
texts = st.lists(
    st.one_of(
        st.text(max_size=9),
        lengths.map(lambda length: "x" * length),
        lengths.map(lambda length: "x" * length + "\0"),
        st.sampled_from(["evt_1", "evt_2", "évt", "\U0001f6d2" * 3]),
    ).map(lambda text: text.encode("utf-8", "ignore").decode()),
    max_size=30,
)


@given(
    st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))), st.sampled_from(["string", "large_string"])
)
def test_texts_become_the_array_that_arrow_makes(cells: list[str | None], kind: str) -> None:
    made = make_array(cells, pa.type_for_alias(kind))
    made.validate(full=True)
    assert made.equals(pa.array(cells, kind))
    assert made.null_count == cells.count(None)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint64", "float64"])
@given(st.lists(st.integers(0, 100)), st.integers(1, 3))
def test_numbers_become_the_array_that_arrow_makes(dtype: str, numbers: list[int], step: int) -> None:
    values = np.array(numbers, dtype)[::step]
    made = make_array(values)
    made.validate(full=True)
    assert made.equals(pa.array(values))
    for array in (made, made[1:], pa.chunked_array([made, made[:1]]), pa.chunked_array([], made.type)):
        assert view_numbers(array).tolist() == array.to_pylist()
        assert view_numbers(array).dtype == values.dtype


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # NumPy tries an older protocol then
def test_a_null_is_no_number() -> None:
    with pytest.raises(pa.ArrowTypeError):
        view_numbers(pa.array([1, None]))


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        make_array(["\ud83d", "\ude00"])


def test_a_scalar_is_the_one_that_arrow_makes() -> None:
    assert make_scalar("é") == pa.scalar("é", pa.large_string())
    assert make_scalar(None, pa.string()) == pa.scalar(None, pa.string())
    assert make_scalar(False) == pa.scalar(False)


def first_rows(cells: list[str]) -> list[int]:
    return [cells.index(cell) for cell in cells]


@given(texts, st.integers(1, 4))
def test_a_row_is_numbered_by_the_first_row_of_its_text(cells: list[str], chunk: int) -> None:
    column = pa.chunked_array([cells[at : at + chunk] for at in range(0, len(cells), chunk)], pa.string())
    hashes = hash_texts(combine_column(column))
    assert factorize_texts(hashes, column).tolist() == first_rows(cells)


@given(texts)
def test_texts_that_share_a_hash_are_told_apart_by_themselves(cells: list[str]) -> None:
    column = pa.chunked_array([cells], pa.string())
    assert factorize_texts(np.zeros(len(cells), np.uint64), column).tolist() == first_rows(cells)


@given(texts, st.data())
def test_a_slice_hashes_as_the_whole_does(cells: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(cells)))
    whole = combine_column(pa.chunked_array([cells], pa.string()))
    assert hash_texts(whole[start:]).tolist() == hash_texts(whole)[start:].tolist()


@pytest.mark.parametrize("far", [False, True])
@given(texts, st.integers(1, 4), st.data())
def test_rows_are_taken_in_any_order_however_far_apart(
    far: bool, cells: list[str], chunk: int, data: st.DataObject
) -> None:
    column = pa.chunked_array([cells[at : at + chunk] for at in range(0, len(cells), chunk)], pa.string())
    rows = data.draw(st.lists(st.integers(0, len(cells) - 1), max_size=12)) if cells else []
    with pytest.MonkeyPatch.context() as patch:
        if far:
            patch.setattr(arrays, "_MAX_NEAR_ROWS", 0)
        taken = take_rows(column, np.array(rows, np.int64))
    taken.validate(full=True)
    assert taken.type == pa.large_string()
    assert taken.to_pylist() == [cells[row] for row in rows]


def test_memory_that_was_freed_is_handed_back() -> None:
    array = make_array(np.arange(1 << 20))
    release_unused_memory()  # takes nothing that is in use
    assert view_numbers(array)[-1] == (1 << 20) - 1


@given(st.lists(st.text(alphabet="ab \u00e9", max_size=6), max_size=30), st.integers(0, 5))
def test_rows_of_bytes_are_those_that_hold_one(cells: list[str], start: int) -> None:
    array = combine_column(pa.array(cells, pa.large_string()).slice(min(start, len(cells))))
    for sought in (b"a", b" ", b"ab \xc3\xa9", b"z"):
        found = find_rows_of_bytes(array, np.isin(view_bytes(array), list(sought)))
        expected = [row for row, cell in enumerate(cells[start:]) if set(cell.encode()) & set(sought)]
        assert found.tolist() == expected


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_part_of_a_column_is_one_that_arrow_reads_right(kind: pa.DataType) -> None:
    part = combine_column(pa.chunked_array([pa.array(["José", "NULL", ""], kind)]).slice(1))
    lowered = pc.ascii_lower(part)
    lowered.validate(full=True)
    assert lowered.to_pylist() == ["null", ""]
