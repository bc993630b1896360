"""Suggestions of a mapping: what columns and names probably mean, with a reason, for a person to accept.

Shops and other vendors have names of their own for the same events (CONTRACT 4.6); the lists here say whose they are,
so that a person can decide. ``productId`` is suggested for one column at a time, because two columns often could be it
(CONTRACT 2.4).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from intempt_core.contract import (
    EARLIEST_MS,
    EVENT_COUNT,
    ID_FIELDS,
    LATEST_MS,
    PLAIN_FIELDS,
    EventName,
    is_event_name,
    shorten_value,
)
from intempt_core.mapping.model import RESERVED_COLUMNS, Mapping, MappingSuggestion, exact_mapping, match_exact_field
from intempt_core.mapping.time_formats import (
    COMMON_TIME_PATTERNS,
    EPOCH_MICROSECONDS,
    EPOCH_SECONDS,
    ISO_OR_EPOCH_MS,
    build_time_parser,
)
from intempt_core.mapping.values import is_cell_of_type
from intempt_core.readers import Table

SAMPLE_CELLS = 1000
"""Cells of a column by which a suggestion is made."""

DISTINCT_NAMES_READ = 500
"""Different cells of a name column that are read."""

COLUMNS_SEARCHED = 200
"""Columns whose cells are read for what their header does not say."""

_GA4, _SEGMENT, _SHOPIFY, _SNOWPLOW, _ALGOLIA = "Google Analytics 4", "Segment", "Shopify", "Snowplow", "Algolia"
_UA, _META, _KLAVIYO, _ADOBE, _RETAIL = "Universal Analytics", "Meta", "Klaviyo", "Adobe Analytics", "Google Retail"
_MIXPANEL, _ROCKET, _MPARTICLE, _AMPLITUDE = "Mixpanel", "Retailrocket", "mParticle", "Amplitude"

_KNOWN_HEADERS: tuple[tuple[str, str, str, str], ...] = (  # field, what it is, whose name it is, headers in letters
    ("data.productId", "product's id", "", ("productid dataproductid product sku itemid prodid pid productsku"
     " productcode itemcode itemsku articleid articlenumber asin goodsid offerid productnumber")),
    ("data.productId", "product's id", _META, "contentid contentids"),
    ("data.productId", "product's id", _ALGOLIA, "objectid objectids"),
    ("userId", "user's id", "", "userid uid customerid user customer memberid shopperid buyerid customernumber"),
    ("userId", "user's id", _MIXPANEL, "distinctid"),
    ("userId", "user's id", _ALGOLIA, "authenticatedusertoken"),
    ("profileId", "profile's id", "", "profileid profile"),
    ("profileId", "visitor's id", "", "visitorid deviceid clientid cookieid browserid"),
    ("profileId", "visitor's id", _GA4, "userpseudoid"),
    ("profileId", "visitor's id", _SNOWPLOW, "domainuserid"),
    ("profileId", "visitor's id", _ALGOLIA, "usertoken"),
    ("profileId", "visitor's id", _UA, "fullvisitorid"),
    ("profileId", "visitor's id", _ADOBE, "mcvisid ecid"),
    ("accountId", "account's id", "", "accountid account companyid organizationid organisationid groupid"),
    ("anotherUserId", "second id of the user", "", "anotheruserid"),
    ("anotherUserId", "second id of the user", _SEGMENT, "anonymousid"),
    ("name", "event's name", "", "eventtype event eventname name action activity eventaction"),
    ("name", "event's name", _SNOWPLOW, "ecommerceactiontype"),
    ("name", "event's name", _ALGOLIA, "eventsubtype"),
    ("timestamp", "event's time", "", ("eventtime ts timestamp time datetime occurredat createdat eventtimestamp"
     " date eventdate happenedat orderdate timeoccurred")),
    ("timestamp", "event's time", _SEGMENT, "originaltimestamp sentat receivedat"),
    ("timestamp", "event's time", _SNOWPLOW, "derivedtstamp collectortstamp dvcecreatedtstamp"),
    ("timestamp", "event's time", _SHOPIFY, "processedat"),
    ("sessionId", "session's id", "", "usersession sessionid session visitid"),
    ("sessionId", "session's id", _GA4, "gasessionid"),
    ("sessionId", "session's id", _SNOWPLOW, "domainsessionid"),
    ("eventId", "event's own id", "", "eventid eventuuid"),
    ("eventId", "event's own id", _SEGMENT, "messageid"),
    ("eventId", "event's own id", _MIXPANEL, "insertid"),
    ("pageId", "page's id", "", "pageid pageviewid"),
)  # fmt: skip
_FIELD_BY_HEADER = {
    header: (field, what, who) for field, what, who, headers in _KNOWN_HEADERS for header in headers.split()
}

_WRAPPER_OBJECTS = (
    "properties",
    "data",
    "params",
    "eventparams",
    "attributes",
    "ecommerce",
    "product",
    "item",
    "items",
    "payload",
)
"""What others call the object that holds an event's further data: its name goes, its keys go into ``data``."""

