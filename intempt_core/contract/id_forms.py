"""Forms of ids that give something away: placeholders, numbers that a float has changed, a spreadsheet's marks.

A placeholder is what databases, languages, browsers, spreadsheets and analytics tools write where there is no id
(CONTRACT 2.8, 7.12); who writes it is said beside it. Patterns are written in what ``re`` and RE2 have in common.
"""

import re
from functools import cache

from intempt_core.contract.fields import BLANK_CHARACTERS, INVISIBLE_CHARACTERS, Json

_ZERO_UUID = "00000000-0000-0000-0000-000000000000"

_PLACEHOLDERS: tuple[tuple[str, str], ...] = (  # who writes it, the words in ASCII lower case
    ("", "0|-1|anonymous|anon|guest|unknown|true|false|?|??|???|-|--|---|–|—|."),
    ("Databases and programs write it for no value", "null|none|nil|nan|undefined|-nan|+nan"),
    ("MySQL, PostgreSQL and Hive write it for NULL in an export", r"\n|\\n"),
    ("pgAdmin, DBeaver and JetBrains tools write it for NULL", "[null]|<null>"),
    ("Objective-C and SQL Developer write it for no value", "(null)"),
    ("Hive and Spark write it for NULL in a partition", "__hive_default_partition__"),
    (".NET writes it for a value of a database that is missing", "dbnull|system.dbnull|system.object"),
    ("Go writes it for no value", "<nil>|%!s(<nil>)|%!v(<nil>)|%!d(<nil>)|%!s(missing)"),
    ("Python writes it for no value", "nonetype|<class 'nonetype'>"),
    ("pandas writes it for no value", "<na>"),
    ("R and spreadsheets write it for no value", "na|n/a|n.a.|#n.a.|na_character_|na_integer_|na_real_"),
    ("A program writes it for a number that is none", ("-inf|+inf|infinity|-infinity|1.#qnan|-1.#ind|1.#inf|nan(ind)|"
     "-nan(ind)")),
    ("A program writes it for an empty text, list or object", "\"\"|''|``|[]|{}|()|optional.empty|set()"),
    ("PHP writes it in the place of a list or an object", "array"),
    ("A spreadsheet keeps it for an empty text", '=""'),
    ("A spreadsheet's pivot table writes it for an empty cell", "(leer)|(vide)|(en blanco)|(vazio)|(vuoto)|(leeg)"),
    ("A program put quotes around a word for no value", (""""null"|'null'|"undefined"|'undefined'|"none"|'none'|"""
     r""""nan"|'nan'|"\n"|'\n'""")),
    ("A program writes it in the place of what it hides", ("[filtered]|[redacted]|[removed]|[deleted]|[hidden]|"
     "[masked]|<redacted>|<hidden>|<masked>|(redacted)|(hidden)|***|*****|********")),
    ("Google Sheets shows it while a cell is worked out", "loading...|loading…|#getting_data"),
    ("Google Analytics writes it where it has no value", ("(not set)|(not provided)|(data not available)|"
     "(data deleted)|(entrance)|(direct)|(other)|(content targeting)|not set|not provided")),
    ("Analytics tools write it where they have no value", ("(none)|(undefined)|(unknown)|(empty)|(blank)|(missing)|"
     "(n/a)|(na)|(nan)|(nil)|<undefined>|<none>|<empty>|<blank>|<unknown>|<unset>|<not set>|[undefined]|[none]|[empty]|"
     "[blank]|[not set]|$none|∅")),
    ("Adobe Analytics writes it where it has no value", "unspecified|::unspecified::|::empty::|::emptystring::"),
    ("Matomo writes it where it has no value", "not defined|value not defined|product sku not defined"),
    ("Power BI and Tableau write it for no value", "%null%|blank()|null()"),
    ("A device that may not be tracked sends it", (f"{_ZERO_UUID}|{'0' * 32}|{{{_ZERO_UUID}}}|"
     f"{_ZERO_UUID.replace('0', 'f')}")),
    ("It says that there is none", ("not available|not applicable|not specified|notset|not_set|not-set|not_available|"
     "not_applicable|no value|no_value|no data|no_data")),
)  # fmt: skip

PLACEHOLDER_IDS: dict[str, str] = {word: who for who, words in _PLACEHOLDERS for word in words.split("|")}
"""What upstream code writes where it has no id (CONTRACT 2.8), in ASCII lower case → who writes it, as a sentence
without its end; empty where many do."""

