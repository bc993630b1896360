"""Webhooks: a target's is told when one of its batches has ended, stopped or was paused.

- ``signature``: the headers that sign a message, as the Standard Webhooks specification has them
- ``message``: the message itself: the batch's state and counts, no event, no response and no key
- ``delivery``: one attempt, and whether it is worth another one
- ``deliverer``: the thread that delivers what history's outbox has, from any number of processes

What is to be told is written by history in the transaction that changes a batch's state, so that neither a restart nor
a receiver that is away loses it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
