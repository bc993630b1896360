"""What is a person's by its form: e-mails, phone numbers, addresses of streets and of the internet, however written.

A text is also read in every other way in which somebody may have written it: with escapes resolved, base64 and
hexadecimal decoded, full-width letters made plain.
"""

import base64
import binascii
import html
import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_plus

from intempt_core.contract import INVISIBLE_CHARACTERS

MAX_READINGS = 64
"""Ways of reading one text that are tried; texts that are encoded more often do not occur."""

_HYPHENS = "\u2010-\u2015"
_GAP = rf"[\s\u00a0().\-/{_HYPHENS}]"
_DIGIT = r"[0-9]"
_LOCAL = r"[^\s@<>\"'“”(),:;\[\]{}\\/=&?#%|*]{1,64}"
_HOST = r"(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_]{2,24}"

_STREETS_BEFORE = (
    r"(?:rue|avenue|via|viale|calle|plaza|piazza|ulica|ul\.|ulitsa|ул\.?|улица|rua|strada|chemin|passeig|corso"
    r"|boulevard)"
)
_STREETS_AFTER = (
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|square|sq|terrace|parkway|pkwy"
    r"|highway|hwy)"
)
_STREET_ENDS = r"(?:stra(?:ß|ss)e|str\.?|weg|allee|platz|gasse|ring|damm|ufer|straat|laan|plein|gatan|vej|veien|gade)"

EMAIL = re.compile(
    rf"{_LOCAL}(?:@|\s*[\[({{]\s*at\s*[\])}}]\s*){_HOST}"
    rf"|{_LOCAL}@[^\W\d_][\w-]{{1,62}}"
    rf"|{_LOCAL}@\[?[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}\]?",
    re.IGNORECASE,
)
"""An e-mail address, also one of a name that is not ASCII."""

PHONE = re.compile(
    rf"(?<!{_DIGIT})(?:"
    rf"\+{_GAP}?[1-9](?:{_GAP}{{0,3}}{_DIGIT}){{6,13}}"  # +49 (0)151 2345-6789
    rf"|(?<![A-Za-z])(?:"
    rf"00[1-9](?:{_GAP}{{0,3}}{_DIGIT}){{7,13}}"  # 0049 151 23456789
    rf"|\(0?{_DIGIT}{{1,5}}\)(?:{_GAP}{{0,3}}{_DIGIT}){{5,10}}"  # (030) 123456
    rf"|0[1-9]{_DIGIT}{{0,4}}{_GAP}{{1,3}}{_DIGIT}(?:{_GAP}?{_DIGIT}){{4,10}}"  # 030 1234567
    rf"|0[1-9]{_DIGIT}{{8,9}}"  # 01512345678
    rf"|{_DIGIT}{{3}}{_GAP}{_DIGIT}{{3}}{_GAP}{_DIGIT}{{4}}"  # 555-123-4567
    rf"))(?!{_DIGIT})"
)
"""A phone number as people write it: international, with an area code, with gaps."""

LOOSE_PHONE = re.compile(rf"(?<!{_DIGIT})\+?\(?{_DIGIT}(?:{_GAP}{{0,3}}{_DIGIT}){{6,}}(?!{_DIGIT})")
"""Seven digits and more, whatever is between them: in a sentence that is a phone number, an id or an amount."""

STREET = re.compile(
    rf"[^\W\d_][\w.'’-]{{0,40}}{_STREET_ENDS}\s{{0,3}}{_DIGIT}{{1,4}}\s?[a-z]?(?!\w)"
    rf"|[^\W\d_][\w.'’-]{{1,40}}\s{_STREET_ENDS}\s{{1,3}}{_DIGIT}{{1,4}}\s?[a-z]?(?!\w)"
    rf"|(?<!\w){_DIGIT}{{1,5}}[a-z]?,?\s(?:[^\W\d_][\w.'’-]{{0,30}}\s){{1,4}}{_STREETS_AFTER}(?!\w)"
    rf"|(?<!\w)(?:{_DIGIT}{{1,5}}[a-z]?,?\s)?{_STREETS_BEFORE}\s(?:[^\W\d_][\w.'’-]{{0,30}}[\s,]{{1,2}}){{1,4}}{_DIGIT}{{1,5}}"
    rf"|(?<!\w){_DIGIT}{{1,5}}[a-z]?,?\s{_STREETS_BEFORE}\s[^\W\d_][\w.'’-]{{0,30}}",
    re.IGNORECASE,
)
"""A street with the number of a house, as some countries write it."""

