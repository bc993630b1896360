"""Number forms: how files write numbers for people, with thousands, a decimal comma and a currency sign.

A form is a type of a mapping (``{"data.price": "number:1.234,5"}``): what follows the colon shows its signs. A cell of
a form has one meaning: groups are of three digits (or as in India, 12,34,567), and the value is that of its digits.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache


@dataclass(frozen=True, slots=True)
class NumberForm:
    """One way of writing numbers.

    Attributes:
        group: The characters that may part thousands, as the inside of a class of a regular expression.
        decimal: The character before the fraction.
    """

    group: str
    decimal: str

    @property
    def plain_expression(self) -> str:
        """The expression of a whole cell that has digits and the form's signs only; ``re`` and RE2 read it alike."""
        group, decimal = f"[{self.group}]", re.escape(self.decimal)
        grouped = f"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|0|[1-9][0-9]*"
        return f"^-?(?:{grouped})(?:{decimal}[0-9]+)?$"


_SPACES = " \u00a0\u2009\u202f"

NUMBER_FORMS: dict[str, NumberForm] = {
    "number:1.234,5": NumberForm(".", ","),
    "number:1,234.5": NumberForm(",", "."),
    "number:1 234,5": NumberForm(_SPACES, ","),
    "number:1 234.5": NumberForm(_SPACES, "."),
    "number:1'234.5": NumberForm("'\u2019", "."),
}
"""The types of numbers with signs, each called by how it writes 1234.5."""

_CURRENCY_WORDS = (
    "EUR USD GBP CHF JPY CNY RMB SEK NOK DKK ISK PLN CZK HUF RON BGN TRY RUB UAH ILS INR AUD CAD NZD SGD HKD BRL MXN"
    " ZAR US$ A$ C$ NZ$ HK$ S$ R$ kr kr. zł Kč Ft lei лв руб. руб р. Fr. SFr. Rs Rs. TL"
)
_CURRENCY_SIGNS = "$€£¥₹₽₺₴₪₩₫฿₡₦₱₲₵₸₼₾¢"
_CURRENCY = "|".join(map(re.escape, sorted([*_CURRENCY_WORDS.split(), *_CURRENCY_SIGNS], key=len, reverse=True)))
_MINUS = "-\u2212"
_SIGNED = re.compile(
    rf"(?P<sign>[{_MINUS}+]?)[{_SPACES}]*(?:(?:{_CURRENCY})[{_SPACES}]*)?(?P<late>[{_MINUS}]?)"
    rf"(?P<digits>[0-9](?:[0-9.,'\u2019{_SPACES}]*[0-9])?)(?P<exponent>[eE][+-]?[0-9]{{1,4}})?"
    rf"(?P<after>[{_MINUS}]?)[{_SPACES}]*(?:{_CURRENCY})?"
)
_BOOKED = re.compile(r"\((.*)\)")


@cache
def _compile_digits(form: str) -> re.Pattern[str]:
    """What the digits of a form look like: whole, in groups of three, in India's groups; then a fraction."""
    signs = NUMBER_FORMS[form]
    group = f"[{signs.group}]"
    whole = (
        rf"0|[1-9][0-9]*|[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+"
        rf"|[1-9][0-9]?(?:,[0-9]{{2}})+,[0-9]{{3}}"
    )
    if signs.group != ",":
        whole = whole.rpartition("|")[0]
    return re.compile(rf"(?P<whole>{whole})(?:{re.escape(signs.decimal)}(?P<fraction>[0-9]+))?")


def normalize_number(cell: str, form: str) -> str | None:
    """Write a cell of a form as JSON writes the same number, digit for digit; ``None`` where it is not of that form."""
    text = cell.strip(_SPACES)
    booked = _BOOKED.fullmatch(text)  # (12,50) is how bookkeepers write -12,50
    match = _SIGNED.fullmatch(booked[1] if booked else text)
    if match is None:
        return None
    signs = [match["sign"].replace("+", ""), match["late"], match["after"]]
    is_negative = bool(booked or any(signs))
    if (booked is not None) + sum(map(bool, signs)) > 1 or (match["sign"] == "+" and is_negative):
        return None
    digits = _compile_digits(form).fullmatch(match["digits"])
    if digits is None:
        return None
    whole = re.sub(r"[^0-9]", "", digits["whole"])
    fraction = f".{digits['fraction']}" if digits["fraction"] else ""
    return f"{'-' if is_negative else ''}{whole}{fraction}{match['exponent'] or ''}"


_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def detect_number_form(cells: Iterable[str]) -> str | None:
    """Find the type of a column of numbers: ``number``, one of :data:`NUMBER_FORMS`, or ``None``.

    Every cell that is not empty is of that form, and means the same in each form that all cells are of: a column of
    ``1.299`` alone may be thousands or a fraction, so that only a person can tell.
    """
    given = [text for text in dict.fromkeys(cell.strip(_SPACES) for cell in cells) if text]
    found: dict[str, list[Decimal]] = {}
    for form in ("number", *NUMBER_FORMS) if given else ():
        values: list[Decimal] = []
        for cell in given:
            text = normalize_number(cell, form) if form != "number" else cell if _PLAIN.fullmatch(cell) else None
            if text is None:
                break
            values.append(Decimal(text))
        else:
            found[form] = values
    meanings = list(found.values())
    return next(iter(found)) if meanings and all(values == meanings[0] for values in meanings) else None
