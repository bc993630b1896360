"""The sandbox's own word on the events that it has received: processed, or why not (CONTRACT 2.6, 3.8)."""

from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
import httpx

from intempt_core.targets import SANDBOX, Target
from intempt_core.transport.exchange import HttpClient

MAX_PERSONS_QUERIED = 20
"""Persons whose events are asked for, at the most: a payload may name thousands."""

MAX_PERSON_EVENTS = 10_000
"""Events of one person that are read."""


@dataclass(frozen=True, slots=True)
class SandboxVerdict:
    """What the sandbox says of one event: when it came (epoch ms), from which client, and why it is not processed.

    ``because`` is empty where it is processed; ``repeat`` where it repeats an event that came before.
    """

    event_id: str
    product_id: str | None
    received_at: int
    client: str
    reason: str
    is_repeat: bool


async def read_sandbox_verdicts(
    client: HttpClient, target: Target, persons: Iterable[str]
) -> dict[str, list[SandboxVerdict]] | None:
    """The sandbox's words on the events of these persons (any identity), by event id, in the order of arrival.

    ``None`` where the target is no sandbox, or does not answer as one.
    """
    if target.origin != SANDBOX or target.credential is None:
        return None
    found: dict[str, list[SandboxVerdict]] = {}
    headers = {"Authorization": target.credential.authorization}
    try:
        for person in list(dict.fromkeys(persons))[:MAX_PERSONS_QUERIED]:
            asked = {"person": person, "limit": str(MAX_PERSON_EVENTS)}
            answer = await client.get(f"{target.base}/_sandbox/events", params=asked, headers=headers)
            for event in answer.raise_for_status().json()["events"]:
                word = SandboxVerdict(
                    str(event["eventId"]),
                    event["productId"],
                    int(event["received_at"]),
                    str(event["client"]),
                    event["because"] or "",
                    "event_id_repeated" in event["codes"],
                )
                mine = found.setdefault(word.event_id, [])
                if word not in mine:  # a person may be asked about under several ids
                    mine.append(word)
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
        return None
    return found
