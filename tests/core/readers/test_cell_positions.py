"""Positions of cells in a file's text: line and character, as a person counts them, by another way of counting."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract import Place
from intempt_core.readers import ReadOptions, TextPosition, locate_cells, read_table

HEADER = ["name", "eventId", "data.note"]
CELLS = st.text(st.sampled_from('ab,;"\n\r\t ä€😀\u2028'), max_size=6)


class PositionedText:
    """A text that is written piece by piece, and knows at which line and character it is."""

    def __init__(self) -> None:
        self.text, self.line, self.column = "", 1, 1

    def write(self, piece: str) -> None:
        for char in piece:
            before = self.text[-1:]
            self.text += char
            if char == "\n" and before == "\r":
                continue  # the end of a line that has ended
            if char in "\r\n":
                self.line, self.column = self.line + 1, 1
            else:
                self.column += 1


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS).filter(lambda cells: any(cell.strip() for cell in cells)), max_size=6),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    above=st.integers(0, 2),
    quotes=st.booleans(),
)
def test_every_cell_is_where_another_counting_puts_it(
    rows: list[tuple[str, str, str]], line_end: str, encoding: str, above: int, quotes: bool
) -> None:
    written, expected = PositionedText(), []
    for number in range(above):
        written.write(f"above {number}{line_end}")
    written.write(",".join(HEADER) + line_end)
    for cells in rows:
        line = written.line
        for number, cell in enumerate(cells):
            if number:
                written.write(",")
            expected.append((line, HEADER[number], TextPosition(written.line, written.column)))
            is_quoted = quotes or any(sign in cell for sign in ',"\r\n')
            written.write('"' + cell.replace('"', '""') + '"' if is_quoted else cell)
        written.write(line_end)
    data = written.text.encode(encoding)
    table = read_table(data, name="e.csv", dialect=ReadOptions(header_line=above + 1, delimiter=","))
    if table.malformed_quotes or len(table.lines) != len(rows):
        return  # lines that are wide as rows inside of a cell: what the cells are is not certain
    places = [Place(None, line, column) for line, column, _ in expected]
    assert locate_cells(data, table, places) == [position for _, _, position in expected]


def test_a_file_that_has_changed_has_no_positions(tmp_path: Path) -> None:
    file = tmp_path / "e.csv"
    file.write_text("name,eventId\nx,\n")
    table = read_table(file, name="e.csv")
    assert locate_cells(file, table, [Place(1, 2, "eventId")]) == [TextPosition(2, 3)]
    file.write_text("name,eventId\nx,y\n")
    assert locate_cells(file, table, [Place(1, 2, "eventId")]) == [None]


@pytest.mark.parametrize(
    ("text", "place", "position"),
    [
        ("name,eventId\nx\n", Place(1, 2, "eventId"), TextPosition(2)),  # a row that is too short
        ("name,eventId\nx,y\n", Place(1, 2), TextPosition(2)),
        ("name,eventId\nx,y\n", Place(1, None, "eventId"), None),
        ("name,eventId\nx,y\n", Place(1, 99, "eventId"), None),
        ('name,eventId\nx,"y"z\n', Place(1, 2, "eventId"), TextPosition(2, 3)),  # malformed quoting
        ('name,payload\nx,"{""a"": 1}"\n', Place(1, 2, "payload.a"), TextPosition(2, 3)),
        ("name;products\nx;a|b\n", Place(1, 2, "products[]", member=2), TextPosition(2, 3)),
    ],
)
def test_what_is_no_plain_cell(text: str, place: Place, position: TextPosition | None) -> None:
    table = read_table(text.encode(), name="e.csv")
    assert locate_cells(text.encode(), table, [place]) == [position]


LINE = '{"data":{"items":[{"id":"a1"},{"id":"b2"}]},"p.id":7}'


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (Place(1, 2, "data.items[].id", "/data/productId", member=2), '"b2"'),
        (Place(1, 2, "data.items", "/data"), "[{"),
        (Place(1, 2, "p.id", "/data"), "7"),  # a dotted key counts before a path
        (Place(1, 2, None, "/1/data"), '{"items"'),
        (Place(1, 2, "userId", "/userId"), '{"data"'),  # what is missing is at the object that lacks it
        (Place(1, 2, "data.nothing", "/x"), '{"items"'),
    ],
)
def test_a_value_in_a_line_of_json_is_found_by_its_path_or_pointer(place: Place, value: str) -> None:
    text = f"{{}}\n{LINE}\n".encode()
    table = read_table(text, name="e.jsonl")
    assert locate_cells(text, table, [place]) == [TextPosition(2, LINE.index(value) + 1)]


def test_an_item_of_a_list_is_found_on_its_own_line() -> None:
    text = b'[\n {"eventId": "a"},\n {"eventId":\n  5}\n]'
    table = read_table(text, name="e.json")
    assert locate_cells(text, table, [Place(2, 2, "eventId")]) == [TextPosition(4, 3)]
