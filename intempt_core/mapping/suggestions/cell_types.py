"""The type of a column's cells: truth values, whole numbers, numbers as JSON has them or as people write them.

What cells of one shape are is asked once: digits change nothing, but for a zero that leads.
"""

import re
from dataclasses import dataclass

import pyarrow.compute as pc

from intempt_core.mapping.number_forms import NUMBER_FORMS, detect_number_form
from intempt_core.mapping.suggestions.profile import CellShape, ColumnProfile
from intempt_core.mapping.suggestions.words import split_words
from intempt_core.mapping.values import is_cell_of_type

FIT_SHARE = 0.8
"""The share of a column's cells that a type must fit at least."""

_WHOLE_WORDS = frozenset("quantity qty position menge anzahl quantite cantidad".split())
_AMOUNT_WORDS = frozenset(
    "price amount revenue total subtotal discount tax shipping value cost rating unitprice itemprice productprice"
    " orderamount ordertotal preis betrag summe umsatz einzelpreis stuckpreis rabatt steuer versand wert kosten"
    " prix montant remise taxe cout valeur precio importe descuento impuesto costo valor sum brutto netto".split()
)
_NOT_AN_AMOUNT = frozenset("id ids no nr number code name type currency method status list zip".split())
_MONEY = re.compile(r".*,99\D*|.*[€£¥₹₽$].*|.*\b(?:EUR|USD|GBP|CHF)\b.*")
_LEADING_ZERO, _ZERO_AND_FRACTION = "^-?0[0-9]", "^-?0[.,]"
_EXCEPTIONS_NAMED, _SOME_FRACTIONS = 2, 5


@dataclass(frozen=True, slots=True)
class TypeFit:
    """How well a type fits the cells of a column.

    Attributes:
        kind: One of :data:`~intempt_core.mapping.values.CELL_TYPES`.
        fitting: How many cells are of it.
        exceptions: The first rows (from 0) of other cells.
        example: A cell that fits.
    """

    kind: str
    fitting: int
    exceptions: tuple[int, ...]
    example: str


def find_cell_type(profile: ColumnProfile) -> TypeFit | None:
    """Find the type that a column's cells have; ``None`` where they are text, or where only a person can tell.

    A column of plain digits may hold ids: it is one of numbers only where its header says an amount. Decimal commas and
    currency signs say so themselves.
    """
    shapes = profile.shapes
    if not shapes:
        return None
    boolean = [shape for shape in shapes if is_cell_of_type(shape.cell, "boolean")]
    if _is_enough(boolean, profile):
        return _build_fit("boolean", boolean, shapes)
    words = set(split_words(profile.column.rpartition(".")[2]))
    is_count = bool(words & _WHOLE_WORDS) and not words & _NOT_AN_AMOUNT
    is_amount = is_count or (bool(words & _AMOUNT_WORDS) and not words & _NOT_AN_AMOUNT)
    if not (is_amount or any(_MONEY.fullmatch(shape.text) for shape in shapes)):
        return None
    zero_led, fractions = _find_leading_zeros(profile)
    kind, fitting = _find_number_type(shapes, fractions, profile)
    if not kind or zero_led > (1 - FIT_SHARE) * profile.filled:
        return None
    if kind == "number" and is_count and all(is_cell_of_type(shape.text, "integer") for shape in fitting):
        kind = "integer"
    if is_amount or (kind in NUMBER_FORMS and all(_MONEY.fullmatch(shape.text) for shape in fitting)):
        return _build_fit(kind, fitting, shapes, zero_led)
    return None


def describe_type(fit: TypeFit, *, all_fit: bool) -> str:
    """What the cells are, in a sentence."""
    if fit.kind in NUMBER_FORMS:
        written = fit.kind.partition(":")[2]
        return f"Its cells are numbers written as {written}, such as “{fit.example}”."
    return f"{'All' if all_fit else 'Most of'} its cells are of the type {fit.kind}."


def _find_number_type(
    shapes: tuple[CellShape, ...], fractions: list[str], profile: ColumnProfile
) -> tuple[str, list[CellShape]]:
    """The type that most cells have, and the shapes that are of it; empty where only a person can tell.

    ``fractions`` are some cells such as ``0.299``, which can be no thousands.
    """
    by_kind = [[shape for shape in shapes if is_cell_of_type(shape.text, kind)] for kind in ("number", *NUMBER_FORMS)]
    fitting = max(by_kind, key=lambda some: sum(shape.count for shape in some))
    if not _is_enough(fitting, profile):
        return "", []
    return detect_number_form([*(shape.text for shape in fitting), *fractions]) or "", fitting


def _is_enough(shapes: list[CellShape], profile: ColumnProfile) -> bool:
    return bool(shapes) and sum(shape.count for shape in shapes) >= FIT_SHARE * profile.filled


def _find_leading_zeros(profile: ColumnProfile) -> tuple[int, list[str]]:
    """How many cells have a zero before another digit, as ids have, and some that have one before the fraction."""
    count, fractions = 0, list[str]()
    for chunk in profile.cells.chunks:
        led = chunk.filter(pc.or_(pc.starts_with(chunk, "0"), pc.starts_with(chunk, "-0")))
        count += len(led.filter(pc.match_substring_regex(led, _LEADING_ZERO)))
        fractions += led.filter(pc.match_substring_regex(led, _ZERO_AND_FRACTION)).slice(0, 1).to_pylist()
    return count, fractions[:_SOME_FRACTIONS]


def _build_fit(kind: str, fitting: list[CellShape], shapes: tuple[CellShape, ...], zero_led: int = 0) -> TypeFit:
    known = {shape.text for shape in fitting}
    others = [shape.row for shape in shapes if shape.text not in known]
    count = sum(shape.count for shape in fitting) - zero_led
    return TypeFit(kind, count, tuple(sorted(others)[:_EXCEPTIONS_NAMED]), fitting[0].cell)
