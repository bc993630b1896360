"""Plain words: what a text may keep where persons are pseudonyms, because no word of them names a person.

What is not here is replaced, so a name is replaced wherever it stands and however rare it is. The list has the words of
HTTP, of the contract and of its issues, which are taken from where they are declared, and the words in which servers
describe an error. Words that are first names too, such as "will" and "mark", are left out.
"""

import re
from functools import cache
from http import HTTPStatus

from intempt_core.contract import (
    EVENT_EFFECTS,
    EVENT_FIELDS,
    FAULT_PATH_LABELS,
    FEED_TITLES,
    ISSUE_KINDS,
    OPEN_FIELDS,
    PLACEHOLDER_IDS,
    EventName,
    Outcome,
)

PRODUCT_ID_KEYS = frozenset(
    "productid product sku skuid itemid prodid pid productsku productcode productnumber itemcode itemsku articleid"
    " articlenumber asin goodsid offerid variantid ean gtin upc isbn mpn contentid objectid".split()
)
"""Keys of ids of products, as :func:`normalize_key` writes them."""

PRODUCT_KEYS = PRODUCT_ID_KEYS | frozenset(
    "productname producttitle producttype category categories categoryid categoryname categorycode categorypath brand"
    " brandid brandname manufacturer price unitprice itemprice productprice listprice saleprice currency currencycode"
    " quantity qty itemquantity productquantity size colour color material variant variantname variantsku stock"
    " availability instock rating discount tax vat subtotal total revenue amount orderamount ordertotal position"
    " weight unit".split()
)
"""Keys whose values describe a product or a price, as :func:`normalize_key` writes them; their values are kept."""

PERSON_KEYS = frozenset(
    "user users userid uid username login profile profileid visitor visitorid customer customerid client clientid"
    " member memberid account accountid session sessionid email mail emailaddress phone phonenumber tel mobile name"
    " firstname lastname fullname surname address street ip ipaddress contact recipient author owner buyer shopper"
    " person anonymousid deviceid cookie token".split()
)
"""Keys, also of a query string, whose values are a person's, as :func:`normalize_key` writes them."""

COUNT_KEYS = frozenset(
    "status statuscode code errorcode index line column row position offset count total limit accepted rejected"
    " processed received retryafter seconds attempts version size max min page".split()
)
"""Keys of numbers in a server's response that are no person's, as :func:`normalize_key` writes them."""

_NAMES_TOO = frozenset(
    "will may mark bill grant art rose frank rob bob drew faith hope joy grace dean carol jack gene ray sue pat don"
    " dawn june april august violet lily ivy ruby olive pearl amber sandy robin penny daisy heather iris chase miles"
    " earl duke max guy christian summer".split()
)

