"""Whole headers that shops, vendors and public data sets write, each with the field that it is and whose word it is."""

from typing import NamedTuple

from intempt_core.mapping.suggestions.vendors import (
    ADOBE,
    ALGOLIA,
    AMPLITUDE,
    GA4,
    KLAVIYO,
    MAGENTO,
    META,
    MIXPANEL,
    PERSONALIZE,
    RETAIL,
    RETAILROCKET,
    RUDDERSTACK,
    SEGMENT,
    SHOPIFY,
    SNOWPLOW,
    UCI,
    UNIVERSAL,
    WOOCOMMERCE,
)

FIELD_MEANINGS = {
    "data.productId": "product's id",
    "userId": "user's id",
    "profileId": "visitor's id",
    "anotherUserId": "second id of the user",
    "accountId": "account's id",
    "name": "event's name",
    "timestamp": "event's time",
    "sessionId": "session's id",
    "eventId": "event's own id",
    "pageId": "page's id",
}
"""What a field is, in the words of a sentence."""


class KnownHeader(NamedTuple):
    """A header that is known as a whole.

    Attributes:
        field: The field that it is.
        vendor: Whose word it is; empty where many write it.
        place: Its place among the headers of its line: where a file has several, the earlier one is better.
    """

    field: str
    vendor: str
    place: int


_HEADERS: tuple[tuple[str, str, str], ...] = (  # field, whose word it is, headers as letters and digits, the best first
    ("data.productId", "", ("productid dataproductid product sku itemid prodid pid productsku productcode itemcode"
     " itemsku articleid articlenumber asin goodsid offerid productnumber productno itemnumber itemno")),
    ("data.productId", META, "contentid contentids"),
    ("data.productId", ALGOLIA, "objectid objectids"),
    ("data.productId", SHOPIFY, "lineitemsku lineitemproductid productvariantsku variantsku merchandiseproductid"),
    ("data.productId", WOOCOMMERCE, "lineitemssku lineitemsproductid orderitemsku itemproductid productorvariationid"),
    ("data.productId", MAGENTO, "productentityid"),
    ("data.productId", SNOWPLOW, "tisku"),
    ("data.productId", GA4, "itemsitemid"),
    ("data.productId", RETAIL, "productdetailsproductid productdetailsid"),
    ("data.productId", UCI, "stockcode"),
    ("userId", "", ("userid uid customerid user customer memberid shopperid buyerid customernumber customerno"
     " memberno usernumber")),
    ("userId", MIXPANEL, "distinctid propertiesdistinctid mixpaneldistinctid propertiesuserid"),
    ("userId", ALGOLIA, "authenticatedusertoken"),
    ("userId", WOOCOMMERCE, "customeruser customeruserid"),
    ("userId", RETAIL, "userinfouserid"),
    ("profileId", "", "profileid profile visitorid deviceid clientid cookieid browserid visitor"),
    ("profileId", GA4, "userpseudoid"),
    ("profileId", SNOWPLOW, "domainuserid networkuserid"),
    ("profileId", ALGOLIA, "usertoken"),
    ("profileId", UNIVERSAL, "fullvisitorid"),
    ("profileId", ADOBE, "mcvisid ecid"),
    ("profileId", AMPLITUDE, "amplitudeid"),
    ("profileId", MIXPANEL, "propertiesdeviceid"),
    ("profileId", KLAVIYO, "personid attributesprofileid relationshipsprofiledataid"),
    ("accountId", "", "accountid account companyid organizationid organisationid groupid"),
    ("anotherUserId", "", "anotheruserid"),
    ("anotherUserId", SEGMENT, "anonymousid"),
    ("name", "", "eventtype event eventname name action activity eventaction"),
    ("name", RUDDERSTACK, "eventtext"),
    ("name", SNOWPLOW, "ecommerceactiontype seaction"),
    ("name", ALGOLIA, "eventsubtype"),
    ("name", KLAVIYO, "metric metricname attributesmetricname"),
    ("timestamp", "", ("eventtime ts timestamp time datetime occurredat createdat eventtimestamp date eventdate"
     " happenedat orderdate timeoccurred")),
    ("timestamp", SEGMENT, "originaltimestamp sentat receivedat"),
    ("timestamp", SNOWPLOW, "derivedtstamp collectortstamp dvcecreatedtstamp truetstamp"),
    ("timestamp", SHOPIFY, "processedat paidat"),
    ("timestamp", WOOCOMMERCE, "datecreated datecreatedgmt"),
    ("timestamp", MAGENTO, "loggedat"),
    ("timestamp", MIXPANEL, "propertiestime"),
    ("timestamp", AMPLITUDE, "clienteventtime"),
    ("timestamp", KLAVIYO, "attributesdatetime eventdatetime"),
    ("timestamp", UCI, "invoicedate"),
    ("sessionId", "", "usersession sessionid session visitid"),
    ("sessionId", GA4, "gasessionid eventparamsgasessionid"),
    ("sessionId", SNOWPLOW, "domainsessionid"),
    ("eventId", "", "eventid eventuuid"),
    ("eventId", SEGMENT, "messageid"),
    ("eventId", MIXPANEL, "insertid propertiesinsertid"),
    ("pageId", "", "pageid pageviewid"),
)  # fmt: skip

KNOWN_HEADERS = {
    header: KnownHeader(field, vendor, place)
    for field, vendor, headers in _HEADERS
    for place, header in enumerate(headers.split())
}
"""Header as letters and digits → what it is."""

VENDOR_HEADERS: dict[str, dict[str, str]] = {
    SHOPIFY: {"id": "eventId", "variantid": "data.productId", "email": "userId"},
    WOOCOMMERCE: {"orderdate": "timestamp", "variationid": "data.productId", "billingemail": "userId"},
    MAGENTO: {
        "objectid": "data.productId",
        "subjectid": "userId",
        "eventtypeid": "name",
        "createdat": "timestamp",
        "customeremail": "userId",
    },
    RUDDERSTACK: {
        "id": "eventId",
        "anonymousid": "anotherUserId",
        "originaltimestamp": "timestamp",
        "sentat": "timestamp",
        "messageid": "eventId",
    },
    SNOWPLOW: {"userid": "userId", "eventid": "eventId", "eventname": "name"},
    AMPLITUDE: {"uuid": "eventId", "insertid": "eventId", "eventtype": "name", "eventtime": "timestamp"},
    MIXPANEL: {"time": "timestamp", "deviceid": "profileId"},
    KLAVIYO: {"email": "userId", "uuid": "eventId"},
    RETAIL: {"visitorid": "profileId", "eventtype": "name", "eventtime": "timestamp"},
    PERSONALIZE: {"itemid": "data.productId", "userid": "userId", "eventtype": "name", "timestamp": "timestamp"},
    RETAILROCKET: {"itemid": "data.productId", "visitorid": "profileId", "event": "name", "timestamp": "timestamp"},
    UCI: {"customerid": "userId"},
}
"""Vendor → headers that mean this only, or surely, where a person says that the file is that vendor's."""

ORDER_HEADERS = frozenset(
    "invoice invoiceno invoicedate orderid ordernumber orderno orderdate lineitemsku lineitemquantity lineitemprice"
    " financialstatus incrementid qtyordered transactionid bestellnummer bestelldatum bestellnr"
    " numerocommande datecommande numeropedido"
    " fechapedido".split()
)
"""Headers, as letters and digits, of files in which every row is a line of an order."""
