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
from intempt_core.dispatch.gates import FAILURES_TO_BREAK
from intempt_core.dispatch.health import check_health
from intempt_core.dispatch.lanes import TurnResult, split_body
from intempt_core.dispatch.progress import Progress
from intempt_core.dispatch.simple import make_batch_intent, send_plan

__all__ = [
    "FAILURES_TO_BREAK",
    "Dispatcher",
    "Progress",
    "TurnResult",
    "split_body",
    "check_health",
    "make_batch_intent",
    "send_plan",
]
