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

from intempt_core.dispatch.engine import Dispatcher
from intempt_core.dispatch.gates import IN_A_ROW
from intempt_core.dispatch.health import health
from intempt_core.dispatch.lanes import Turn, halved
from intempt_core.dispatch.progress import Progress
from intempt_core.dispatch.simple import intent_of, send

__all__ = ["IN_A_ROW", "Dispatcher", "Progress", "Turn", "halved", "health", "intent_of", "send"]