SPREADSHEET_ERROR = (
    "[#](?:[^ #!?]{1,16}[!?]|[Nn]/[AaDdBb]!?|[Nn][Vv]|I/T|Н/Д|YOK|HIÁNYZIK|NENÍ_K_DISPOZICI)|[Ee]rr:[0-9]{3}|#{3,}"
)
"""The expression of an error that a spreadsheet shows: ``#REF!``, ``#N/A``, ``#NV``, ``Err:502``, ``####``."""

_PLACEHOLDER_PATTERNS: tuple[tuple[str, str], ...] = (  # who writes it, an expression of the whole id
    ("A spreadsheet writes it where a formula fails", SPREADSHEET_ERROR),
    (
        "JavaScript writes it in the place of an object",
        (
            r"\[object [A-Za-z]+\]|\[(?:Object|Array|Function|Circular)(?:[: ][^\[\]]*)?\]"
            r"|%5[Bb]object(?:%20|\+)[A-Za-z]+%5[Dd]"
        ),
    ),
    (
        "A program writes it in the place of an object",
        (
            r"<[^<>]* (?:object|at) [^<>]*0x[0-9A-Fa-f]+>|#<[A-Za-z:]+(?::0x[0-9A-Fa-f]+)?>"
            r"|(?:HASH|ARRAY|SCALAR|CODE|REF)\(0x[0-9a-f]+\)|java\.[A-Za-z.]+@[0-9a-f]+|System\.[A-Za-z]+\[\]"
        ),
    ),
    (
        "A template writes it where its variable was not filled in",
        (
            r"\{\{[^{}]*\}\}|[$#]\{[^{}]*\}|<%[^<>]*%>|%%[^%]+%%|\*\|[^|]+\|\*|%\{[^{}]*\}|<\?[^<>]*\?>"
            r"|[$]\([^()]*\)|\[\[[^\[\]]+\]\]"
        ),
    ),
)

_ANY_PLACEHOLDER = "|".join(pattern for _, pattern in _PLACEHOLDER_PATTERNS)

PLACEHOLDER_PATTERN = f"^(?:{_ANY_PLACEHOLDER})$"
"""The expression of placeholders that are no fixed word; it is asked of the text without white space around it."""

PLACEHOLDER_MARKS = "[%<#{$*(:@"
"""Characters of which every text has one that :data:`PLACEHOLDER_PATTERN` fits."""

PLACEHOLDER_STARTS = "[%<#HASCRjS{$*eE"
"""Characters with one of which every text begins that :data:`PLACEHOLDER_PATTERN` fits."""

_MONTHS = "Jan|Feb|Mar|Mrz|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez"
_SHORT_DATE = f"[0-9]{{1,2}}(?:-|[.] )(?:{_MONTHS})"  # what a spreadsheet makes of 1-2 and of MARCH1
_WRAPPED = (  # b'17850', Some(17850), Optional("17850"), np.int64(17850), 1487580005268456287n
    r"b'[^']+'|b\"[^\"]+\"|u'[^']+'|(?:Some|Just|Optional|ObjectId|UUID|Decimal|NumberLong|NumberInt|np[.][a-z]+[0-9]*)"
    r"[(\[][^()\[\]]+[)\]]|[0-9]{16,}[nL]"
)

_GROUPED_FRACTION = (  # 17,850.00 and 17.850,00: a number for people, to the cent
    "[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+[.]0+|(?:[.][0-9]{3})+,0+|(?:['\u2019][0-9]{3})+[.,]0+"
    "|(?:[ \u00a0\u202f][0-9]{3})+[.,]0+)"
)

_SPREADSHEET_TEXT = r"""=[ ]?(?:[Tt]\()?"{1,2}([^"'= ][^"]*)"{1,2}\)?|'([^'= ]*[0-9][^'= ]*)"""

FLOAT_OF_WHOLE_PATTERN = (
    r"^(-?(?:0|[1-9][0-9]{0,14}|[1-8][0-9]{15}|900[0-6][0-9]{12}))(?:[.](?:0{1,2}|0{4,})?|,0{1,2})$"
)
"""The expression of a whole number that was written as a float (``17850.0``, ``17850,00``), where it can mean no other
one: below 2**53, from where a float drops digits, and without the three zeros of parted thousands (``17.000``)."""

