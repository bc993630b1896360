"""What the words of a header say, where it is not known as a whole: in English, German, French and Spanish.

``Kundennummer``, ``numéro_client`` and ``shop customer no`` each have a word for a user and one for an id. Words are
found between signs, where capitals begin, and inside a compound (``bestelldatum``). A word that makes something else of
them (``product price``, ``user agent``) leaves nothing.
"""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from intempt_core.mapping.suggestions.words import normalize_name, split_words


class Part(Enum):
    """What one word of a header stands for."""

    PRODUCT = "product"
    SKU = "a product's id in one word"
    USER = "user"
    VISITOR = "visitor"
    ACCOUNT = "account"
    SESSION = "session"
    EVENT = "event"
    PAGE = "page"
    ORDER = "order"
    ID = "id"
    NAME = "name or type"
    TIME = "time"
    HAPPENED = "when it happened"
    OTHER_MOMENT = "another moment than that of the event"
    ATTRIBUTE = "something about it"
    FILLER = "nothing"


_WORDS: tuple[tuple[Part, str], ...] = (
    (Part.PRODUCT, ("product products prod item items article articles art goods offer merchandise lineitem"
     " produkt produkte artikel ware produit produits producto productos articulo articulos")),
    (Part.SKU, "sku skus asin ean gtin isbn upc stockcode"),
    (Part.USER, ("user users customer customers cust member shopper buyer purchaser subscriber person client"
     " kunde kunden kundin benutzer nutzer kaufer kaeufer mitglied besteller"
     " utilisateur utilisatrice acheteur membre abonne cliente clientes usuario usuarios comprador miembro")),
    (Part.VISITOR, ("visitor device cookie browser anonymous anon pseudo fingerprint besucher gerat geraet"
     " visiteur appareil visitante dispositivo")),
    (Part.ACCOUNT, ("account company organization organisation org tenant business firm"
     " konto firma unternehmen compte entreprise societe cuenta empresa")),
    (Part.SESSION, "session sessions sess visit sitzung besuch seance visite sesion visita"),
    (Part.EVENT, ("event events evt activity action interaction behavior behaviour"
     " ereignis ereignisse aktion vorgang evenement evenements evento eventos accion actividad interaccion")),
    (Part.PAGE, "page pageview seite pagina"),
    (Part.ORDER, ("order orders invoice transaction purchase bestell bestellung bestellungs rechnung rechnungs kauf"
     " transaktion transaktions auftrag auftrags commande achat facture pedido compra factura")),
    (Part.ID, ("id ids nr no num number key uuid guid identifier ident code ref reference"
     " nummer kennung schlussel schluessel referenz numero identifiant cle identificador codigo clave referencia")),
    (Part.NAME, "name type kind label typ bezeichnung nom nombre tipo"),
    (Part.TIME, ("time timestamp tstamp datetime date ts at when zeit zeitpunkt zeitstempel datum uhrzeit"
     " heure horodatage moment fecha hora momento")),
    (Part.HAPPENED, ("created occurred happened original local utc gmt iso logged placed processed view click"
     " hit erstellt angelegt cree creado creacion creation ms millis epoch unix")),
    (Part.OTHER_MOMENT, ("birth birthday geburts geburtstag naissance nacimiento updated update modified changed"
     " geandert geaendert deleted shipped shipping delivery delivered liefer livraison entrega expires expiry expired"
     " valid end ended last first registered registration signup joined anmelde loaded load etl imported import upload"
     " uploaded ingested received sent server processing due closed cancelled canceled fulfilled published release"
     " refunded modifie modificado actualizado")),
    (Part.ATTRIBUTE, ("title description beschreibung desc price preis prix precio cost category kategorie categorie"
     " categoria url uri link image bild img picture brand marke marque marca color colour farbe size groesse quantity"
     " qty menge quantite cantidad count anzahl total sum amount betrag status state email mail phone telefon tel ip"
     " agent language lang country land pays pais city stadt ville ciudad zip plz postal street address adresse"
     " direccion vorname nachname firstname lastname age alter gender currency wahrung waehrung devise moneda list"
     " liste position rank score rating weight discount tax group segment level tier source medium campaign referrer"
     " value wert valeur valor text comment note query search parent version os platform duration dauer duree"
     " properties traits zone")),
    (Part.FILLER, ("the of my raw shop store app web de du des la le les l d del el los las der die das en y et und a"
     " details")),
)  # fmt: skip
_PARTS = {word: part for part, words in _WORDS for word in words.split()}
_LINKS = ("", "s", "n", "en", "e")
"""What German puts between the words of a compound."""

