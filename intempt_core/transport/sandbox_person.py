"""What the sandbox says became of a person's events: processed, or not, because…

Only the sandbox can be asked; a live target says nothing but 2xx (CONTRACT 2.6, 3.1).
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import orjson

from intempt_core.contract import ForeignEvent, PersonEvent, ProcessingStatus, dump_json
from intempt_core.targets import Target
from intempt_core.transport.exchange import HttpClient, post_body

MAX_IDS_QUERIED = 1_000
"""Event ids that are asked about at the most: the last ones."""

STATUS_RESPONSE_BYTES = 20_000_000
"""Bytes of an answer that are read; a longer one is none of the sandbox's."""


async def read_processing_status(
    client: HttpClient, target: Target, field: str, value: str, events: Sequence[PersonEvent]
) -> ProcessingStatus | None:
    """What the sandbox says of a person (an identity field and its id) and of these ``steps``.

    ``None`` where the target is no sandbox, or its answer cannot be read: then nothing more is known than before.
    """
    if target.origin != "sandbox":
        return None
    ids = list(dict.fromkeys(step.event_id for step in reversed(events) if step.event_id))[:MAX_IDS_QUERIED]
    question = {
        "org": target.org, "project": target.project, "sourceId": target.source, "by": field, "id": value,
        "eventIds": ids,
    }  # fmt: skip
    url = f"{target.base}/_sandbox/person"
    exchange = await post_body(client, target, url, dump_json(question), max_bytes=STATUS_RESPONSE_BYTES)
    if exchange.status != 200 or exchange.failure or exchange.truncated:
        return None
    try:
        return _parse_status(orjson.loads(exchange.response_body), {step.event_id for step in events})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _parse_status(document: Mapping[str, Any], ours: Set[str]) -> ProcessingStatus:
    """Any: JSON of whoever answers at the sandbox's address. Events of other ids than ``ours`` are other clients'."""
    events, because = document["events"], document["unprocessed"]
    return ProcessingStatus(
        frozenset(str(event["eventId"]) for event in events),
        {str(id_): str(words) for id_, words in because.items()},
        tuple(
            ForeignEvent(str(event["name"]), str(event["productId"]), int(event["received_at"]), str(event["client"]))
            for event in events
            if event["eventId"] not in ours
        ),
    )