ID_PATTERNS: dict[str, str] = {
    # 1.84E+18, 1,48e18, 1.0E7, 1.E+07, 148.76E+16, 1.48D+18, 1.48×10^18; a sheet keeps 15 digits: 148758000526845000000
    "id_damaged": (
        r"^(?:-?[0-9]{1,3}(?:[.,][0-9]*)?[eE]\+[0-9]{1,4}|-?[0-9]{1,3}[.,][0-9]+[eEdD]\+?[0-9]{1,3}"
        r"|-?[0-9]+(?:[.,][0-9]+)? ?[*×x·] ?10\^[0-9]{1,3}|[1-9][0-9]{14}00000+"
        f"|{_GROUPED_FRACTION}|{_SHORT_DATE}|{_WRAPPED})$"
    ),
    # ="00123", =T("00123"), '0045
    "id_spreadsheet_text": f"^(?:{_SPREADSHEET_TEXT})$",
    # Several ids in one: p1|p2, p1;p2, [1, 2]. A comma alone may belong to one id.
    "product_list": (
        r"^[A-Za-z0-9_.:#/-]+(?: ?\| ?[A-Za-z0-9_.:#/-]+)+$|^[A-Za-z0-9_.:#/-]+(?:; ?[A-Za-z0-9_.:#/-]+)+$"
        r"|^[A-Za-z0-9_.:#/-]+(?:, ?[A-Za-z0-9_.:#/-]+){2,}$|^[A-Za-z0-9_.:#/-]+, [A-Za-z0-9_.:#/-]+$"
        r"|^[A-Za-z_][A-Za-z0-9_.:#/-]*,[A-Za-z_][A-Za-z0-9_.:#/-]*$|^\[.+,.+\]$|^\[[\"'0-9{ ].*\]$"
    ),
    "id_white_space": (
        f"^[{re.escape(BLANK_CHARACTERS)}]|[{re.escape(INVISIBLE_CHARACTERS)}]|[{re.escape(BLANK_CHARACTERS)}]$"
    ),
}
"""Warnings about one id that a pattern finds: code → expression, searched."""

NUMBER_STARTS = "-0123456789"
"""Characters with one of which every damaged id begins that no program has wrapped."""

WRAPPER_STARTS, WRAPPER_MARKS = "buSJOUDNn", "'\"(["
"""Of ids that a program has wrapped and that begin with no digit: characters with one of which each begins, and of
which each has one."""

PRODUCT_LIST_MARKS = "|;,["
"""Characters of which every list of products has one."""

COMPILED_ID_PATTERNS = {code: re.compile(pattern.replace("$", r"\Z")) for code, pattern in ID_PATTERNS.items()}

_COMPILED_FLOAT_OF_WHOLE = re.compile(FLOAT_OF_WHOLE_PATTERN.replace("$", r"\Z"))

_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

_compile = cache(re.compile)


def is_placeholder(text: str) -> bool:
    """Whether an id is a placeholder (CONTRACT 2.8). Such an id links no events."""
    core = text.strip(BLANK_CHARACTERS)
    if core.translate(_ASCII_LOWER) in PLACEHOLDER_IDS:
        return True
    return core[:1] in PLACEHOLDER_STARTS and _compile(_ANY_PLACEHOLDER).fullmatch(core) is not None


def describe_placeholder(text: str) -> str:
    """Who writes a placeholder, as a sentence; empty where many do."""
    core = text.strip(BLANK_CHARACTERS)
    who = PLACEHOLDER_IDS.get(core.translate(_ASCII_LOWER))
    if who is None:
        found = (name for name, pattern in _PLACEHOLDER_PATTERNS if _compile(pattern).fullmatch(core))
        who = next(found, "")
    return f"{who}." if who else ""


def build_damage_hint(value: Json) -> str:
    """Say what happened to an id that a spreadsheet or a program has rewritten, and what to do; empty for a number."""
    text = value if isinstance(value, str) else ""
    if _compile(_SHORT_DATE).fullmatch(text):
        return "It is a date, as a spreadsheet makes one of an id such as 1-2: re-export the column as text."
    if _compile(_WRAPPED).fullmatch(text):
        return "A program wrote its own notation around the id: write only what is inside of it."
    return ""


def unwrap_spreadsheet_text(text: str) -> str:
    """The id that a spreadsheet's text stands for: ``00123`` of ``="00123"``; any other text as it is."""
    match = COMPILED_ID_PATTERNS["id_spreadsheet_text"].match(text)
    return text if match is None else match[1] or match[2]


def drop_zero_fraction(text: str) -> str:
    """The whole number that a float's text can only stand for: ``17850`` of ``17850.0``; any other text as it is."""
    match = _COMPILED_FLOAT_OF_WHOLE.match(text)
    return text if match is None else match[1]