_OWN_IDS = ("id", "uuid", "guid")
"""Headers that name an id of the row itself."""

_SHORTEST_WORD = 2
_LONGEST_COMPOUND = 40
_SURE, _NEAR, _WEAK, _OTHER = 75, 55, 35, 30
_UNKNOWN_WORD_COSTS, _MOST_COST = 10, 30


class HeaderMeaning(NamedTuple):
    """A field that a header may be.

    Attributes:
        field: The field.
        score: How surely, of 100.
    """

    field: str
    score: int


@lru_cache(maxsize=4096)
def read_header_parts(header: str) -> tuple[HeaderMeaning, ...]:
    """The fields that a header may be by its words, the surest first."""
    parts, unknown = _find_parts(header)
    given = set(parts)
    if given == {Part.ID} and normalize_name(header) in _OWN_IDS:
        return (HeaderMeaning("eventId", _WEAK),)
    cost = min(_UNKNOWN_WORD_COSTS * unknown, _MOST_COST)
    if not given or Part.ATTRIBUTE in given:
        return ()
    found = [HeaderMeaning(field, score - cost) for field, score in _read_parts(parts, given)]
    return tuple(sorted(found, key=lambda meaning: -meaning.score))


def _read_parts(parts: list[Part], given: set[Part]) -> list[tuple[str, int]]:
    things = [part for part in parts if part in _ID_FIELDS or part in (Part.EVENT, Part.ORDER)]
    thing = things[-1] if things else None  # the last one is what it is of: “user session” is a session
    is_id = Part.ID in given
    if Part.TIME in given and not is_id:
        return [("timestamp", _rate_time(thing, given))]
    if Part.OTHER_MOMENT in given:
        return []
    if given <= {Part.HAPPENED, Part.FILLER}:
        return [("timestamp", _WEAK)]
    if thing is Part.EVENT:
        if is_id and Part.NAME not in given:
            return [("eventId", _SURE)]
        return [("name", _SURE if Part.NAME in given and not is_id else _NEAR)]
    if Part.NAME in given:
        return []
    if Part.SKU in given:
        return [("data.productId", _SURE)]
    return _read_ids(thing, is_id=is_id)


def _rate_time(thing: Part | None, given: set[Part]) -> int:
    """How surely a time is that of the event, and not of the thing that the header names."""
    if Part.OTHER_MOMENT in given:
        return _OTHER
    return _SURE if thing in (None, Part.EVENT, Part.ORDER, Part.VISITOR) and Part.NAME not in given else _WEAK


def _read_ids(thing: Part | None, *, is_id: bool) -> list[tuple[str, int]]:
    if thing is Part.ORDER:
        return [("eventId", _WEAK)] if is_id else []
    return [(_ID_FIELDS[thing], _SURE if is_id else _NEAR)] if thing else []


_ID_FIELDS = {
    Part.PRODUCT: "data.productId",
    Part.USER: "userId",
    Part.VISITOR: "profileId",
    Part.ACCOUNT: "accountId",
    Part.SESSION: "sessionId",
    Part.PAGE: "pageId",
}


def _find_parts(header: str) -> tuple[list[Part], int]:
    """What the words of a header stand for, in their order, and how many of them are unknown."""
    parts: list[Part] = []
    unknown = 0
    for word in split_words(header):
        if word.isdigit():
            continue
        found = _split_compound(word[:_LONGEST_COMPOUND])
        if found is None:
            unknown += len(word) > 1
        else:
            parts += found
    return parts, unknown


@lru_cache(maxsize=4096)
def _split_compound(word: str) -> tuple[Part, ...] | None:
    """What the known words stand for of which a word is made; ``None`` where some of it is unknown."""
    if word in _PARTS:
        return (_PARTS[word],)
    for size in range(len(word) - _SHORTEST_WORD, _SHORTEST_WORD - 1, -1):
        head = _PARTS.get(word[:size])
        if head is None or head is Part.FILLER:
            continue
        for link in _LINKS:
            tail = _split_compound(word[size + len(link) :]) if word.startswith(link, size) else None
            if tail and Part.FILLER not in tail:
                return (head, *tail)
    return None
