"""The History screen: batches, requests and events that were sent, and what can be done with them.

- ``list_view``: the list of batches, and what waits for a person.
- ``view``: one batch, one request.
- ``event_view``: one event, everywhere it was sent.
- ``diff_view``: two bodies, requests, attempts or batches compared; ``batch_diff_view``: two batches.
- ``resend``: sending a batch again.
- ``case_view``: case files.
- ``funnel_view``: the conversion funnel of a batch.
- ``retention_view``: deleting old batches.
"""