_INTEGER_KEYS = frozenset("quantity qty itemquantity productquantity position".split())
_NUMBER_KEYS = frozenset(
    "price unitprice itemprice amount revenue total subtotal discount tax shipping value cost"
    " rating productprice orderamount ordertotal".split()
)

_KNOWN_NAMES: tuple[tuple[EventName, str, str], ...] = (  # which event, whose name it is, cells as plain letters
    (EventName.VIEWED, "", ("productviewed view viewed itemseen productview itemview itemviewed viewproduct"
     " seen detail detailview productdetail productdetailview productpageview productdetailviewed productpageviewed")),
    (EventName.VIEWED, _GA4, "viewitem"),
    (EventName.VIEWED, _META, "viewcontent"),
    (EventName.VIEWED, _KLAVIYO, "viewedproduct"),
    (EventName.VIEWED, _ADOBE, "prodview"),
    (EventName.VIEWED, _RETAIL, "detailpageview"),
    (EventName.VIEWED, _MPARTICLE, "viewdetail"),
    (EventName.VIEWED, _ALGOLIA, "viewedobjectids"),
    (EventName.ADDED, "", ("addedtocart cart cartadd addcart basketadd addtobasket addtobag itemadded addproduct"
     " additem cartitemadded addproducttocart addtocartv1")),
    (EventName.ADDED, _GA4, "addtocart"),
    (EventName.ADDED, _SEGMENT, "productadded"),
    (EventName.ADDED, _SHOPIFY, "productaddedtocart"),
    (EventName.ADDED, _UA, "add"),
    (EventName.ADDED, _ADOBE, "scadd"),
    (EventName.ADDED, _ALGOLIA, "addedtocartobjectids"),
    (EventName.REMOVED, "", ("removedfromcart removeitem cartremove basketremove removefrombasket removefrombag"
     " itemremoved removeproduct deletefromcart cartitemremoved removeproductfromcart removefromcartv1 cartdelete")),
    (EventName.REMOVED, _GA4, "removefromcart"),
    (EventName.REMOVED, _SEGMENT, "productremoved"),
    (EventName.REMOVED, _SHOPIFY, "productremovedfromcart"),
    (EventName.REMOVED, _UA, "remove"),
    (EventName.REMOVED, _ADOBE, "scremove"),
    (EventName.ORDERED, "", ("productordered order ordered checkoutcomplete orderplaced purchased buy bought"
     " sale orderconfirmed checkoutsuccess purchasev1")),
    (EventName.ORDERED, _GA4, "purchase"),
    (EventName.ORDERED, _SNOWPLOW, "transaction"),
    (EventName.ORDERED, _SEGMENT, "ordercompleted"),
    (EventName.ORDERED, _SHOPIFY, "checkoutcompleted"),
    (EventName.ORDERED, _KLAVIYO, "placedorder orderedproduct"),
    (EventName.ORDERED, _RETAIL, "purchasecomplete"),
    (EventName.ORDERED, _ALGOLIA, "purchasedobjectids"),
    (EventName.ORDERED, _AMPLITUDE, "completepurchase purchasecompleted"),
)  # fmt: skip
_NAME_BY_CELL = {cell: (name, who) for name, who, cells in _KNOWN_NAMES for cell in cells.split()}
_UTC = ZoneInfo("UTC")


def normalize_name(text: str) -> str:
    """The letters and digits of a header or a name, in lower case: ``Product ID`` and ``product_id`` are the same."""
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def suggest_mapping(table: Table, mapping: Mapping | None = None) -> list[MappingSuggestion]:
    """Suggest what to change in a mapping, in the header's order; by default in :func:`exact_mapping`.

    A field that a column has already is not suggested for another, and what the mapping says already not at all.
    """
    suggester = _Suggester(table, mapping or exact_mapping(table.header))
    return [one for one in suggester.all() if not _is_applied(one, suggester.mapping)]


