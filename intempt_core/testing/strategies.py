"""Hypothesis strategies: valid events, journeys of one person, and events that break one rule of the contract.

::

    from hypothesis import given
    from intempt_core.testing.strategies import broken, events, journeys

    @given(journeys())
    def test_my_importer_keeps_the_order(journey): ...

An event is a dict as a line of JSON has it, with its ``name`` inside. Hypothesis is no part of the console: install it
beside your tests.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

try:
    from hypothesis import strategies as st
except ModuleNotFoundError:  # pragma: no cover  the tests have it
    raise ModuleNotFoundError("The strategies need Hypothesis: pip install hypothesis.") from None

from intempt_core.contract import EARLIEST_MS, IDENTITY_FIELDS, ISSUE_KINDS, LATEST_MS, EventName, suggest_nearest
from intempt_core.fixtures import DEFECTS

Event: TypeAlias = dict[str, Any]
"""An event as JSON. Any: a JSON value."""

INEXPRESSIBLE_CODES = {
    "id_cell_error": "only a workbook has formulas",
    "sent_before": "it is found by what history knows, and not in events",
    "order_line_added": "it is found by what history knows, and not in events",
}
"""Codes that no text of events has → why."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_.:/éñ日"
_CSV_FIELDS = ("name", "eventId", *IDENTITY_FIELDS, "sessionId", "pageId", "timestamp", "productId", "price")
_LAST_DAY_MS = 86_400_000
_MIN_SECONDS_MS = 1_000


@dataclass(frozen=True)
class BrokenEvents:
    """Events of which some break a rule, as a text that ``check`` reads.

    Attributes:
        code: The issue that some of them have.
        name: A name for the file. Its ending says what it is: ``.jsonl``, ``.csv``, or ``.json`` for a request as it is
            pasted.
        text: The text.
        rows: The events that have the issue, from 1; empty where it is of the whole text.
        mapping: The mapping that it is read with; ``None`` for none.
        products: The catalogue that it is checked with; empty for none.
    """

    code: str
    name: str
    text: str
    rows: tuple[int, ...]
    mapping: Mapping[str, Any] | None = None
    products: tuple[str, ...] = field(default=())

    @property
    def events(self) -> list[Event]:
        """The events as JSON, where the text is JSON lines that can be read; else none."""
        return [json.loads(line) for line in self.text.splitlines()] if self.name.endswith(".jsonl") else []


def ids(kind: str) -> st.SearchStrategy[str]:
    """Ids of a kind, such as ``user_7é``: no rule finds anything in them."""
    return st.text(_LETTERS, min_size=1, max_size=12).map(lambda text: f"{kind}_{text}")


def identities() -> st.SearchStrategy[dict[str, str]]:
    """One to four identities of a person (CONTRACT 2.3)."""
    return st.dictionaries(st.sampled_from(IDENTITY_FIELDS), ids("person"), min_size=1)


def times() -> st.SearchStrategy[int]:
    """Epoch milliseconds that are processed as they are (CONTRACT 2.7)."""
    return st.integers(EARLIEST_MS, LATEST_MS)


def data() -> st.SearchStrategy[Event]:
    """The object ``data`` with a product and further keys (CONTRACT 1.4, 2.4)."""
    prices = st.integers(0, 1_000_000).map(lambda cents: cents / 100)
    return st.fixed_dictionaries(
        {"productId": ids("item")},
        optional={
            "price": prices,
            "quantity": st.integers(1, 99),
            "colour": st.text(_LETTERS, min_size=1),
            "gift": st.booleans(),
        },
    )


def events() -> st.SearchStrategy[Event]:
    """Valid events, each by itself: no rule finds an error or a warning."""
    rest = st.fixed_dictionaries(
        {"name": st.sampled_from([name.value for name in EventName]), "eventId": ids("event"), "data": data()},
        optional={"timestamp": times(), "sessionId": ids("session"), "pageId": ids("page")},
    )
    return st.builds(lambda person, event: {**event, **person}, identities(), rest)


