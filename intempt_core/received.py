"""What the sandbox says became of a person's events: processed, or not, because…

Only the sandbox can be asked; a live target says nothing but 2xx (CONTRACT 2.6, 3.1).
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import orjson

from intempt_core.events import dump_json
from intempt_core.journeys import Foreign, Known, Step
from intempt_core.targets import Target
from intempt_core.wire import Client, exchanged

IDS_ASKED = 1_000
"""Event ids that are asked about at the most: the last ones."""

ANSWER_BYTES = 20_000_000
"""Bytes of an answer that are read; a longer one is none of the sandbox's."""


async def ask_sandbox(client: Client, target: Target, field: str, value: str, steps: Sequence[Step]) -> Known | None:
    """What the sandbox says of a person (an identity field and its id) and of these ``steps``.

    ``None`` where the target is no sandbox, or its answer cannot be read: then nothing more is known than before.
    """
    if target.origin != "sandbox":
        return None
    ids = list(dict.fromkeys(step.event_id for step in reversed(steps) if step.event_id))[:IDS_ASKED]
    question = {
        "org": target.org, "project": target.project, "sourceId": target.source, "by": field, "id": value,
        "eventIds": ids,
    }  # fmt: skip
    url = f"{target.base}/_sandbox/person"
    exchange = await exchanged(client, target, url, dump_json(question), keep=ANSWER_BYTES)
    if exchange.status != 200 or exchange.failure or exchange.cut:
        return None
    try:
        return _known(orjson.loads(exchange.answer), {step.event_id for step in steps})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _known(told: Mapping[str, Any], ours: Set[str]) -> Known:
    """Any: JSON of whoever answers at the sandbox's address. Events of other ids than ``ours`` are other clients'."""
    events, because = told["events"], told["unprocessed"]
    return Known(
        frozenset(str(event["eventId"]) for event in events),
        {str(id_): str(words) for id_, words in because.items()},
        tuple(
            Foreign(str(event["name"]), str(event["productId"]), int(event["received_at"]), str(event["client"]))
            for event in events
            if event["eventId"] not in ours
        ),
    )
