"""Requests with planted persons: who is in them, in which place and form, is decided here and not by the product."""

import base64
import html
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

FIRST_NAMES = "Katie Jürgen Mehmet Siobhán Zoltán Björk Priya Юлия Anneliese Oluwaseun Will Mark Max Rose".split()
LAST_NAMES = "Price Müller Yılmaz O'Rourke Kovács Guðmunds Venkatesan Кузнецова Vogelsang Adeyemi Page Field".split()
STREETS = ["Hölderlinstraße {}", "{} Wuthering Lane", "{} rue Vercingétorix", "Via Garibaldi {}", "Kirschblütenweg {}"]
TOWNS = "Wolfratshausen Llanelli Reykjavik Szombathely Kozhikode".split()


@dataclass
class Person:
    """A person, with everything by which one would know this person."""

    random: random.Random
    number: int
    first: str = ""
    last: str = ""
    facts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draw = self.random
        self.first, self.last = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
        plain = re.sub(r"[^a-z]", "", self.last.lower()) or "kuzn"
        digits = "".join(str(draw.randrange(10)) for _ in range(8))
        self.facts = {
            "name": f"{self.first} {self.last}",
            "email": f"{plain}.xz{self.number}@{draw.choice(['shop', 'mail.home', 'müller'])}.example",
            "phone": draw.choice(
                [f"+49 (0)151 {digits[:4]}-{digits[4:]}", f"+49151{digits}", f"0049 151 {digits}", f"0151/{digits}",
                 f"0151{digits[:7]}", f"(030) {digits}", f"555-{digits[:3]}-{digits[3:7]}", f"+1 555 {digits[:7]}"]
            ),
            "street": draw.choice(STREETS).format(draw.randrange(1, 200)),
            "ip": draw.choice([f"203.0.113.{draw.randrange(256)}", f"2001:db8::{draw.randrange(4096, 65536):x}:7334"]),
            "id": draw.choice([f"u{self.number}", f"customer-{plain}{self.number}", f"7{digits}{draw.randrange(10**6)}",
                               f"kx{digits}w", f"{plain}/{self.number}"]),
        }  # fmt: skip


def _upper(text: str) -> str:
    return text.upper() if text.upper().lower() == text.lower() else text


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": _upper,
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "every letter percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "json": lambda text: json.dumps(text)[1:-1],
    "every letter json": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "html": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "every letter html": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in the middle": lambda text: base64.b64encode(f"u={text};".encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "in an address": lambda text: f"https://shop.example/welcome?ref=x&u={quote(text, safe='')}#top",
    "in json": lambda text: json.dumps({"who": {"is": text}}),
    "in a sentence": lambda text: f"was ordered by {text}, twice",
    "in brackets": lambda text: f"<{text}>",
    "full width": lambda text: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text),
}
KEPT_FORMS = [form for form in FORMS if form != "in json"]


@dataclass
class Planted:
    """A request, its response and all around it, and the texts by which a person in it would be known."""

    body: str
    response: bytes
    headers: tuple[tuple[str, str], ...]
    reason: str
    label: str
    target: str
    needles: dict[str, str]
    kept: list[str]


