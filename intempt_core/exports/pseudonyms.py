"""Pseudonyms: each identity gets another name, always the same, so that a case can be shared without identities.

What may be kept is listed, not what is to be replaced: the values of product keys, the contract's own fields, and plain
words (``plain_words.py``). Everything else in a text or a body is replaced, whatever it is.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from intempt_core.contract import BLANK_CHARACTERS, INVISIBLE_CHARACTERS, Json, id_to_text, is_blank, is_placeholder
from intempt_core.exports.escapes import fold_case, iterate_escapes
from intempt_core.exports.person_patterns import (
    EMAIL,
    IP_ADDRESS,
    LOOSE_PHONE,
    MOMENT,
    PHONE,
    QUERY_PAIR,
    STREET,
    UUID,
    find_person,
    is_ip_address,
    iterate_readings,
    make_letters_plain,
)
from intempt_core.exports.personal_values import PersonalValue, iterate_personal_values, iterate_product_ids
from intempt_core.exports.plain_words import PERSON_KEYS, is_plain_word, normalize_key

MAX_KEPT_CHARACTERS = 1_000
"""Characters of a product's value that is kept; no product has a longer one, and a longer one is replaced whole."""

_MIN_LENGTH = 4  # a shorter value is part of other words by chance, and is replaced only where it is a whole word
_MIN_DIGITS = 5  # of a number that is known wherever it stands
_PLAIN_NUMBER = re.compile(r"[0-9]{1,2}|[1-5][0-9]{2}|20[1-4][0-9]|0+")  # in a sentence: a count, a status, a year
_MAX_NAME_WORDS = 4
_MAX_KNOWN_CHARACTERS = 200
_SAME_LENGTH_TRIES = 200

_UNSEEN = "".join(char for char in INVISIBLE_CHARACTERS if char > "\x7f") + "\u200c\u200d"
_WORD = re.compile(rf"(?:[^\W_]|[\u0300-\u036f{re.escape(_UNSEEN)}])+")
_LETTER_ESCAPE = re.compile(
    r"(?:%[0-9a-f]{2})+|&\#(?:[0-9]{1,7}|x[0-9a-f]{1,6});|\\+u\{[0-9a-f]{1,6}\}|\\+u[0-9a-f]{4}|\\+x[0-9a-f]{2}",
    re.IGNORECASE,
)
_SENTENCE_START = re.compile(r"(?:^|[.!?:;\"'>{\[(\n]\s*)\Z")
_BETWEEN_NAMES = re.compile(r"[ .\u00a0-]{1,2}")
_PLAIN_PHRASE = re.compile(r"(?<!\w)(?:may|will)(?= (?:have|be|not)(?!\w))")  # these are names, too
_MADE_ID = re.compile(r"(?=.*[0-9])(?:[0-9a-f]{12,}|[0-9A-Z]{26})")


