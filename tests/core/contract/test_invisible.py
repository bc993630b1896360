"""What cannot be seen is written out where a message names it."""

import pytest

from intempt_core.contract import spell_invisible
from intempt_core.errors import MappingError
from intempt_core.mapping import Mapping, exact_mapping, map_table
from intempt_core.readers import read_table
from intempt_core.validation import check_table


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("user id", "user id"),
        ("Größe, 日本語", "Größe, 日本語"),
        ("userId\u00a0", "userId[no-break space]"),
        ("data.productId\u200b", "data.productId[zero width space]"),
        ("\ufeffname", "[byte order mark]name"),
        (" b ", "[space]b[space]"),
        ("a  b", "a  b"),
        ("a\tb\n", "a[tab]b[line feed]"),
        ("\x07", "[U+0007]"),
        (" ", "[space]"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_spelled(text: str, spelled: str) -> None:
    assert spell_invisible(text) == spelled


def test_messages_about_columns_spell_it() -> None:
    table = read_table("name,userId\u00a0,data.productId\u200b\nProduct viewed,u1,p1\n".encode(), name="x.csv")
    assert table.notes == (
        "White space around a column's name belongs to the name: “userId[no-break space]”.",
        "A column's name holds what cannot be seen, which belongs to it: “data.productId[zero width space]”.",
    )
    report = check_table(map_table(table, exact_mapping(table.header)))
    hints = [issue.hint for issue in report.issues(0, 10)]
    assert "It seems to be in data.productId[zero width space]: it must be data.productId, exactly." in hints
    with pytest.raises(MappingError, match="Did you mean “userId\\[no-break space\\]”"):
        map_table(table, Mapping({"userId": "userId"}))