class Planter:
    """Makes one request with persons in it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.needles: dict[str, str] = {}
        self.kept: list[str] = []
        self.persons = [Person(self.random, 1000 + seed * 3 + number) for number in range(self.random.randrange(1, 4))]
        self.document: dict[str, Any] = {"track": []}
        self.response: Any = {}
        self.headers = [("content-type", "application/json"), ("x-request-id", "r-1")]
        self.reason, self.label, self.target = "api.intempt.com answered 400 Bad Request.", "data.csv", "shop"

    def fact(self, *kinds: str, forms: list[str] | None = None) -> str:
        """A fact of a person in one of the forms; it must not be found later."""
        person = self.random.choice(self.persons)
        kind = self.random.choice(kinds or tuple(person.facts))
        form = self.random.choice(forms or list(FORMS))
        self.needles[person.facts[kind]] = f"{kind}, {form}"
        return FORMS[form](person.facts[kind])

    def plain(self, *kinds: str) -> str:
        return self.fact(*kinds, forms=["plain"])

    def event(self, number: int) -> dict[str, Any]:
        draw, person = self.random, self.random.choice(self.persons)
        product = draw.choice([f"SKU-{self.seed}-{number}", f"14875800052{self.seed:08d}", f"dress-{number}-red"])
        self.kept.append(product)
        field_ = draw.choice(["profileId", "userId", "anotherUserId", "accountId"])
        self.needles[person.facts["id"]] = f"id, {field_}"
        return {
            "eventId": draw.choice([f"e-{self.seed}-{number}", f"{person.facts['id']}-{number}", f"u7-{self.plain()}"]),
            field_: person.facts["id"],
            "timestamp": draw.choice([1_700_000_000_000, 1_700_000_000, 5, "2026-11-28T10:00:00Z", "soon"]),
            "data": {"productId": product, "price": 12.5, "quantity": 2},
        }

    def make(self) -> Planted:
        draw = self.random
        events = [self.event(number) for number in range(draw.randrange(1, 4))]
        name = draw.choice(["Product viewed", "product viewed", "Added to cart"])
        self.document["track"].append({"name": name, "payload": events})
        places = [place for place in dir(self) if place.startswith("in_")]
        for place in draw.sample(places, draw.randrange(3, 9)):
            getattr(self, place)(draw.choice(events))
        body = json.dumps(self.document, ensure_ascii=draw.random() < 0.5, indent=draw.choice([None, 1]))
        response = self.response if isinstance(self.response, str) else json.dumps(self.response)
        return Planted(body, response.encode("utf-8", "replace"), tuple(self.headers), self.reason, self.label,
                       self.target, self.needles, self.kept)  # fmt: skip

    # ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def in_identity(self, event: dict[str, Any]) -> None:
        event[self.random.choice(["userId", "sessionId", "pageId", "anotherAccountId"])] = self.plain()

    def in_identity_as_number(self, event: dict[str, Any]) -> None:
        number = self.random.randrange(10**9, 10**18)
        self.needles[str(number)] = "id, number"
        event["profileId"] = number
        event["data"]["productName"] = f"belongs to {number}"

    def in_identity_as_object(self, event: dict[str, Any]) -> None:
        event["accountId"] = {"of": [self.plain(), {"and": self.plain()}]}

    def in_event_id(self, event: dict[str, Any]) -> None:
        event["eventId"] = f"{self.fact(forms=KEPT_FORMS)}-{self.seed}"

    def in_attribute(self, event: dict[str, Any]) -> None:
        event["userAttributes"] = {"nick": self.fact(), "more": [self.fact(), {"deep": {"deeper": self.fact()}}]}

    def in_account_attribute(self, event: dict[str, Any]) -> None:
        event["accountAttributes"] = {"price": self.fact(), "brand": self.plain("name"), "zip": 7_654_321 + self.seed}
        self.needles[str(7_654_321 + self.seed)] = "number, attribute"

    def in_attribute_name(self, event: dict[str, Any]) -> None:
        event["userAttributes"] = {self.fact(): 1, "tags": {self.plain("email"): True, self.plain("name"): None}}

    def in_key_of_data(self, event: dict[str, Any]) -> None:
        event["data"][self.fact()] = {self.plain(): 4711}

    def in_free_text(self, event: dict[str, Any]) -> None:
        event["data"]["note"] = f"Please call {self.plain('name')} at {self.fact('phone')}, {self.fact('street')}"

    def in_other_number(self, event: dict[str, Any]) -> None:
        number = self.random.randrange(10**9, 10**12)
        self.needles[str(number)] = "number, data"
        event["data"]["mobile"] = self.random.choice([number, float(number) + 0.5, [number]])

    def in_price(self, event: dict[str, Any]) -> None:
        phone = 49_000_000_000 + self.random.randrange(10**9)
        self.needles[str(phone)] = "phone, price"
        event["data"]["listPrice"], event["data"]["brand"] = phone, f"x{self.random.randrange(10**4)}@localhost"
        self.needles[event["data"]["brand"]] = "email, brand"

    def in_nested_data(self, event: dict[str, Any]) -> None:
        event["data"]["items"] = [{"sku": self.fact("email", "phone", forms=KEPT_FORMS), "buyer": [[self.fact()]]}]

    def in_json_in_a_text(self, event: dict[str, Any]) -> None:
        event["data"]["raw"] = json.dumps({"user": {"mail": self.plain("email"), "n": json.dumps([self.plain()])}})

    def in_product_id(self, event: dict[str, Any]) -> None:
        event["data"]["productId"] = f"SKU-{self.fact('email', forms=KEPT_FORMS)}"

    def in_product_name(self, event: dict[str, Any]) -> None:
        event["data"]["product_name"] = f"Red dress {self.fact('email', 'phone', 'ip', 'street', forms=KEPT_FORMS)} XL"

    def in_product_with_known_person(self, event: dict[str, Any]) -> None:
        person = self.random.choice(self.persons)
        event["anotherUserId"], event["data"]["soldTo"] = person.facts["id"], person.facts["name"]
        for kind in ("id", "name"):
            self.needles[person.facts[kind]] = f"{kind}, known, in a product"
        form = FORMS[self.random.choice(KEPT_FORMS)]
        event["data"]["brand"] = form(person.facts["name"])
        event["data"]["category"] = f"for {form(person.facts['id'])}"

    def in_address_of_product(self, event: dict[str, Any]) -> None:
        event["data"]["url"] = (
            f"https://shop.example/{self.fact(forms=['percent'])}?email={self.fact(forms=['percent'])}"
        )
        event["data"]["productTitle"] = f"/p/1?customer={self.fact('name', forms=['percent', 'base64'])}&size=3"

    def in_time_zone(self, event: dict[str, Any]) -> None:
        town = self.random.choice(TOWNS)
        self.needles[town] = "town"
        event["data"]["timezone"], event["userAttributes"] = f"Europe/{town}", {"city": town, "from": [f"12345 {town}"]}

    def in_time(self, event: dict[str, Any]) -> None:
        event["timestamp"] = self.fact()

    def in_event_name(self, _: dict[str, Any]) -> None:
        self.document["track"][0]["name"] = f"{self.fact()} viewed"

    def in_event_beside_data(self, event: dict[str, Any]) -> None:
        event["properties"] = {"of": self.fact(), self.plain(): 5}
        event["referrer"] = self.fact()

    def in_group(self, _: dict[str, Any]) -> None:
        self.document["track"][0]["by"] = self.fact()
        self.document["sentBy"] = {self.fact(): self.fact()}

    def in_event_that_is_none(self, _: dict[str, Any]) -> None:
        self.document["track"].append({"name": "Product viewed", "payload": [self.fact(), [self.plain()]]})
        self.document["track"].append(self.fact())

    def in_response(self, event: dict[str, Any]) -> None:
        self.response = {"message": f"The user {self.fact()} is not known", self.plain("email"): [self.fact()],
                         "received": event, "age": 4711_4711, "status": 400}  # fmt: skip

    def in_response_page(self, _: dict[str, Any]) -> None:
        self.response = f"<html><title>Bad Request</title><p>No user <b>{self.fact()}</b> at {self.fact()}</html>"

    def in_response_that_is_cut(self, event: dict[str, Any]) -> None:
        self.response = json.dumps({"error": self.fact(), "event": event})[:-3]

    def in_header(self, _: dict[str, Any]) -> None:
        self.headers.append(("set-cookie", f"sid={self.fact()}; Path=/"))
        self.headers.append((f"x-{self.plain('email')}", self.fact()))

    def in_reason(self, _: dict[str, Any]) -> None:
        self.reason = f"{self.reason} It says: {self.fact()} is no user"

    def in_label(self, _: dict[str, Any]) -> None:
        self.label = f"{self.fact()}.csv"

    def in_target_name(self, _: dict[str, Any]) -> None:
        self.target = f"shop of {self.plain('name')}"


# ── looking for them ─────────────────────────────────────────────────────────────────────────────────────────────────


def find_needles(text: str, needles: dict[str, str]) -> dict[str, str]:
    """The persons that are in a text, in any form."""
    readings = {text}
    for _ in range(3):
        readings |= {step(reading) for reading in readings for step in (unquote, html.unescape, _unescape, _narrow)}
    decoded = {part for reading in readings for part in (*_decode_base64(reading), *_decode_hex(reading))}
    found = "\n".join([*readings, *decoded]).casefold()
    digits = re.sub(r"(?<=[0-9])[\s()./-]{1,3}(?=[0-9])", "", found)
    return {needle: what for needle, what in needles.items() if _is_in(needle.casefold(), found, digits)}


def _is_in(needle: str, text: str, digits: str) -> bool:
    if re.fullmatch(r"[0-9\s()./+-]{7,}", needle):
        return re.sub(r"[^0-9]", "", needle) in digits
    return needle in text and re.search(rf"(?<![^\W_]){re.escape(needle)}(?![^\W_])", text) is not None


def _unescape(text: str) -> str:
    return re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text).replace("\\/", "/")


def _narrow(text: str) -> str:
    return text.translate(_NARROW)


_NARROW = {code + 0xFEE0: code for code in range(0x21, 0x7F)}


def _decode_base64(text: str) -> Iterator[str]:
    for run in set(re.findall(r"[A-Za-z0-9+/]{8,400}|[A-Za-z0-9_-]{8,400}", text)):
        for start in range(4):
            plain = run[start:].replace("-", "+").replace("_", "/")
            plain = plain[: len(plain) - (len(plain) % 4 == 1)]
            yield base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8", "replace")


def _decode_hex(text: str) -> Iterator[str]:
    for run in set(re.findall(r"[0-9a-f]{4,}", text)):
        yield bytes.fromhex(run[: len(run) // 2 * 2]).decode("utf-8", "replace")
