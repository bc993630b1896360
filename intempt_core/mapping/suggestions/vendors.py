"""Vendors whose exports are known by name. It imports nothing: the help of the command line lists them."""

GA4, UNIVERSAL, SEGMENT, RUDDERSTACK = "Google Analytics 4", "Universal Analytics", "Segment", "RudderStack"
SNOWPLOW, MIXPANEL, AMPLITUDE, KLAVIYO = "Snowplow", "Mixpanel", "Amplitude", "Klaviyo"
SHOPIFY, WOOCOMMERCE, MAGENTO, RETAIL = "Shopify", "WooCommerce", "Magento", "Google Retail"
PERSONALIZE, RETAILROCKET, UCI = "AWS Personalize", "Retailrocket", "UCI Online Retail"
META, ADOBE, MPARTICLE, ALGOLIA = "Meta", "Adobe Analytics", "mParticle", "Algolia"

VENDORS = (
    SHOPIFY,
    WOOCOMMERCE,
    MAGENTO,
    SEGMENT,
    RUDDERSTACK,
    SNOWPLOW,
    GA4,
    UNIVERSAL,
    MIXPANEL,
    AMPLITUDE,
    KLAVIYO,
    RETAIL,
    PERSONALIZE,
    RETAILROCKET,
    UCI,
    META,
    ADOBE,
    MPARTICLE,
    ALGOLIA,
)
"""Every vendor whose words are known."""
