"""Analysis: what events did, why a feed does not show what one expects, and how two things differ.

- ``event_result``: what became of a request in three steps: accepted, processed, feed as expected
- ``feed_diff``: what a feed shows, beside what it should show and beside what it showed before
- ``timeline``: everything that is known of one person's events, history's and a sandbox's
- ``absence``: why a product is not in a feed, in one sentence
- ``journey_notes``: what is odd about one person's events
- ``funnel``: how many persons of a batch viewed, added and ordered
- ``verdicts``, ``id_uses``: whether an event is valid, accepted, and takes effect; who used its id before
- ``resend_preview``: what sending some of a batch again would do
- ``diff``, ``diff_sources``: two bodies, requests or attempts compared by meaning
- ``batch_diff``: two batches compared event by event, at any size
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
