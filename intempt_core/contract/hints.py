"""Hints: advice that only one case can give, such as the event name that was probably meant."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from intempt_core.contract.fields import IDENTITY_FIELDS, EventName, Json
from intempt_core.contract.invisible import spell_invisible

_NAME_SYNONYMS = {  # other words for the very same event, as letters and digits
    EventName.VIEWED: "productview viewproduct viewedproduct itemviewed viewitem vieweditem productdetailviewed",
    EventName.ADDED: (
        "addtocart addedtobasket addtobasket addedtobag addtobag productadded productaddedtocart addproducttocart"
        " itemaddedtocart additemtocart"
    ),
    EventName.REMOVED: (
        "removefromcart removedfrombasket removefrombasket removedfrombag removefrombag productremoved"
        " productremovedfromcart removeproductfromcart itemremovedfromcart removeitemfromcart deletedfromcart"
        " deletefromcart"
    ),
    EventName.ORDERED: "orderedproduct productpurchased purchasedproduct productbought itemordered itempurchased",
}


def _fold_name(text: str) -> str:
    """The letters and digits of a name: ``product_viewed`` and ``Product Viewed`` are the same."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text[:200]).casefold()))


_FOLDED_NAMES = {_fold_name(name): name.value for name in EventName}
_MEANT_NAMES = _FOLDED_NAMES | {word: name.value for name, words in _NAME_SYNONYMS.items() for word in words.split()}


def build_name_hint(value: Json) -> str:
    """Say which event name was meant, or perhaps meant, as a sentence; empty where it is near none."""
    if not isinstance(value, str):
        return ""
    if meant := find_meant_name(value):
        return f"Write “{meant}”, exactly so."
    folded = _fold_name(value)
    near = next(
        (name for known, name in _FOLDED_NAMES.items() if folded.isalpha() and _is_one_slip_away(folded, known)), ""
    )
    return f"It is one letter away from “{near}”: write that, if it is what happened." if near else ""


def find_meant_name(text: str) -> str:
    """Find the event name that a text surely means; empty where only a person can tell.

    It differs from the name in case, spaces and punctuation, or is a known synonym of it. *Product Reviewed* is another
    event, however few letters it has more.
    """
    return _MEANT_NAMES.get(_fold_name(text), "")


def suggest_nearest(given: str, known: Iterable[str], default: str = "") -> str:
    """A sentence on which known text was probably meant; else ``default``, or a list of all that are known."""
    folded = {text.casefold(): text for text in known}
    near = get_close_matches(given.casefold()[:60], folded, n=1)
    if near:
        return f"Did you mean “{spell_invisible(folded[near[0]])}”?"
    return default or f"It takes {', '.join(f'“{text}”' for text in folded.values()) or 'none'}."


def _is_one_slip_away(text: str, name: str) -> bool:
    """Whether a text is a name with one letter too many, missing or wrong, or with two neighbours exchanged."""
    if text == name or abs(len(text) - len(name)) > 1:
        return False
    start = next((at for at, (one, other) in enumerate(zip(text, name, strict=False)) if one != other), None)
    if start is None:
        return True  # the last letter is missing or too many
    rest, its = text[start:], name[start:]
    return rest[1:] in (its, its[1:]) or rest == its[1:] or (rest[:2] == its[1::-1] and rest[2:] == its[2:])


def build_product_hint(body: Json) -> str:
    """Say where the product id seems to be instead (CONTRACT 2.4); empty where nothing is near."""
    if not isinstance(body, Mapping):
        return ""
    if not isinstance(body.get("data"), Mapping):
        return "Put an object with the product id into data."
    for inside, prefix in ((body["data"], "data."), (body, "")):
        for key in inside:
            alike = isinstance(key, str) and re.sub(r"[^a-z]", "", key.casefold()) in ("productid", "product")
            if alike and prefix + key != "data.productId":
                return f"It seems to be in {prefix}{spell_invisible(key)}: it must be data.productId, exactly."
    return ""


def build_event_id_hint(body: Json) -> str:
    """Say where the event id seems to be instead (CONTRACT 2.2); empty where nothing is near."""
    return _build_spelling_hint(body, ("eventId",))


def build_identity_hint(body: Json) -> str:
    """Say where an identity seems to be instead (CONTRACT 2.3); empty where nothing is near."""
    return _build_spelling_hint(body, IDENTITY_FIELDS)


def _build_spelling_hint(body: Json, fields: Sequence[str]) -> str:
    """Say which key of an event is a field in another spelling, where it holds anything."""
    known = {field.casefold(): field for field in fields}
    for key, value in body.items() if isinstance(body, Mapping) else ():
        field = known.get(re.sub(r"[^a-z]", "", key.casefold())) if isinstance(key, str) else None
        if field is not None and key != field and value not in (None, ""):
            return f"It seems to be in {spell_invisible(key)}: it must be {field}, exactly."
    return ""
