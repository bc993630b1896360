"""What sending needs from outside: settings, targets with their keys, time, chance and the network."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from intempt_core.contract import now_ms
from intempt_core.history import BatchSummary
from intempt_core.settings import Settings
from intempt_core.targets import Target


@dataclass(frozen=True, slots=True)
class SendingEnvironment:
    """Made once, by who makes a dispatcher, and handed to all that sends. A test passes its own clock and network.

    Attributes:
        settings: limits, timeouts, and the data folder.
        resolve_target: finds the target of a batch with its key; a :class:`~intempt_core.errors.ConsoleError` that it
            raises pauses the batch with its sentence.
        clock: the time now, in epoch ms.
        rng: varies the pauses before an attempt is repeated.
        transport: sends HTTP requests; ``None`` for the network.
    """

    settings: Settings
    resolve_target: Callable[[BatchSummary], Target]
    clock: Callable[[], int] = now_ms
    rng: random.Random = field(default_factory=random.Random)
    transport: httpx.AsyncBaseTransport | None = None