def _is_applied(suggestion: MappingSuggestion, mapping: Mapping) -> bool:
    return (
        mapping.columns.get(suggestion.column) == suggestion.field
        and suggestion.names.items() <= mapping.names.items()
        and suggestion.type in (None, mapping.types.get(suggestion.field))
        and suggestion.time_format in (None, mapping.time_format)
    )


@dataclass(frozen=True)
class _Suggester:
    table: Table
    mapping: Mapping

    def all(self) -> Iterator[MappingSuggestion]:
        """Every guess; each field at most once, but for the product id, which several columns could be."""
        taken = {
            field for field in (*self.mapping.columns.values(), *self.mapping.constants) if _is_contract_field(field)
        }
        given = set(taken)
        for column in self.table.header:
            if column in RESERVED_COLUMNS:
                continue
            now = self.mapping.columns.get(column)
            field, reason = (now, "") if now in given else self._match_header(column)
            if (
                field is None
                or (field in given and now != field)
                or (field in taken - given and field != "data.productId")
            ):
                field, reason = None, ""
            if field is None and column == self._name_column and "name" not in taken:
                field, reason = "name", f"Its cells can be read as the {EVENT_COUNT} names."
            for suggestion in self._suggest_column(column, field, reason):
                taken.add(suggestion.field)
                yield suggestion

    def _match_header(self, column: str) -> tuple[str | None, str]:
        """The field that a column's header suggests, and why."""
        whole, last = normalize_name(column), normalize_name(column.rpartition(".")[2])
        inside = "." in column and normalize_name(column.split(".", 1)[0]) in _WRAPPER_OBJECTS
        found = _FIELD_BY_HEADER.get(whole) or (_FIELD_BY_HEADER.get(last) if "." in column else None)
        if found and (whole in _FIELD_BY_HEADER or not inside or found[0] == "data.productId"):
            field, what, who = found
            if match_exact_field(column) == field:
                return None, ""
            if who:
                return field, f"“{shorten_value(column)}” is what {who} calls the {what}."
            return field, f"A column called “{shorten_value(column)}” usually holds the {what}."
        if inside and not column.startswith("data."):
            outer = column.split(".", 1)[0]
            return (
                f"data.{column.split('.', 1)[1]}",
                f"It is inside “{shorten_value(outer)}”: data takes it without that.",
            )
        return None, ""

    def _suggest_column(self, column: str, field: str | None, reason: str) -> Iterator[MappingSuggestion]:
        if field == "name":
            yield from self._suggest_names(column, reason)
        elif field == "timestamp":
            yield from self._suggest_times(column, reason)
        elif field in ID_FIELDS or field in PLAIN_FIELDS:
            if reason:
                yield MappingSuggestion(column, str(field), reason, exclusive=field == "data.productId")
        else:
            field = field or self.mapping.columns.get(column) or match_exact_field(column)
            kind = self._detect_type(column)
            if kind and self.mapping.types.get(field) != kind:
                reason = f"{reason} All its cells are of the type {kind}.".strip()
            if (kind or reason) and column in self.mapping.columns:
                yield MappingSuggestion(column, field, reason, type=kind)

    def _suggest_names(self, column: str, reason: str) -> Iterator[MappingSuggestion]:
        cells = self._distinct_cells(column)
        mapped = self.mapping.names
        names = {
            cell: _NAME_BY_CELL[normalize_name(cell)][0].value
            for cell in cells
            if not is_event_name(cell) and cell not in mapped and normalize_name(cell) in _NAME_BY_CELL
        }
        unknown = [cell for cell in cells if cell not in (*names, *mapped) and not is_event_name(cell)]
        if names:
            means = ", ".join(f"“{cell}”{_describe_vendor(cell)} as {name}" for cell, name in names.items())
            stay = f" {_describe_unmapped(unknown)}." if unknown else ""
            yield MappingSuggestion(
                column, "name", f"Its cells can be read as the {EVENT_COUNT} names: {means}.{stay}", names
            )
        elif reason and self.mapping.columns.get(column) != "name":
            yield MappingSuggestion(column, "name", reason)

    def _suggest_times(self, column: str, reason: str) -> Iterator[MappingSuggestion]:
        form = self.mapping.time_format if self.mapping.columns.get(column) == "timestamp" else ISO_OR_EPOCH_MS
        found = [] if form else detect_time_formats(self._sample_cells(column))
        several = len(found) > 1
        for one in found:
            why = f"{reason} {_explain_format(one, self._sample_cells(column)[0], several=several)}".strip()
            yield MappingSuggestion(column, "timestamp", why, time_format=one, exclusive=several)
        if reason and not found:
            yield MappingSuggestion(column, "timestamp", reason)

    def _detect_type(self, column: str) -> str | None:
        if self.mapping.types.get(self.mapping.columns.get(column, "")):
            return None
        last = normalize_name(column.rpartition(".")[2])
        kinds = ["integer", "number"] if last in _INTEGER_KEYS else ["number"] if last in _NUMBER_KEYS else []
        if column in self._searched_columns:
            kinds.append("boolean")
        cells = self._sample_cells(column) if kinds else []
        return next((kind for kind in kinds if cells and all(is_cell_of_type(cell, kind) for cell in cells)), None)

    @cached_property
    def _searched_columns(self) -> frozenset[str]:
        return frozenset(self.table.header[:COLUMNS_SEARCHED])

    @cached_property
    def _name_column(self) -> str | None:
        """The column whose cells are names of events, where no header says so."""
        if any(_FIELD_BY_HEADER.get(normalize_name(column), ("",))[0] == "name" for column in self.table.header):
            return None
        for column in self.table.header[:COLUMNS_SEARCHED]:
            cells = dict.fromkeys(self._sample_cells(column))
            known = sum(normalize_name(cell) in _NAME_BY_CELL or is_event_name(cell) for cell in cells)
            if known >= 2 and known * 2 >= len(cells):
                return column
        return None

    def _sample_cells(self, column: str) -> list[str]:
        return self.table.sample_cells(column, SAMPLE_CELLS)

    def _distinct_cells(self, column: str) -> list[str]:
        return self.table.distinct_cells(column, DISTINCT_NAMES_READ)