@st.composite
def journeys(draw: st.DrawFn, *, min_size: int = 1, max_size: int = 12) -> list[Event]:
    """Valid events of one person in order: products are viewed, put into the cart, removed and ordered."""
    person, session = draw(identities()), draw(ids("session"))
    products = draw(st.lists(ids("item"), min_size=2, max_size=4, unique=True))
    event_ids = draw(st.lists(ids("event"), min_size=min_size, max_size=max_size, unique=True))
    time = draw(st.integers(EARLIEST_MS, LATEST_MS - _LAST_DAY_MS))
    cart: list[str] = []
    journey = []
    for event_id in event_ids:
        choices = [EventName.VIEWED, EventName.ADDED, *([EventName.REMOVED, EventName.ORDERED] if cart else [])]
        name = draw(st.sampled_from(choices))
        product = draw(st.sampled_from(products if name in (EventName.VIEWED, EventName.ADDED) else cart))
        if name is EventName.ADDED:
            cart.append(product)
        elif name is not EventName.VIEWED:
            cart.remove(product)
        time += draw(st.integers(1, 1_800_000))
        journey.append(
            {
                "name": name.value,
                "eventId": event_id,
                **person,
                "sessionId": session,
                "timestamp": time,
                "data": {"productId": product, "price": draw(st.integers(0, 100_000)) / 100},
            }
        )
    return journey


def broken(code: str) -> st.SearchStrategy[BrokenEvents]:
    """Events of one person of which some have an issue. Raises ``ValueError`` for a code that no text of events has."""
    if code not in ISSUE_KINDS:
        raise ValueError(f"“{code}” is no issue code. {suggest_nearest(code, ISSUE_KINDS)}")
    if code in INEXPRESSIBLE_CODES:
        raise ValueError(f"No text of events has {code}: {INEXPRESSIBLE_CODES[code]}.")
    return _draw_broken(code)


@st.composite
def _draw_broken(draw: st.DrawFn, code: str) -> BrokenEvents:
    journey = draw(journeys(min_size=2, max_size=5))
    return _BREAKERS.get(code, _break_value)(code, journey, draw)


# ── how each rule is broken ──────────────────────────────────────────────────────────────────────────────────────────

_Breaker: TypeAlias = Callable[[str, list[Event], st.DrawFn], BrokenEvents]


def _write_lines(code: str, journey: list[Event], *rows: int, products: tuple[str, ...] = ()) -> BrokenEvents:
    text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in journey)
    return BrokenEvents(code, f"{code}.jsonl", text, rows, products=products)


