"""The sandbox as an instrument, from the other side of its doors: what reached it, and its faults.

A sandbox is asked over HTTP, whether it stands in this process, in another or on another machine.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from intempt_core.contract import FaultDocument, parse_fault_document
from intempt_core.errors import SandboxUnavailable
from intempt_core.sandbox import SHOW_EVERYTHING
from intempt_core.targets import Target

SANDBOX_TIMEOUT_SECONDS = 5.0
"""How long an answer may take."""


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One line of the live view: an event, or a request that brought none (``seq`` is then ``None``).

    ``received_at`` is epoch milliseconds. ``processed`` is ``None`` where there is nothing to process; ``because`` says
    why an event is not, or why a request was refused. ``status`` is what was answered, ``None`` where nothing was;
    ``fault`` what was done to it on purpose. ``identity`` is the field in which ``person`` stood.
    """

    request: int
    seq: int | None
    received_at: int
    client: str
    address: str
    name: str | None
    person: str | None
    identity: str | None
    product: str | None
    processed: bool | None
    because: str | None
    status: int | None
    fault: str


@dataclass(frozen=True, slots=True)
class LiveView:
    """The last rows, newest first, and how many events the sandbox holds."""

    received: int
    rows: tuple[LiveRow, ...]


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request as it came: ``headers`` without credentials, ``body`` as raw text, ``whole`` or its beginning.

    ``size`` is the whole body's, in bytes. ``first`` is the ``seq`` of its first event, ``events`` how many it brought.
    """

    id: int
    received_at: int
    client: str
    address: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str
    size: int
    whole: bool
    status: int | None
    told: str
    fault: str
    taken: bool
    first: int | None
    events: int

    @property
    def text(self) -> str:
        """The request as raw text, the way it stood on the wire, without its credential."""
        head = "\n".join(f"{name}: {value}" for name, value in self.headers)
        return f"{self.method} {self.path}\n{head}\n\n{self.body}"


class SandboxClient:
    """The doors of one sandbox. For use by many threads.

    Every method raises :class:`SandboxUnavailable`.
    """

    def __init__(self, target: Target) -> None:
        headers = {"Authorization": target.credential.authorization} if target.credential else {}
        self._http = httpx.Client(
            base_url=target.base, headers=headers, timeout=SANDBOX_TIMEOUT_SECONDS, trust_env=False
        )

    def close(self) -> None:
        """Let go of the connections; nothing can be asked any more."""
        self._http.close()

    def live(self, *, limit: int = 100, name: str = "", shown: str = SHOW_EVERYTHING, text: str = "") -> LiveView:
        """The last ``limit`` rows of what is ``shown`` (a key of :data:`~intempt_core.sandbox.storage.live.LIVE_FILTERS`)."""
        told = self._request_json("GET", "live", params={"limit": limit, "name": name, "shown": shown, "text": text})
        return LiveView(told["received"], tuple(LiveRow(**row) for row in told["rows"]))

    def request(self, number: int) -> KeptRequest:
        """One request as it came."""
        told = self._request_json("GET", f"requests/{number}")
        told["headers"] = tuple((name, value) for name, value in told["headers"])
        fields = KeptRequest.__dataclass_fields__
        return KeptRequest(**{name: value for name, value in told.items() if name in fields})

    def event(self, seq: int) -> dict[str, Any]:
        """One event as ``GET /_sandbox/events`` tells it. Any: JSON."""
        found = self._request_json("GET", "events", params={"after": max(seq - 1, 0), "limit": 1})["events"]
        if not found or found[0]["seq"] != seq:
            raise SandboxUnavailable(f"The sandbox has no event {seq}. It may have been emptied since.")
        event: dict[str, Any] = found[0]
        return event

    def faults(self, seconds: float = SANDBOX_TIMEOUT_SECONDS) -> FaultDocument:
        """What goes wrong on purpose now, if the sandbox says so within ``seconds``."""
        return self._request_faults("GET", timeout=seconds)

    def set_faults(self, faults: FaultDocument) -> FaultDocument:
        """Put ``faults`` in the place of those there are."""
        return self._request_faults(
            "PUT", content=faults.model_dump_json(), headers={"content-type": "application/json"}
        )

    def _request_faults(self, method: str, **more: Any) -> FaultDocument:
        told = self._request_json(method, "faults", **more)
        del told["sentence"]
        return parse_fault_document(told)

    def _request_json(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The answer of a door. Any: httpx's own arguments; JSON."""
        try:
            answer = self._http.request(method, f"/_sandbox/{path}", **more)
            told = json.loads(answer.content)  # numbers and texts that no faster reader takes are taken here too
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise SandboxUnavailable(f"The sandbox at {self._http.base_url} did not answer: {error}.") from None
        if not isinstance(told, Mapping) or not answer.is_success:
            said = told.get("message") if isinstance(told, Mapping) else None
            raise SandboxUnavailable(str(said or f"The sandbox answered with status {answer.status_code}."))
        return dict(told)
