"""A large file is read as a small one is, from a disk and a table that hold little memory."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from intempt_core.errors import ReadError
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.planning.plan import plan_table
from intempt_core.readers.limits import MEMORY_LIMIT_BYTES, ReadLimits
from intempt_core.readers.mapped_file import FileBytes, MappedFile, compute_sha256, find_byte
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table

HEADER = "name,eventId,userId,productId,timestamp\n"
ROWS = [f"Product viewed,evt_{number % 990},u{number % 7},p{number},1714631904000\n" for number in range(1000)]
ODD = ['Product viewed,"e\n1",u,p,\n', "Product viewed,,u\n", "\n", "Product viewed,e\0,u,p,x,y\n"]


@pytest.fixture(params=["", "\ufeff"], ids=["plain", "bom"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_bytes((request.param + HEADER + "".join([*ROWS, *ODD, *ROWS[:3]]) + "Product viewed,é,ü,p,\n").encode())
    return path


def content_of(path: Path, large: int = MEMORY_LIMIT_BYTES) -> object:
    table = read_table(path, name="events.csv", limits=ReadLimits(memory_bytes=large))
    mapped = map_table(table, exact_mapping(table.header))
    report = check_table(mapped)
    plan = plan_table(mapped, (~report.error_mask).nonzero()[0])
    columns = {name: column.to_pylist() for name, column in table.columns.items()}
    return (
        table.digest, table.size, columns, table.lines.tolist(), table.cell_counts, table.notes,
        report.counts, report.issues(), [body for block in plan.iter_blocks() for body in block.bodies],
    )  # fmt: skip


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that has no space for a larger file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_table_on_disk_is_the_table_in_memory(file: Path) -> None:
    assert read_table(file, name="events.csv", limits=ReadLimits(memory_bytes=1000)).mapped_file is not None
    assert content_of(file, large=1000) == content_of(file)


def test_a_large_file_of_another_encoding_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes((HEADER + "".join(ROWS) + "Product viewed,é,ü,p,\n").encode("cp1252"))
    assert read_table(path, name="events.csv", limits=ReadLimits(memory_bytes=1000)).cell(1000, "userId") == "ü"


def test_rows_that_do_not_fit_on_the_disk_are_a_sentence(file: Path) -> None:
    with (
        files_of_at_most(file.stat().st_size + 100),
        pytest.raises(ReadError, match="no space on the disk to hold its rows: File too large"),
    ):
        read_table(file, name="events.csv", limits=ReadLimits(memory_bytes=1000))


def test_a_file_that_does_not_fit_on_the_disk_is_read_in_memory(file: Path) -> None:
    with files_of_at_most(1000):
        assert read_table(file, name="events.csv", limits=ReadLimits(memory_bytes=1000)).rows == len(ROWS) + 7


@pytest.mark.parametrize("text", [b"abc", b"\xef\xbb\xbfabc\0d", b"a" * (1 << 20) + b"\0", b"\xff"])
def test_pages_answer_as_bytes_do(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(text)
    with (tmp_path / "file").open("r+b") as own:
        pages: FileBytes = MappedFile.from_file(own)
    assert pages.startswith((b"ab", b"\xff")) == text.startswith((b"ab", b"\xff"))
    assert pages.isascii() == text.isascii()
    assert pages.removeprefix(b"\xef\xbb\xbf")[:4] == text.removeprefix(b"\xef\xbb\xbf")[:4]
    assert pages.decode("latin-1") == text.decode("latin-1")
    assert compute_sha256(pages) == compute_sha256(text)
    assert find_byte(b"\0", pages) == text.find(b"\0")