IP_ADDRESS = re.compile(
    r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.]*[0-9])"
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:|:){2,7}(?:[0-9a-f]{1,4}|:)?(?:(?<=:)(?:[0-9]{1,3}\.){3}[0-9]{1,3})?(?![\w:])"
    r"|(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])",
    re.IGNORECASE,
)
"""What may be an address of the internet or of a network card; :func:`is_ip_address` says whether it is."""

UUID = re.compile(r"(?<!\w)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w)", re.IGNORECASE)

MOMENT = re.compile(
    r"(?<![\w.-])20[1-9][0-9]-[01][0-9]-[0-3][0-9](?:[T ][0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:\s?Z|\s?UTC|\s?[+-][0-2][0-9]:?[0-9]{2})?)?(?![\w-])"
)
"""A day, or a time of a day, from 2010 on (CONTRACT 2.7)."""

QUERY_PAIR = re.compile(r"(?P<name>[\w.\-\[\]]{1,40})=(?P<value>[^\s&#;\"'<>]+)")
"""A name and its value, as in a query string."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[\s:]?){4,}")
_PIECES = re.compile(r"[-_/+]")
_ESCAPE = re.compile(r"\\+u\{([0-9a-fA-F]{1,6})\}|\\+u([0-9a-fA-F]{4})|\\+x([0-9a-fA-F]{2})|=([0-9A-F]{2})")
_INVISIBLE = str.maketrans(dict.fromkeys(INVISIBLE_CHARACTERS))


def is_ip_address(text: str) -> bool:
    """Whether a text that looks like an address of a machine is another machine's; this machine is nobody."""
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}", text):
        return True
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def make_letters_plain(text: str) -> str:
    """Write letters, digits and signs of other widths and styles as ASCII has them; everything else stays."""
    if text.isascii():
        return text
    plain = {char: unicodedata.normalize("NFKC", char) for char in set(text) if not char.isascii()}
    return "".join(new if len(new := plain.get(char, char)) == 1 and new.isascii() else char for char in text)


def find_person(text: str) -> "re.Match[str] | None":
    """Find the first thing in a text that is a person's by its form."""
    for pattern in (EMAIL, PHONE, STREET):
        if found := pattern.search(text):
            return found
    return next((found for found in IP_ADDRESS.finditer(text) if is_ip_address(found[0])), None)


def iterate_readings(text: str) -> Iterator[str]:
    """Iterate over the other ways of reading a text: escapes resolved, decoded, letters made plain; in turn, too."""
    known, waiting = {text}, [text]
    while waiting and len(known) <= MAX_READINGS:
        for reading in _iterate_next_readings(waiting.pop(0)):
            if reading not in known and len(known) <= MAX_READINGS:
                known.add(reading)
                waiting.append(reading)
                yield reading


def _iterate_next_readings(text: str) -> Iterator[str]:
    yield unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    if "%" in text or "+" in text:
        yield unquote_plus(text)
        yield unquote_plus(text.replace("+", "%2B"))
    if "&" in text:
        yield html.unescape(text)
    if "\\" in text or "=" in text:
        yield _ESCAPE.sub(_resolve_escape, text)
        yield text.replace("\\", "")
    for run in _HEX.findall(text):
        digits = re.sub(r"[\s:]", "", run)
        for start in (0, 1):
            yield from _read_bytes(bytes.fromhex(digits[start : start + (len(digits) - start) // 2 * 2]))
    for run in _BASE64.findall(text):
        pieces = (run, *_PIECES.split(run)) if _PIECES.search(run) else (run,)
        for piece in pieces:
            yield from _decode_base64(piece)


def _decode_base64(run: str) -> Iterator[str]:
    plain = run.replace("-", "+").replace("_", "/")
    for start in range(min(4, len(plain))):
        part = plain[start:]
        part = part[: len(part) - 1] if len(part) % 4 == 1 else part
        try:
            yield from _read_bytes(base64.b64decode(part + "=" * (-len(part) % 4)))
        except (binascii.Error, ValueError):
            continue


def _read_bytes(content: bytes) -> Iterator[str]:
    """The text in bytes; none where they are no text."""
    for encoding in ("utf-8", "utf-16-le", "latin-1"):
        text = content.decode(encoding, "ignore")
        printable = sum(char.isprintable() for char in text)
        if len(text) >= len(content) // 2 >= 2 and printable == len(text) and text.isascii() | (encoding == "utf-8"):
            yield text


def _resolve_escape(found: "re.Match[str]") -> str:
    number = int(found[found.lastindex or 1], 16)
    return chr(number) if number <= 0x10FFFF else found[0]
