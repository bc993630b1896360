"""Times that are read and may be wrong: day and month exchanged, worked out by hand."""

import json

import pytest

from intempt_core.errors import MappingError
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.validation.check import check_table
from intempt_core.validation.report import Report
from tests.core.readers.factories import table_of

HEADER = ["what", "who", "sku", "when"]
COLUMNS = {"what": "name", "who": "userId", "sku": "data.productId", "when": "timestamp"}


def check_times(times: list[str], form: str = "") -> Report:
    rows = [["Product viewed", f"u{row}", "p", time] for row, time in enumerate(times)]
    return check_table(map_table(table_of(HEADER, rows), Mapping(COLUMNS, time_format=form)))


def unclear(times: list[str], form: str = "") -> list[int]:
    rows: list[int] = check_times(times, form).rows_of("time_day_month_unclear").tolist()
    return rows


@pytest.mark.parametrize(
    ("times", "form", "rows"),
    [
        (["2016-08-11", "4/15/2017", "2016-12-06"], "", [0, 2]),
        (["2016-08-11 10:00", "15.04.2017", "2016-06-06", "2016-08-13"], "", [0]),
        (["2016-08-11", "2016-13-06"], "iso", [0]),
        (["08/11/2016", "2016-12-06", "06/06/2016"], "%m/%d/%Y", [0]),
        (["08/11/2016", "13/11/2016"], "%m/%d/%Y", [0]),
        (["01/02/2022", "03/04/2022", "05/05/2022"], "%d/%m/%Y", [0, 1]),  # nothing tells them apart
    ],
)
def test_times_whose_day_and_month_may_be_exchanged(times: list[str], form: str, rows: list[int]) -> None:
    assert unclear(times, form) == rows


@pytest.mark.parametrize(
    ("times", "form"),
    [
        (["2016-08-11", "2016-12-06"], ""),
        (["2016-08-11", "soon", ""], ""),
        (["1664618400123", "2016-08-11"], ""),
        (["01/02/2022", "13/04/2022"], "%d/%m/%Y"),  # the 13th tells
        (["05/05/2022"], "%d/%m/%Y"),  # the same either way
        (["01.02.2022", "03.04.2022"], "%d.%m.%Y"),  # nobody writes the month first with points
        (["1 Feb 2022"], "%d %b %Y"),
        (["2016-08-11", "4/15/2017"], "iso | %m/%d/%Y"),  # a person has named both
    ],
)
def test_times_that_are_clear(times: list[str], form: str) -> None:
    assert unclear(times, form) == []


def test_the_sentence_names_the_cell_and_what_stands_beside_it() -> None:
    issue = next(one for one in check_times(["2016-08-11", "4/15/2017"]).issues() if one.code.startswith("time_day"))
    assert issue.message == "Day and month of this time may be exchanged."
    assert issue.fix.startswith("It is written “2016-08-11”. Row 2 (line 3) is written otherwise (“4/15/2017”): ")


def test_several_forms_are_named_in_a_list_and_tried_in_order() -> None:
    given = {"columns": COLUMNS, "time_format": ["iso", "%m/%d/%Y"]}
    mapping = Mapping.from_json(json.dumps(given))
    assert json.loads(mapping.to_json())["time_format"] == ["iso", "%m/%d/%Y"]
    assert Mapping.from_json(mapping.to_json()) == mapping
    rows = [["Product viewed", "u", "p", time] for time in ("2017-04-15", "4/15/2017", "1492214400000")]
    mapped = map_table(table_of(HEADER, rows), mapping)
    assert mapped.values("timestamp", [0, 1, 2]) == [1_492_214_400_000, 1_492_214_400_000, "1492214400000"]
    assert check_table(mapped).counts == {"timestamp_unreadable": 1}


@pytest.mark.parametrize("form", [[], ["iso", 7], ["iso", "%Q"], 7])
def test_a_list_of_other_things_is_no_time_format(form: object) -> None:
    with pytest.raises(MappingError, match=r"time.format"):
        Mapping.from_json(json.dumps({"columns": COLUMNS, "time_format": form}))