class Pseudonymizer:
    """Replaces persons in the texts around some events by pseudonyms. Without the ``salt`` none can be traced back.

    Placeholders are kept (CONTRACT 2.8): they identify no person, and are often what is wrong. So are white space
    around an id and invisible characters in it. A number becomes one of as many digits.

    Args:
        salt: The secret of the pseudonyms.
        documents: What the persons are taken from: events, or bodies of requests.
        kept_keys: Keys whose values are kept as they are.
        kept_texts: Texts that are kept wherever they are, such as the target's host.
    """

    def __init__(
        self,
        salt: bytes,
        documents: Iterable[Json],
        kept_keys: Iterable[str] = (),
        kept_texts: Iterable[str] = (),
    ) -> None:
        self._salt = salt
        self._digits: dict[str, str] = {}
        self._digits_used: set[str] = set()
        self._names: dict[str, str] = {}
        self._words: dict[str, str] = {}  # words and short identities: replaced where they are a whole word
        self._forms: dict[str, str | None] = {}  # every escaped form, case folded, and what replaces it; None: nothing
        self._bounded: set[str] = set()  # the forms that are replaced only where no word goes on
        kept_keys = frozenset(kept_keys)
        documents = list(documents)
        values = [value for document in documents for value in iterate_personal_values(document, kept_keys)]
        for value in values:
            if value.is_identity:
                self._add_identity(value)
        for text in list(self._names):
            self._add_parts(text)
        for value in values:
            if not value.is_identity:
                self._add_description(value)
        self._index_forms()
        products = (text for document in documents for text in iterate_product_ids(document))
        for text in dict.fromkeys((*kept_texts, *products)):
            if self._is_kept_text(text):
                self._forms.setdefault(fold_case(text), None)
                self._bounded.add(fold_case(text))
        self._index_forms()

    # ── who is known ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _add_identity(self, value: PersonalValue) -> None:
        text = id_to_text(value.value)
        if text is None or is_blank(text) or is_placeholder(text):
            return
        for whole in (text, text.strip(BLANK_CHARACTERS)):
            if whole not in self._names:
                self._names[whole] = name = self._make_identity(whole)
                if len(whole) >= _MIN_LENGTH:
                    for form, other in iterate_escapes(whole, name):
                        self._forms.setdefault(fold_case(form), other)
                else:
                    self._words.setdefault(fold_case(whole), name)

    def _add_description(self, value: PersonalValue) -> None:
        """A value that describes a person: known as a whole, and by the words of a name."""
        text = id_to_text(value.value)
        if text is None or is_blank(text) or is_placeholder(text) or len(text) > _MAX_KNOWN_CHARACTERS:
            return
        text = text.strip(BLANK_CHARACTERS)
        is_phone = PHONE.fullmatch(text) is not None or LOOSE_PHONE.fullmatch(text) is not None
        if is_phone and (digits := "".join(char for char in text if char.isdecimal())) != text:
            self._add_bounded(digits, self._make_digits(digits))
        is_known = not _is_plain(text) and not _is_number(text)
        if is_phone or _is_long_number(text) or (len(text) >= _MIN_LENGTH and is_known):
            self._add_bounded(text, self.replace_whole(text))
        self._add_parts(text)

    def _add_parts(self, text: str) -> None:
        """The local part of an e-mail address, and the words of a name."""
        if found := EMAIL.fullmatch(text.strip(BLANK_CHARACTERS)):
            local = found[0].partition("@")[0]
            if len(local) >= _MIN_LENGTH and not _is_plain(local):
                self._add_bounded(local, self.replace_whole(local))
            text = local
        words = _WORD.findall(text)
        if len(words) <= _MAX_NAME_WORDS:
            for word in words:
                if len(word) >= _MIN_LENGTH and word.isalpha() and not is_plain_word(word):
                    self._words.setdefault(fold_case(word), self._make_word(word))

    def _add_bounded(self, text: str, name: str) -> None:
        folded = fold_case(text)
        if folded not in self._forms:
            self._forms[folded] = name
            self._bounded.add(folded)

    def _is_kept_text(self, text: str) -> bool:
        has_digit_or_dot = any(char.isdecimal() or char == "." for char in text)
        return len(text) >= _MIN_LENGTH and has_digit_or_dot and self.replace_persons(text) == text

    def _index_forms(self) -> None:
        lengths: dict[str, set[int]] = {}
        for folded in self._forms:
            lengths.setdefault(folded[:_MIN_LENGTH], set()).add(len(folded))
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}

    # ── pseudonyms ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _digest(self, text: str) -> str:
        return hmac.new(self._salt, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def _make_identity(self, text: str) -> str:
        core = text.strip(BLANK_CHARACTERS)
        at = text.index(core)
        unseen = "".join(char for char in core if char in INVISIBLE_CHARACTERS)
        plain = "".join(char for char in core if char not in INVISIBLE_CHARACTERS)
        name = self.replace_number(plain) if _is_number(plain) else f"person-{self._digest(plain)[:10]}"
        return f"{text[:at]}{name}{unseen}{text[at + len(core) :]}"

    def _make_word(self, word: str) -> str:
        return f"w{self._digest(word.casefold())[:10]}"

    def _make_digits(self, text: str) -> str:
        """Other digits in the place of those of a text; zeros at both ends stay, so that what is wrong stays wrong."""
        digits = "".join(char for char in text if char.isdecimal())
        made = self._digits.get(digits)
        if made is None:
            made = self._digits[digits] = self._find_free_digits(digits)
            self._digits_used.add(made)
        rest = iter(made)
        whole = "".join(next(rest) if char.isdecimal() else char for char in text)
        return whole + "".join(rest)

    def _find_free_digits(self, digits: str) -> str:
        """Digits that stand for no others: as many, or more where all of that length are taken."""
        plain = "".join(str(unicodedata.decimal(char)) for char in digits)
        middle = plain.strip("0")
        head = plain[: len(plain) - len(plain.lstrip("0"))] if middle else plain
        tail = plain[len(head) + len(middle) :]
        for tries in range(_SAME_LENGTH_TRIES * 4):
            length = max(len(middle), 1) + tries // _SAME_LENGTH_TRIES
            number = int(self._digest(f"{tries} {digits}"), 16)
            drawn = "".join(str(number // 10**place % 10) for place in range(length))
            drawn = str(number % 9 + 1) + drawn[1:-1] + (str(number // 11 % 9 + 1) if length > 1 else "")
            made = head + drawn + tail if middle else plain
            if not middle or (made not in self._digits_used and made != plain):
                return made
        return f"{head}{int(self._digest(digits), 16)}{tail}"

    # ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def replace_in_text(self, text: str) -> str:
        """Replace everything in a text but plain words and short numbers; what is known in every escaped form.

        In one pass, the longest first, so that no pseudonym is changed again.
        """
        if text in self._names:
            return self._names[text]
        return text if is_placeholder(text) else self._replace_known(text, self._replace_words)

    def replace_persons(self, text: str) -> str:
        """Replace only the persons in a text that may be kept, such as a product's name."""
        if text in self._names:
            return self._names[text]
        if len(text) > MAX_KEPT_CHARACTERS or STREET.search(text):
            return self.replace_whole(text)
        replaced = self._replace_known(text, self._replace_forms)
        hidden = any(self._names_person(reading) for reading in iterate_readings(replaced))
        return self.replace_whole(text) if hidden else replaced

    def replace_in_event_id(self, text: str) -> str:
        """Replace what may name a person in an event's id; an id that a machine made is kept."""
        if text in self._names:
            return self._names[text]
        replaced = self._replace_known(text, self._replace_id_words)
        hidden = any(self._names_person(reading) for reading in iterate_readings(replaced))
        return self.replace_whole(text) if hidden else replaced

    def replace_identity(self, text: str) -> str:
        """Replace an identity; a blank one and a placeholder are kept."""
        if is_blank(text) or is_placeholder(text):
            return text
        return self._names.get(text) or self._make_identity(text)

    def replace_whole(self, text: str) -> str:
        """Replace a text as a whole; a blank one and a placeholder are kept, a number becomes another number."""
        core = text.strip(BLANK_CHARACTERS)
        if not core or is_placeholder(text):
            return text
        if (known := self._names.get(text, self._names.get(core))) is not None:
            return known
        folded = fold_case(core)
        if known := self._forms.get(folded, self._words.get(folded)):
            return known
        if _is_number(core):
            return self.replace_number(core)
        if PHONE.fullmatch(core):
            return self._make_digits(core)
        return self._make_person(core) if EMAIL.fullmatch(core) else f"value-{self._digest(core)[:10]}"

    def replace_number(self, text: str) -> str:
        """Replace a number, as it is written, by one of as many digits; its sign, point and exponent stay."""
        if (known := self._names.get(text)) is not None and _is_number(known):
            return known
        end = re.search(r"[eE]|\Z", text)
        at = end.start() if end else len(text)
        return self._make_digits(text[:at]) + text[at:]

    def draw_number(self, text: str, low: int, high: int) -> int:
        """Draw a number from ``low`` to below ``high``, always the same for the same text."""
        return low + int(self._digest(text), 16) % (high - low)

    def knows_number(self, text: str) -> bool:
        """Whether a number, as it is written, is a person's."""
        return text in self._names or fold_case(text) in self._forms or fold_case(text) in self._words

    def _make_person(self, text: str) -> str:
        return f"person-{self._digest(fold_case(text))[:10]}"

    def _names_person(self, text: str) -> bool:
        if find_person(text):
            return True
        folded = fold_case(text)
        for at in range(len(folded) - _MIN_LENGTH + 1):
            end = self._find_end(folded, at)
            if end is not None and self._forms[folded[at:end]] is not None:
                return True
        return any(fold_case(word) in self._words for word in _WORD.findall(text))

    def _replace_known(self, text: str, replace_gap: Callable[[str], str]) -> str:
        """Replace what is known in a text, and what is between it by a function."""
        folded = fold_case(text)
        parts: list[str] = []
        done = at = 0
        while at <= len(text) - _MIN_LENGTH:
            end = self._find_end(folded, at)
            if end is None:
                at += 1
                continue
            found = text[at:end]
            name = self._names.get(found, self._forms[folded[at:end]])
            parts += replace_gap(text[done:at]), found if name is None else name
            done = at = end
        return "".join(parts) + replace_gap(text[done:])

    def _find_end(self, folded: str, at: int) -> int | None:
        """The end of the longest known form that begins here."""
        for length in self._lengths.get(folded[at : at + _MIN_LENGTH], ()):
            end = at + length
            form = folded[at:end]
            if form in self._forms and (form not in self._bounded or _is_apart(folded, at, end)):
                return end
        return None

    def _replace_words(self, gap: str) -> str:
        """A part of a sentence: what is no plain word and no short number is replaced."""
        gap = make_letters_plain(_LETTER_ESCAPE.sub(_resolve_letters, gap))
        return _replace_matches(gap, self._replace_forms_loosely, replace_rest=self._replace_each_word)

    def _replace_id_words(self, gap: str) -> str:
        """A part of an event's id: what a machine made is kept."""
        gap = make_letters_plain(_LETTER_ESCAPE.sub(_resolve_letters, gap))

        def replace_rest(rest: str) -> str:
            return self._replace_each_word(rest, keeps=_is_made_id)

        return _replace_matches(gap, lambda text: self._find_forms(text, keeps_uuid=True), replace_rest=replace_rest)

    def _replace_forms(self, gap: str) -> str:
        """A part of a value that is kept: what is a person's by its form, or by the name before it, is replaced."""

        def replace_rest(rest: str) -> str:
            rest = QUERY_PAIR.sub(self._replace_query_pair, rest)
            return _WORD.sub(lambda word: self._words.get(fold_case(word[0]), word[0]), rest)

        return _replace_matches(gap, lambda text: self._find_forms(text, keeps_uuid=True), replace_rest=replace_rest)

    def _replace_query_pair(self, pair: "re.Match[str]") -> str:
        is_personal = normalize_key(pair["name"]) in PERSON_KEYS
        return f"{pair['name']}={self.replace_whole(pair['value'])}" if is_personal else pair[0]

    def _replace_forms_loosely(self, text: str) -> Iterator[tuple[int, int, str]]:
        for found in MOMENT.finditer(text):
            yield found.start(), found.end(), found[0]
        yield from self._find_forms(text, keeps_uuid=False)
        for found in LOOSE_PHONE.finditer(text):
            yield found.start(), found.end(), self._make_digits(found[0])

    def _find_forms(self, text: str, *, keeps_uuid: bool) -> Iterator[tuple[int, int, str]]:
        """What is a person's by its form, from where to where, and what replaces it; earlier ones count first."""
        for found in EMAIL.finditer(text):
            yield found.start(), found.end(), self._make_person(found[0])
        for found in UUID.finditer(text):
            yield found.start(), found.end(), found[0] if keeps_uuid else f"value-{self._digest(found[0].lower())[:10]}"
        for found in STREET.finditer(text):
            yield found.start(), found.end(), f"value-{self._digest(fold_case(found[0]))[:10]}"
        for found in IP_ADDRESS.finditer(text):
            if is_ip_address(found[0]):
                yield found.start(), found.end(), f"ip-{self._digest(found[0].lower())[:10]}"
        for found in PHONE.finditer(text):
            yield found.start(), found.end(), self._make_digits(found[0])

    def _replace_each_word(self, text: str, keeps: Callable[[str], bool] = lambda _: False) -> str:
        words = list(_WORD.finditer(text))
        plain = {found.start() for found in _PLAIN_PHRASE.finditer(text)}
        replaced = [word[0] if word.start() in plain else self._replace_word(word[0], keeps) for word in words]
        for index in range(len(words)):  # "Katie Price": a word that is plain is part of a name beside another part
            word = words[index][0]
            if replaced[index] == word and word[:1].isupper() and word.isalpha():
                after = index > 0 and self._is_name_beside(text, words, replaced, index - 1)
                before = index + 1 < len(words) and self._is_name_beside(text, words, replaced, index)
                if after or (before and not _SENTENCE_START.search(text, 0, words[index].start())):
                    replaced[index] = self._make_word(word)
        parts: list[str] = []
        done = 0
        for found, name in zip(words, replaced, strict=True):
            parts += text[done : found.start()], name
            done = found.end()
        return "".join(parts) + text[done:]

    def _is_name_beside(self, text: str, words: "list[re.Match[str]]", replaced: list[str], index: int) -> bool:
        """Whether a word and the next one are parts of one name, of which one was replaced."""
        first, second = words[index], words[index + 1]
        if not _BETWEEN_NAMES.fullmatch(text[first.end() : second.start()]):
            return False
        return any(
            word[0][:1].isupper() and word[0].isalpha() and replaced[at] != word[0]
            for at, word in ((index, first), (index + 1, second))
        )

    def _replace_word(self, word: str, keeps: Callable[[str], bool]) -> str:
        plain = "".join(char for char in word if char not in _UNSEEN)
        if (known := self._words.get(fold_case(word))) is not None and not is_plain_word(plain):
            return known
        if plain.isdecimal():
            return word if _PLAIN_NUMBER.fullmatch(plain) else self._make_digits(word)
        if len(plain) <= 1 or keeps(plain):
            return word
        if is_plain_word(plain):
            return word if plain == word else plain
        return self._make_word(plain)


def _replace_matches(
    text: str,
    find: Callable[[str], Iterator[tuple[int, int, str]]],
    *,
    replace_rest: Callable[[str], str],
) -> str:
    """Replace what was found in a text, the first found of two that overlap, and the rest by a function."""
    taken: list[tuple[int, int, str]] = []
    for start, end, name in find(text):
        if all(end <= other[0] or start >= other[1] for other in taken):
            taken.append((start, end, name))
    parts: list[str] = []
    done = 0
    for start, end, name in sorted(taken):
        parts += replace_rest(text[done:start]), name
        done = end
    return "".join(parts) + replace_rest(text[done:])


def _resolve_letters(escape: "re.Match[str]") -> str:
    """What an escape stands for where that is a letter or a digit, or has one; itself otherwise."""
    for reading in iterate_readings(escape[0]):
        is_shorter = len(reading) < len(escape[0]) and not _LETTER_ESCAPE.search(reading)
        if is_shorter and any(char.isalnum() or char in "@.+-_" for char in reading):
            return reading
    return escape[0]


def _is_made_id(word: str) -> bool:
    """Whether a machine made an id: digits and letters in which no text is written."""
    return _MADE_ID.fullmatch(word) is not None and next(iterate_readings(word), None) is None


def _is_apart(text: str, at: int, end: int) -> bool:
    """Whether no word goes on before or behind a part of a text."""
    before, first = text[at - 1 : at], text[at : at + 1]
    last, behind = text[end - 1 : end], text[end : end + 1]
    return not (before.isalnum() and first.isalnum()) and not (last.isalnum() and behind.isalnum())


def _is_number(text: str) -> bool:
    """Whether a text is a number and nothing else: digits, or as a spreadsheet writes them."""
    return re.fullmatch(r"-?[0-9]+(?:[.,][0-9]+)?(?:[eE]\+?[0-9]{1,3})?", text) is not None


def _is_long_number(text: str) -> bool:
    return _is_number(text) and sum(char.isdecimal() for char in text) >= _MIN_DIGITS


def _is_plain(text: str) -> bool:
    return all(len(word) == 1 or word.isdecimal() or is_plain_word(word) for word in _WORD.findall(text))
