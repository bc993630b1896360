"""An encoding or a quote that a person names, or should: taken where it fits, an error where it certainly does not."""

import pytest

from intempt_core.errors import ReadError
from intempt_core.readers.dialects.read_options import ReadOptions
from intempt_core.readers.table import read_table

NAMED = "name,userId,productId,timestamp\n" + "Product viewed,Jos\u00e9,p1,1664582400001\n" * 3


@pytest.mark.parametrize(
    ("written", "named", "problem"),
    [
        ("utf-16", "cp1252", "NUL. It seems to be utf-16. Name that encoding, or none."),
        ("utf-16-le", "latin-1", "NUL. It seems to be utf-16-le."),
        ("utf-16-be", "mac-roman", "NUL. It seems to be utf-16-be."),
        ("utf-32", "utf-16", "NUL. It seems to be utf-32."),
        ("utf-8", "cp500", "NUL. It seems to be utf-8."),
        ("cp1252", "cp037", "NUL. It seems to be cp1252."),
        ("utf-8-sig", "cp1252", "it begins with the byte order mark of UTF-8. It seems to be utf-8."),
    ],
)
def test_a_named_encoding_that_the_bytes_certainly_do_not_have_is_an_error(
    written: str, named: str, problem: str
) -> None:
    with pytest.raises(ReadError) as failed:
        read_table(NAMED.encode(written), dialect=ReadOptions(encoding=named), name="shop.csv")
    assert f"shop.csv cannot be read as {named}: " in str(failed.value)
    assert problem in str(failed.value)


@pytest.mark.parametrize(
    ("written", "named"),
    [("utf-16", "utf-16-le"), ("utf-16-le", "utf-16-le"), ("cp500", "cp500"), ("utf-8-sig", "utf-8-sig"),
     ("latin-1", "latin-1"), ("cp1252", "cp1252"), ("cp1252", "latin-1"), ("cp437", "cp437")],
)  # fmt: skip
def test_a_named_encoding_that_fits_is_taken(written: str, named: str) -> None:
    table = read_table(NAMED.encode(written), dialect=ReadOptions(encoding=named), name="shop.csv")
    assert table.columns["userId"].to_pylist() == ["Jos\u00e9"] * 3
    assert not any("By its bytes" in note for note in table.notes)


def test_a_named_encoding_of_a_file_that_is_utf_8_by_its_bytes_is_taken_and_said() -> None:
    table = read_table(NAMED.encode(), dialect=ReadOptions(encoding="cp1252"), name="shop.csv")
    assert table.columns["userId"].to_pylist() == ["Jos\u00c3\u00a9"] * 3
    assert "By its bytes the file is UTF-8, though cp1252 was named: if letters look wrong, name utf-8, or none." in (
        table.notes
    )
    assert read_table(b"name,x\na,1\n", dialect=ReadOptions(encoding="cp1252"), name="shop.csv").notes == (
        "The file was read as cp1252, not as UTF-8: if letters look wrong, name its encoding.",
    )


def test_cells_in_single_quotes_are_said_with_the_option_that_reads_them() -> None:
    text = b"'name','userId'\n'Product viewed','u, 1'\n'Product viewed','u2'\n"
    table = read_table(text, name="shop.csv")
    assert any('--quote "\'"' in note for note in table.notes)
    table = read_table(text, dialect=ReadOptions(quote="'"), name="shop.csv")
    assert (table.columns["userId"].to_pylist(), table.notes) == (["u, 1", "u2"], ())
    assert read_table(b"name,title\nx,'tis\ny,dogs'\n", name="shop.csv").notes == ()
