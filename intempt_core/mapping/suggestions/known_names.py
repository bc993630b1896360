"""What shops, vendors and languages call the events: cells of a name column, and the event that each probably is."""

from intempt_core.contract import EventName, is_event_name
from intempt_core.mapping.suggestions.vendors import (
    ADOBE,
    ALGOLIA,
    AMPLITUDE,
    GA4,
    KLAVIYO,
    MAGENTO,
    META,
    MPARTICLE,
    RETAIL,
    SEGMENT,
    SHOPIFY,
    SNOWPLOW,
    UNIVERSAL,
)
from intempt_core.mapping.suggestions.words import normalize_name

KNOWN_NAMES: tuple[tuple[EventName, str, str], ...] = (  # which event, whose name it is, cells as plain letters
    (EventName.VIEWED, "", ("productviewed view viewed itemseen productview itemview itemviewed viewproduct views"
     " seen detail detailview productdetail productdetailview productpageview productdetailviewed productpageviewed"
     " vieweditem angesehen produktangesehen artikelangesehen ansicht produktansicht aufruf produktaufruf"
     " vu produitvu vue consultation visto productovisto vista")),
    (EventName.VIEWED, GA4, "viewitem"),
    (EventName.VIEWED, META, "viewcontent"),
    (EventName.VIEWED, KLAVIYO, "viewedproduct"),
    (EventName.VIEWED, ADOBE, "prodview"),
    (EventName.VIEWED, RETAIL, "detailpageview"),
    (EventName.VIEWED, MPARTICLE, "viewdetail"),
    (EventName.VIEWED, ALGOLIA, "viewedobjectids"),
    (EventName.VIEWED, MAGENTO, "catalogproductview"),
    (EventName.ADDED, "", ("addedtocart cart cartadd addcart basketadd addtobasket addedtobasket addtobag addedtobag"
     " itemadded addproduct additem cartitemadded addproducttocart addtocartv1 additemtocart itemaddedtocart"
     " warenkorb indenwarenkorb indenwarenkorbgelegt zumwarenkorbhinzugefugt warenkorbhinzugefugt hinzugefugt"
     " panier ajoutaupanier ajouteaupanier ajoutpanier"
     " carrito anadidoalcarrito anadiralcarrito agregadoalcarrito agregaralcarrito")),
    (EventName.ADDED, GA4, "addtocart"),
    (EventName.ADDED, SEGMENT, "productadded"),
    (EventName.ADDED, SHOPIFY, "productaddedtocart"),
    (EventName.ADDED, UNIVERSAL, "add"),
    (EventName.ADDED, ADOBE, "scadd"),
    (EventName.ADDED, ALGOLIA, "addedtocartobjectids"),
    (EventName.ADDED, MAGENTO, "checkoutcartaddproduct"),
    (EventName.REMOVED, "", ("removedfromcart removeitem cartremove basketremove removefrombasket removefrombag"
     " removedfrombasket removedfrombag itemremoved removeproduct deletefromcart deletedfromcart cartitemremoved"
     " removeproductfromcart removefromcartv1 cartdelete removeitemfromcart itemremovedfromcart"
     " ausdemwarenkorbentfernt auswarenkorbentfernt ausdemwarenkorb warenkorbentfernt entfernt"
     " retraitdupanier retiredupanier suppressiondupanier supprimedupanier retire"
     " eliminadodelcarrito quitadodelcarrito eliminardelcarrito quitardelcarrito eliminado")),
    (EventName.REMOVED, GA4, "removefromcart"),
    (EventName.REMOVED, SEGMENT, "productremoved"),
    (EventName.REMOVED, SHOPIFY, "productremovedfromcart"),
    (EventName.REMOVED, UNIVERSAL, "remove"),
    (EventName.REMOVED, ADOBE, "scremove"),
    (EventName.REMOVED, MAGENTO, "checkoutcartremoveproduct"),
    (EventName.ORDERED, "", ("productordered order ordered checkoutcomplete orderplaced purchased buy bought"
     " sale orderconfirmed checkoutsuccess purchasev1 productpurchased itempurchased"
     " gekauft kauf bestellt bestellung produktgekauft achat achete commande produitachete"
     " compra comprado pedido pedidorealizado")),
    (EventName.ORDERED, GA4, "purchase"),
    (EventName.ORDERED, SNOWPLOW, "transaction"),
    (EventName.ORDERED, SEGMENT, "ordercompleted"),
    (EventName.ORDERED, SHOPIFY, "checkoutcompleted"),
    (EventName.ORDERED, KLAVIYO, "placedorder orderedproduct"),
    (EventName.ORDERED, RETAIL, "purchasecomplete"),
    (EventName.ORDERED, ALGOLIA, "purchasedobjectids"),
    (EventName.ORDERED, AMPLITUDE, "completepurchase purchasecompleted"),
    (EventName.ORDERED, MAGENTO, "checkoutonepagesuccess salesorderplaceafter"),
)  # fmt: skip
"""Event, whose name for it, and cells as letters and digits."""

_NAME_BY_CELL = {cell: (name, vendor) for name, vendor, cells in KNOWN_NAMES for cell in cells.split()}


def find_probable_name(cell: str) -> EventName | None:
    """The event that a cell of a name column probably is; ``None`` where nothing is known of it."""
    found = _NAME_BY_CELL.get(normalize_name(cell[:200]))
    return found[0] if found else None


def is_known_name(cell: str) -> bool:
    """Whether a cell is an event name, or probably stands for one."""
    return is_event_name(cell) or find_probable_name(cell) is not None


def describe_vendor(cell: str) -> str:
    """Whose name a cell is, in brackets; empty where many write it so."""
    vendor = _NAME_BY_CELL[normalize_name(cell[:200])][1]
    return f" ({vendor})" if vendor else ""