_SERVER_WORDS = """
a about above accept accepted accepts access account accounts action active actual add added address addresses after
again age agent algorithm all answer answered answers allow allowed allows alone already also always an and another
any anything api app application apply are array arrive arrived arrives as ask asked at attempt attempted attempts
attribute attributes auth authenticated authentication authorization authorized auto available away bad base based
basic batch bearer because been before begin begins being behind below between binary blank blocked body boolean both
bot browser bucket buffer bug busy but by byte bytes cache cached call called calls can cannot canceled cancelled cart
case cause caused certificate certificates change changed changes char character characters charset check checked
choose clear click client clients close closed closes code codes collection column columns come comes comma command
comment common complete completed condition config configuration configured confirm conflict connect connected
connecting connection consent consents contact contain contained contains content context control cookie cookies copy
correct corrupt could count create created creates credential credentials currency current currently custom customer
customers damaged data database date dates day days debug decimal default delay delayed delete deleted deny denied
depth describe description detail details detected device did different digit digits directory disabled disconnected
dispatch do document documents does done double down drop dropped duplicate duplicated duplicates duration each either
element elements else email empty enabled encode encoded encoding end ended endpoint ends entity entry enum
environment equal error errors escaped even event events every everything exact exactly example exceed exceeded
exceeds except exception execute exist existing exists expect expected expects expired extra fail failed failing fails
failure false fatal fault feature feed feeds field fields file files fill final find first fix fixed float follow
followed following follows for forbidden form format formatted found free frequency from full function future gateway
generic get give given gives global gone group groups handle handled handler has hash have having header headers
health help here hidden high hint host hour hours how however http https human id identifier identifiers identify
identities identity ids if ignore ignored image import in include included includes incomplete incorrect index info
information ingest ingested ingestion initial input insecure insert instance instead int integer interaction
interactions internal into invalid is issue issues it item items its itself join json just keep kept key keys kind
know known label large larger last later latest layer leave left length less level levels lifetime like limit limited
limits line lines link list listed listen listens lists live load loaded local location lock locked log logged login
logs long longer lost low lower machine made main maintenance make makes malformed many map mapped mapping match
matched matches matching maximum mean meaning meant media member members memory message messages metadata method
methods middle milliseconds minimum minute minutes mismatch missing mobile mode model module moment month months more
most moved ms much multiple must name named names need needed needs negative network never new next no node none
normal not note nothing notice now null number numbers numeric object objects occurred of off offset offline ok old on
once one only open operation optional option options or order orders organization org organisation other others our
out outside over own owner page pages parameter parameters params parse parsed parser parsing part parts pass passed
password path paths pattern payload payloads pending per permission permissions permitted person phone place placed
please plain point pointer policy port position positive possible post posted posting prefix present preview previous
primary private problem problems process processed processing produce product products profile profiles project
projects properties property protocol provide provided proxy public purchase put queue queued quota quote quotes range
rate raw reach reached read reading reason received recent recently recommendation recommendations record recorded
records redirect redirects reference refresh refuses resolves points elsewhere region reject rejected rejects relative
reload remote remove removed repeat repeated replace replaced replay report request requested requests require
required requires reserved reset resource resources respond response responses rest result results retried retries
retry return returned returns revision right root route row rows rule rules run running safe same sample saved schema
scheme scope script search second seconds secret section secure security see seen select send sender sending sends
sent sequence server servers service services session sessions set settings several shape shop short should show shown
sign signature simple since single site size skip skipped slow small so some something soon source sources space
specific specified stack staging start started state statement status still stop stopped storage store stored stores
stream strict string strings structure submitted subscription success successful successfully such support supported
syntax system table tag take taken takes target targets task team temporarily temporary test tests text than that the
their them then there these they thing things this those though thread three through throttled time timed timeout
timeouts times timestamp timestamps title to today together token tokens too total trace track tracked tracking
traffic transaction transient transport tried tries trigger true trust trusted truncated try trying two type typed
types unable unauthorized unavailable under unexpected unicode unique unit unknown unless unreachable unreadable
unrecognized unresolved unsupported until up update updated upload upstream uri url urls us usage use used user
username users uses using utc valid validate validated validation value values verification verified verify version
versions via view viewed visible visit visitor wait waiting want warning warnings was way web were what when where
whether which while who whole why with within without word words work worker working would write written wrong xml yes
yet you your zero zone alive alt-svc authenticate cf chunked cors deflate disposition dns embedder etag expires
express expose fetch frame gmt gzip html hsts inline javascript keep-alive lax loopback max-age modified modify nginx
nosniff octet opener origin origins powered prefetch preload revalidate referrer samesite sameorigin sniff sts
subdomains transfer utf vary www x mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep oct nov dec am pm
monday tuesday wednesday thursday friday saturday sunday january february march july september october november
december apache asgi caddy cloudflare iis python uvicorn aiohttp intempt console sandbox csv tsv xlsx jsonl txt gz
parquet har amp apos gt lt nbsp quot uuid sha md ascii iso bom crlf lf sql ssl tls tcp udp cdn cpu br button dd div dl
dt em footer h head hr href img lang li meta nav ol p pre span src strong style td tfoot th thead tr ul viewport
doctype class bgcolor center firstname lastname fullname surname birthday birthdate gender city street zip postcode
country company language locale timezone useragent referer campaign medium utm term segment plan tier newsletter mail
tel anonymous guest customerid userid productid eventid sessionid pageid profileid accountid orderid visitorid
clientid ordered itemid productname nested fixtures export
"""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_DIGITS_IN_WORD = 2


@cache
def load_plain_words() -> frozenset[str]:
    """Load the words that are kept, in lower case; those of the contract are taken from its declarations."""
    texts: list[str] = [_SERVER_WORDS, *EventName, *EVENT_EFFECTS.values(), *EVENT_FIELDS, *OPEN_FIELDS, *Outcome]
    texts += [*FEED_TITLES.values(), *PLACEHOLDER_IDS, *FAULT_PATH_LABELS.values()]
    for status in HTTPStatus:
        texts += status.phrase, status.description
    for code, kind in ISSUE_KINDS.items():
        texts += code, kind.title, kind.message, kind.allowed, kind.fix
    words = {word.lower() for text in texts for word in _WORD.findall(text)}
    return frozenset((words | PRODUCT_KEYS | {key.lower() for key in EVENT_FIELDS}) - _NAMES_TOO)


def normalize_key(key: str) -> str:
    """Write a key in lower case, letters and digits only: ``Product ID`` and ``product_id`` are one."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


def is_plain_word(word: str) -> bool:
    """Whether a run of letters and digits is plain, or put together of plain words: ``userEmail``, ``utf8``."""
    if word.lower() in load_plain_words():
        return True
    pieces = _PIECE.findall(word)
    return "".join(pieces) == word and all(
        len(piece) <= _DIGITS_IN_WORD if piece.isdigit() else len(piece) > 1 and piece.lower() in load_plain_words()
        for piece in pieces
    )