def _write_csv_lines(journey: list[Event], fields: tuple[str, ...] = _CSV_FIELDS) -> list[str]:
    """The header and a line for each event."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([{**event, **event["data"]}.get(field, "") for field in fields] for event in journey)
    return out.getvalue().splitlines(keepends=True)


def _set_field(event: Event, name: str, value: Any) -> None:
    """Set a field by its dotted path; ``None`` takes it out. Any: a JSON value."""
    *path, key = name.split(".")
    inside = event[path[0]] if path else event
    inside.pop(key, None)
    if value is not None:
        inside[key] = value


def _break_value(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    """One of the values that the generator has for the defect, in one of the events."""
    row = draw(st.integers(0, len(journey) - 1))
    for name, values in DEFECTS[code].values.items():
        value = draw(st.sampled_from(values))
        _set_field(journey[row], name, list(value) if isinstance(value, tuple) else value)
    return _write_lines(code, journey, row + 1)


def _break_time(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    row = draw(st.integers(0, len(journey) - 1))
    time = journey[row]["timestamp"]
    journey[row]["timestamp"] = time // _MIN_SECONDS_MS if code == "timestamp_before_2010" else time * 1_000
    return _write_lines(code, journey, row + 1)


def _repeat_id(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    row = draw(st.integers(1, len(journey) - 1))
    journey[row]["name"] = EventName.VIEWED.value  # no line of an order, which may share an id
    journey[row]["eventId"] = journey[row - 1]["eventId"]
    return _write_lines(code, journey, row + 1)


def _share_id(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    line = {**journey[0], "name": EventName.ORDERED.value}
    other = draw(ids("other"))
    lines = [line, {**line, "data": {**line["data"], "productId": other}}]
    return _write_lines(code, [*lines, *journey[1:]], 2)


def _write_twin(code: str, journey: list[Event], _draw: st.DrawFn) -> BrokenEvents:
    for event in journey:
        event["userId"] = "user_anna"
    journey[-1]["userId"] = "User_anna"
    return _write_lines(code, journey, len(journey))


def _lose_zeros(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    page = draw(st.integers(1, 99_999))
    for event in journey:
        event["pageId"] = f"{page:06}"
    journey[-1]["pageId"] = str(page)
    return _write_lines(code, journey, len(journey))


def _list_products(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    row = draw(st.integers(0, len(journey) - 1))
    separator = draw(st.sampled_from("|;"))
    journey[row]["data"]["productId"] = separator.join(["item_1", "item_2", "item_3"])
    return _write_lines(code, journey, row + 1)


def _drop_product(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    row = draw(st.integers(0, len(journey) - 1))
    products = {event["data"]["productId"] for event in journey}
    journey[row]["data"]["productId"] = "gone_1"
    return _write_lines(code, journey, row + 1, products=tuple(sorted(products)))


def _change_text(change: Callable[[str], str]) -> _Breaker:
    """Change the line of one event."""

    def break_line(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
        row = draw(st.integers(0, len(journey) - 1))
        lines = _write_lines(code, journey).text.splitlines()
        lines[row] = change(lines[row])
        return BrokenEvents(code, f"{code}.jsonl", "\n".join(lines) + "\n", (row + 1,))

    return break_line


def _change_document(change: Callable[[str], str]) -> _Breaker:
    """Change a whole request, as one pastes it."""

    def break_document(code: str, journey: list[Event], _draw: st.DrawFn) -> BrokenEvents:
        groups = [{"name": event["name"], "payload": [_without_name(event)]} for event in journey]
        return BrokenEvents(code, f"{code}.json", change(json.dumps({"track": groups}, indent=1)), ())

    return break_document


def _without_name(event: Event) -> Event:
    return {key: value for key, value in event.items() if key != "name"}


def _change_cells(change: Callable[[str], str]) -> _Breaker:
    """Change one line of a table."""

    def break_row(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
        lines = _write_csv_lines(journey)
        row = draw(st.integers(1, len(journey)))
        lines[row] = change(lines[row].removesuffix("\n")) + "\n"
        return BrokenEvents(code, f"{code}.csv", "".join(lines), (row,))

    return break_row


def _exchange_days(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    day, month = draw(st.lists(st.integers(1, 12), min_size=2, max_size=2, unique=True))
    journey[0]["timestamp"] = f"2024-{month:02}-{day:02} 10:00:00"
    journey[-1]["timestamp"] = f"{draw(st.integers(13, 28))}/06/2024"
    return BrokenEvents(code, f"{code}.csv", "".join(_write_csv_lines(journey)), (1,))


def _repeat_row(code: str, journey: list[Event], _draw: st.DrawFn) -> BrokenEvents:
    fields = tuple(one for one in _CSV_FIELDS if one != "eventId")
    lines = _write_csv_lines([*journey, journey[0]], fields)
    return BrokenEvents(code, f"{code}.csv", "".join(lines), (len(journey) + 1,))


def _mistype_value(code: str, journey: list[Event], draw: st.DrawFn) -> BrokenEvents:
    row = draw(st.integers(0, len(journey) - 1))
    journey[row]["data"]["price"] = draw(st.sampled_from(["cheap", "12 EUR", "1.2.3"]))
    columns = {one: f"data.{one}" if one in ("productId", "price") else one for one in _CSV_FIELDS}
    mapping = {"columns": columns, "types": {"data.price": "number"}}
    return BrokenEvents(code, f"{code}.csv", "".join(_write_csv_lines(journey)), (row + 1,), mapping)


_BREAKERS: dict[str, _Breaker] = {
    "timestamp_before_2010": _break_time,
    "timestamp_after_2040": _break_time,
    "event_id_repeated": _repeat_id,
    "event_id_shared": _share_id,
    "id_twins": _write_twin,
    "id_zeros_lost": _lose_zeros,
    "product_list": _list_products,
    "product_unknown": _drop_product,
    "event_not_object": _change_text(lambda _line: "42"),
    "request_shape": _change_text(lambda line: f'{{"track": 5, {line[1:]}'),
    "line_unreadable": _change_text(lambda line: line[: len(line) // 2]),
    "key_repeated": _change_text(lambda line: line.replace('"price":', '"price": 1, "price":')),
    "number_precision": _change_text(
        lambda line: line.replace('"price":', '"weight": 12.345678901234567890123, "price":')
    ),
    "json_comment": _change_document(lambda text: text.replace("{", "{ /* from the log */", 1)),
    "json_comma": _change_document(lambda text: text.replace("]\n}", ",]\n}") if "]\n}" in text else text[:-1] + ",}"),
    "json_cut": _change_document(lambda text: text[: text.rindex('"data"')]),
    "row_long": _change_cells(lambda line: line + ",more"),
    "row_short": _change_cells(lambda line: line.rpartition(",")[0]),
    "quote_malformed": _change_cells(lambda line: f'{line.rpartition(",")[0]},"12.50"x'),
    "time_day_month_unclear": _exchange_days,
    "row_repeated": _repeat_row,
    "value_type": _mistype_value,
}
