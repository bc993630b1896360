"""The TLS contexts of outgoing connections: which certificate authorities are trusted, read once a process."""

import ssl
from functools import cache

import httpx


@cache
def load_tls_context(purpose: str) -> ssl.SSLContext:  # noqa: ARG001  the cache's key
    """The default TLS context of one ``purpose``, made when first asked for: reading the authorities takes 30 ms.

    Each HTTP library sets its protocols (ALPN) on the context that it gets, so each purpose has one of its own.
    Nothing of the environment counts (``SSL_CERT_FILE``): a target is trusted for the same reasons wherever it is used.
    """
    return httpx.create_ssl_context(trust_env=False)
