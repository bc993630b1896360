"""Sending: nothing lost, nothing doubled, nothing reordered, nothing hidden.

- ``engine``: the process that sends: batches found, adopted, started, paused
- ``batches``: one batch until it is done or stands: its lanes in groups, each driven chunk by chunk
- ``runs``, ``durable``, ``workflows``: who calls for the next chunk: a loop of this process, or the durable engine
- ``lanes``: one lane in order, what happens after each outcome
- ``gates``: what all batches to one target share: its pace, and the breaker that pauses them
- ``ledger``: history in a thread, marks of many lanes in one transaction
- ``health``: whether this process can send, for whoever watches it from outside
- ``progress``: counts, rate, time left, reason
- ``simple``: plan in, outcome out, for a program that waits
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