def _is_contract_field(field: str) -> bool:
    return field in ("name", *PLAIN_FIELDS, "data.productId")


def _describe_vendor(cell: str) -> str:
    who = _NAME_BY_CELL[normalize_name(cell)][1]
    return f" ({who})" if who else ""


def _describe_unmapped(cells: Sequence[str]) -> str:
    some = ", ".join(f"“{shorten_value(cell)}”" for cell in cells[:5])
    more = f" and {len(cells) - 5:,} more" if len(cells) > 5 else ""
    verb = "stays as it is" if len(cells) == 1 else "stay as they are"
    return f"{some}{more} {verb}"


def detect_time_formats(cells: Iterable[str]) -> list[str]:
    """Find the formats in which every one of these times can be read; none where they can be read as they are.

    There are several only where it is open which number is the day and which the month.
    """
    cells = list(dict.fromkeys(cells))
    if not cells or _fits_format(ISO_OR_EPOCH_MS, cells):
        return []
    for form in (EPOCH_SECONDS, EPOCH_MICROSECONDS):
        if _fits_format(form, cells):
            return [form]
    found = [form for form in COMMON_TIME_PATTERNS if _fits_format(form, cells)]
    return [
        form
        for form in found
        if form.replace("%d", "").replace("%m", "") == found[0].replace("%d", "").replace("%m", "")
    ]


def _fits_format(form: str, cells: Sequence[str]) -> bool:
    read = build_time_parser(form, _UTC)
    return all((ms := read(cell)) is not None and EARLIEST_MS <= ms <= LATEST_MS for cell in cells)


def _explain_format(form: str, cell: str, *, several: bool) -> str:
    if form in (EPOCH_SECONDS, EPOCH_MICROSECONDS):
        unit = "seconds" if form == EPOCH_SECONDS else "microseconds"
        return f"“{shorten_value(cell)}” and the others look like {unit} since 1970."
    if several:
        order = "day first" if form.index("%d") < form.index("%m") else "month first"
        return f"“{shorten_value(cell)}” can be read with the {order} ({form}), and the other way round: you decide."
    return f"Its times are written as {form}, such as “{shorten_value(cell)}”."
