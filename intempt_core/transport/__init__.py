"""Transport: one attempt over HTTP, and what is known after it.

- ``exchange``: one request and its response, and what a failure proves
- ``tls``: the certificate authorities that are trusted, read once a process
- ``track_client``: events are posted; outcome, retries, connection test
- ``feed_client``: a feed is read
- ``arrival_verdicts``: what became of a request, by the arrivals of its events
- ``sandbox_client``: the sandbox's own API; ``person_arrivals``: what it says of one person's events
- ``_httpx_fast``: the one module that relies on httpx's internals
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
