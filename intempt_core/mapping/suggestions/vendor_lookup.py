"""A vendor by its name, however a person writes it."""

from intempt_core.contract import suggest_nearest
from intempt_core.errors import MappingError
from intempt_core.mapping.suggestions.vendors import (
    ADOBE,
    GA4,
    MAGENTO,
    META,
    PERSONALIZE,
    RETAIL,
    UCI,
    UNIVERSAL,
    VENDORS,
    WOOCOMMERCE,
)
from intempt_core.mapping.suggestions.words import normalize_name

_SHORT_NAMES = {
    "ga4": GA4,
    "googleanalytics": GA4,
    "bigquery": GA4,
    "ua": UNIVERSAL,
    "woo": WOOCOMMERCE,
    "adobecommerce": MAGENTO,
    "retail": RETAIL,
    "vertexai": RETAIL,
    "personalize": PERSONALIZE,
    "amazonpersonalize": PERSONALIZE,
    "uci": UCI,
    "onlineretail": UCI,
    "adobe": ADOBE,
    "facebook": META,
}


def find_vendor(name: str) -> str:
    """Find a vendor by its name, however it is written. Raises :class:`MappingError` with those that are known."""
    known = {normalize_name(vendor): vendor for vendor in VENDORS} | _SHORT_NAMES
    found = known.get(normalize_name(name))
    if found is None:
        raise MappingError(
            f"“{name}” is no vendor whose exports are known. {suggest_nearest(name, VENDORS)}"
            " Without --vendor all of them are looked through."
        )
    return found
