"""What the fixture ``track_api`` gives: the address of a sandbox, expectations, feeds and simulated failures."""

import threading
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from intempt_core.contract import FEED_IDENTITY_TYPES, FeedIdentity, SandboxPath
from intempt_core.sandbox import SANDBOX_KEY
from intempt_core.testing.arrived_event import ArrivedEvent, parse_arrived_event
from intempt_core.testing.event_matching import EventPattern

if TYPE_CHECKING:
    from intempt_core.testing.process_sandbox import ProcessSandbox

DEFAULT_TIMEOUT_SECONDS = 5.0
"""How long an expected event may take to arrive, unless the test says otherwise."""

TEST_SOURCE = "1841503112918048769"
"""The source of every test. It has 19 digits, as real ones do, and is another one where it went through a float."""


class ExpectationFailed(AssertionError):
    """An event that a test expects did not arrive, or one arrived that it does not expect."""


class TrackApi:
    """A Track API of one test's own, served over real HTTP. For use by many threads.

    Attributes:
        org: The organisation.
        project: The project: no other test has it.
        source: The source.
        key: The API key, ``prefix.secret``.
        scheme: The scheme of every URL.
        host: Host and port.
        base_url: The URL before ``/v1``.
        url: The whole URL to which events are posted.
    """

    def __init__(self, server: "ProcessSandbox", project: str) -> None:
        self._server, self._door = server, server.door
        self.org, self.project, self.source, self.key = "test", project, TEST_SOURCE, SANDBOX_KEY
        self.base_url = server.base_url
        self.scheme, _, self.host = server.base_url.partition("://")
        self._project_path = f"/v1/{self.org}/projects/{quote(project, safe='')}"
        self.url = f"{self.base_url}{self._project_path}/sources/{self.source}/track"
        self._lock = threading.Lock()
        self._first_seq = server.last_seq
        self._taken: set[int] = set()
        self._fails = False

    def expect(
        self,
        name: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        processed: bool | None = True,
        after: ArrivedEvent | None = None,
        **fields: Any,
    ) -> ArrivedEvent:
        """Wait for an event, at most ``timeout`` seconds, and return it: the first that no earlier call returned.

        ``fields`` are the event's own, with their values (``userId="u1"``, ``data={"productId": "A1"}``); of an object
        only the given keys count. It must be processed, unless ``processed`` is false (ignored) or ``None`` (either);
        ``after`` is an event that must have arrived before it. Raises :class:`ExpectationFailed`, which says why.
        """
        __tracebackhide__ = True
        pattern = EventPattern(name, fields, processed, after.seq if after is not None else 0)
        found = self._await_event(pattern, timeout)
        if found is None:
            raise ExpectationFailed(f"No “{name}” arrived within {timeout:g} s.")
        return found

    def events(self) -> list[ArrivedEvent]:
        """Every event that arrived in this test's project, in the order of arrival, ignored ones too."""
        return self._read_events(self._first_seq)

    def feed(self, feed_id: str, **person: str) -> list[str]:
        """What a feed shows for one person: product ids, the most recent first. ``person`` is ``userId``, ``profileId``
        or ``accountId``.
        """
        ((field, person_id),) = person.items()
        kind = FEED_IDENTITY_TYPES[field]
        question = {"type": kind.value, "id": person_id, "fields": ["id"]}
        if kind is FeedIdentity.PROFILE:
            question["sourceId"] = self.source
        found = self._door.post(f"{self._project_path}/feeds/{quote(feed_id, safe='')}/data", question)
        return [product["id"] for product in found["products"]]

    def expect_nothing_else(self, *, within: float = 0.0) -> None:
        """Check that every event of this test was expected; with ``within``, that so many seconds bring no other.

        Raises :class:`ExpectationFailed`.
        """
        __tracebackhide__ = True
        others = [event for event in self.events() if event.seq not in self._taken]
        if not others and within > 0:
            last = max([self._first_seq, *self._taken])
            found = self._door.get(SandboxPath.WAIT, within, project=self.project, after=last, seconds=within)
            others = [parse_arrived_event(event) for event in found["events"]]
        if others:
            raise ExpectationFailed(f"{len(others)} other events arrived.")

    def fail(
        self,
        *,
        status: int | None = None,
        fault: Literal["status", "latency", "no_answer", "cut", "too_large", "slow_answer"] = "status",
        path: str = "*/track",
        **more: Any,
    ) -> None:
        """Simulate a failure in this test's project, instead of an earlier one: ``status=429, times=2``.

        ``fault`` and ``more`` are those of a fault document; ``path`` says which requests.
        """
        given = {"fault": fault, "path": path, **more} | ({} if status is None else {"status": status})
        self._fails = True
        self._door.put(self._faults_path, {"faults": [given]})

    def stop_failing(self) -> None:
        """Simulate no failure in this test's project any more."""
        self._fails = False
        self._door.delete(self._faults_path)

    def close(self) -> None:
        """End what is simulated; what arrives later is kept apart."""
        if self._fails:
            self.stop_failing()

    @property
    def _faults_path(self) -> str:
        return f"{SandboxPath.FAULTS}?project={quote(self.project, safe='')}"

    def _read_events(self, after: int) -> list[ArrivedEvent]:
        found: list[ArrivedEvent] = []
        cursor: int | None = after
        while cursor is not None:
            page = self._door.get(SandboxPath.EVENTS, project=self.project, after=cursor)
            found += map(parse_arrived_event, page["events"])
            cursor = page["next"]
        if found:
            self._server.note_seq(found[-1].seq)
        return found

    def _await_event(self, pattern: EventPattern, timeout: float) -> ArrivedEvent | None:
        """The first event that a pattern matches and that no earlier call took; ``None`` where none came in time."""
        until = time.monotonic() + timeout
        cursor = max(self._first_seq, pattern.after)
        while True:
            for event in self._read_events(cursor):
                cursor = event.seq
                if pattern.matches(event) and self._take(event):
                    return event
            left = until - time.monotonic()
            if left <= 0:
                return None
            wait = min(left, 60.0)
            self._door.get(SandboxPath.WAIT, wait, project=self.project, after=cursor, seconds=f"{wait:.3f}", limit=1)

    def _take(self, event: ArrivedEvent) -> bool:
        with self._lock:
            if event.seq in self._taken:
                return False
            self._taken.add(event.seq)
            return True
