"""``send``: from a file, a journey or one event to every outcome.

- ``send``: check, plan, confirm, record the intent, send, report
- ``journeys``: what is sent without a file: a journey or one event
- ``prior_events``: what of a file went before
- ``sending``: how a batch is sent, by this process or by the console
- ``resume``: ``send --resume``
- ``outcome``: what became of a batch, and the exit code that says it
- ``request_text``: a request as text for a terminal
"""
