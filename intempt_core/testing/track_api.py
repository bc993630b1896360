"""What the fixture ``track_api`` gives: the address of a sandbox, expectations, feeds and simulated failures."""

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn
from urllib.parse import quote

from intempt_core.contract import (
    FEED_IDENTITY_TYPES,
    FEED_TITLES,
    MAX_WAIT_SECONDS,
    FeedIdentity,
    SandboxPath,
    join_words,
    suggest_nearest,
)
from intempt_core.errors import SandboxUnavailable
from intempt_core.sandbox import SANDBOX_KEY
from intempt_core.testing.arrived_event import ArrivedEvent, parse_arrived_event
from intempt_core.testing.event_matching import EventPattern
from intempt_core.testing.feed_products import FeedProducts

if TYPE_CHECKING:
    from intempt_core.testing.arrival_survey import ArrivalSurvey
    from intempt_core.testing.process_sandbox import ProcessSandbox

DEFAULT_TIMEOUT_SECONDS = 5.0
"""How long an expected event may take to arrive, unless the test says otherwise."""

TEST_ORG = "test"
"""The organisation of every test."""

TEST_SOURCE = "1841503112918048769"
"""The source of every test. It has 19 digits, as real ones do, and is another one where it went through a float."""

EXPECTED_FIELDS = (
    "eventId", "profileId", "userId", "anotherUserId", "accountId", "anotherAccountId", "timestamp", "sessionId",
    "pageId", "data", "userAttributes", "accountAttributes",
)  # fmt: skip
"""The fields of an event (CONTRACT 1.4) that an expectation may name."""

MAX_CURL_CHARACTERS = 4_000
"""Characters of an event that a report gives a command for; a longer one fills the screen."""


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
        self.org, self.project, self.source, self.key = TEST_ORG, project, TEST_SOURCE, SANDBOX_KEY
        self.base_url = server.base_url
        self.scheme, _, self.host = server.base_url.partition("://")
        self._project_path = f"/v1/{self.org}/projects/{quote(project, safe='')}"
        self.url = f"{self.base_url}{self._project_path}/sources/{self.source}/track"
        self._lock = threading.Lock()
        self._first_seq, self._first_request = server.last_seq, server.last_request
        self._taken: set[int] = set()
        self._fails = False

    def __repr__(self) -> str:
        return f"<TrackApi {self.url}>"

    # ── what arrives ──────────────────────────────────────────────────────────────────────────────────────────────

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
        ``after`` is an event that must have arrived before it. Raises :class:`ExpectationFailed`, which says why, and
        TypeError for a field that no event has.
        """
        __tracebackhide__ = True
        _check_fields(fields)
        given = after.seq if after is not None else 0
        pattern = EventPattern(name, fields, processed, given, self.org, self.source)
        found = self._await_event(pattern, timeout)
        if found is None:
            self._fail_missing(pattern, timeout)
        return found

    def expect_nothing_else(self, *, within: float = 0.0) -> None:
        """Check that every event of this test was expected, and that no request of it was rejected.

        With ``within`` so many seconds must bring no other event either. Raises :class:`ExpectationFailed`.
        """
        __tracebackhide__ = True
        survey = self._survey()
        if not survey.others and not survey.rejections and within > 0:
            last = max([self._first_seq, *self._taken])
            self._door.get(SandboxPath.WAIT, within, project=self.project, after=last, seconds=f"{within:.3f}")
            survey = self._survey()
        if survey.others or survey.rejections:
            from intempt_core.testing.failure_report import report_other_arrivals  # noqa: PLC0415  for failures alone

            text, event = report_other_arrivals(survey)
            raise ExpectationFailed(text + self._render_command("repeat the first of them", event))

    def events(self) -> list[ArrivedEvent]:
        """Every event that arrived in this test's project, in the order of arrival, ignored ones too."""
        return self._read_events(self._first_seq)

    def feed(
        self,
        feed_id: str,
        *,
        userId: str | None = None,  # noqa: N803  the event's own words
        profileId: str | None = None,  # noqa: N803
        accountId: str | None = None,  # noqa: N803
    ) -> list[str]:
        """What a feed shows now for one person: product ids, the most recent first.

        The list is one like any other; where an assertion on it fails, pytest says why the feed shows what it shows.
        Raises ValueError for an unknown feed, and TypeError where not one person is given.
        """
        named = {"userId": userId, "profileId": profileId, "accountId": accountId}
        given = [(field, person) for field, person in named.items() if person is not None]
        if len(given) != 1:
            raise TypeError(f"feed() takes one person, by one of {join_words(FEED_IDENTITY_TYPES, 'or')}.")
        if feed_id not in FEED_TITLES:
            raise ValueError(f"No feed has the id “{feed_id}”. {suggest_nearest(feed_id, FEED_TITLES)}")
        ((field, person),) = given
        kind = FEED_IDENTITY_TYPES[field]
        question = {"type": kind.value, "id": person, "fields": ["id"]}
        if kind is FeedIdentity.PROFILE:
            question["sourceId"] = self.source
        found = self._door.post(f"{self._project_path}/feeds/{quote(feed_id, safe='')}/data", question)
        products = [str(product["id"]) for product in found["products"]]
        title = f"track_api.feed({feed_id!r}, {field}={person!r})"
        return FeedProducts(
            products, title, lambda expected: self._explain_feed(feed_id, field, person, products, expected)
        )

    # ── simulated failures ────────────────────────────────────────────────────────────────────────────────────────

    def fail(
        self,
        *,
        status: int | None = None,
        fault: Literal["status", "latency", "no_answer", "cut", "too_large", "slow_answer"] = "status",
        path: str = "*/track",
        **more: Any,
    ) -> None:
        """Simulate a failure in this test's project, instead of an earlier one: ``status=429, times=2``.

        ``fault`` and ``more`` are those of a fault document (docs/sandbox.md); ``path`` says which requests, by default
        those that bring events. Raises :class:`~intempt_core.errors.SandboxUnavailable` with what is allowed.
        """
        given = {"fault": fault, "path": path, **more} | ({} if status is None else {"status": status})
        self._door.put(self._faults_path, {"faults": [given]})
        self._fails = True

    def stop_failing(self) -> None:
        """Simulate no failure in this test's project any more."""
        self._fails = False
        self._door.delete(self._faults_path)

    def close(self) -> None:
        """End what is simulated; what arrives later is kept apart."""
        if self._fails:
            self.stop_failing()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────

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
            self._server.note_arrival(found[-1].seq, found[-1].request)
        return found

    def _await_event(self, pattern: EventPattern, timeout: float) -> ArrivedEvent | None:
        """The first event that a pattern matches and that no earlier call took; ``None`` where none came in time."""
        until = self._server.clock() + timeout
        cursor = max(self._first_seq, pattern.after)
        while True:
            for event in self._read_events(cursor):
                cursor = event.seq
                if pattern.matches(event) and self._take(event):
                    return event
            left = until - self._server.clock()
            if left <= 0:
                return None
            wait = min(left, MAX_WAIT_SECONDS)
            self._door.get(SandboxPath.WAIT, wait, project=self.project, after=cursor, seconds=f"{wait:.3f}", limit=1)

    def _take(self, event: ArrivedEvent) -> bool:
        with self._lock:
            if event.seq in self._taken:
                return False
            self._taken.add(event.seq)
            return True

    # ── why an expectation failed ─────────────────────────────────────────────────────────────────────────────────

    def _survey(self) -> "ArrivalSurvey":
        from intempt_core.testing.arrival_survey import survey_arrivals  # noqa: PLC0415  for the end of a test alone

        with self._lock:
            taken = frozenset(self._taken)
        return survey_arrivals(self._server, self.project, taken, self._first_seq, self._first_request)

    def _fail_missing(self, pattern: EventPattern, timeout: float) -> NoReturn:
        __tracebackhide__ = True
        from intempt_core.testing.failure_report import report_missing_event  # noqa: PLC0415  the same

        survey = self._survey()
        text, near = report_missing_event(
            pattern, self.project, survey, timeout=timeout, blocks_loop=_is_inside_event_loop()
        )
        person = next(
            ((field, pattern.fields[field]) for field in FEED_IDENTITY_TYPES if field in pattern.fields), None
        )
        if person is not None and survey.events:
            text += self._describe_feed(pattern, *person)
        if near is not None:
            raise ExpectationFailed(text + self._render_command("repeat the nearest", near))
        sent = ArrivedEvent(0, 0, 0, self.org, self.project, self.source, "", pattern.name,
                            {"eventId": "evt_1", **pattern.fields}, False, "", (), None)  # fmt: skip
        raise ExpectationFailed(text + self._render_command("send what was expected", sent))

    def _describe_feed(self, pattern: EventPattern, field: str, person: object) -> str:
        """What the feed that an expected event drives shows for its person, and why."""
        from intempt_core.testing.failure_report import find_feed  # noqa: PLC0415  for failures alone

        feed_id, data = find_feed(pattern.name), pattern.fields.get("data")
        product = data.get("productId") if isinstance(data, Mapping) else None
        try:
            shown = list(self.feed(feed_id, **{field: str(person)}))
            wanted = shown if product is None else [str(product)]
            lines = self._explain_feed(feed_id, field, str(person), shown, wanted)
        except SandboxUnavailable as error:  # a simulated failure, perhaps
            return f"\n\nThe feed {feed_id} of {field} {person} could not be read: {error}"
        return "\n\n" + "\n".join([f"The feed {feed_id} of {field} {person} shows {shown!r}.", *lines])

    def _explain_feed(
        self, feed_id: str, field: str, person: str, shown: Sequence[str], expected: Sequence[str]
    ) -> list[str]:
        from intempt_core.testing.feed_explanation import FeedQuestion, explain_products  # noqa: PLC0415  the same

        question = FeedQuestion(feed_id, field, person, self.org, self.project, self.source)
        return explain_products(question, self._door, self._survey(), shown, expected)

    def _render_command(self, purpose: str, event: ArrivedEvent | None) -> str:
        """A command that sends an event to this test's project; empty where it would be long."""
        if event is None:
            return ""
        from intempt_core.exports import render_curl_snippet  # noqa: PLC0415  for failures alone
        from intempt_core.targets import sandbox_target  # noqa: PLC0415

        body = json.dumps({"track": [{"name": event.name, "payload": [event.body]}]}, ensure_ascii=False, default=repr)
        if len(body) > MAX_CURL_CHARACTERS:
            return ""
        target = replace(sandbox_target(self.base_url), org=self.org, project=self.project, source=self.source)
        command = render_curl_snippet(target, body.encode()).replace(" \\\n  ", " ").rstrip()
        return f"\n\nTo {purpose} (the key is {self.key}):\n  {command}"


def _check_fields(fields: Mapping[str, Any]) -> None:
    """Raise TypeError for a field that no event has, and which one was meant."""
    for field in fields:
        if field not in EXPECTED_FIELDS:
            raise TypeError(
                f"expect() takes the fields of an event, and “{field}” is none."
                f" {suggest_nearest(field.replace('_', ''), EXPECTED_FIELDS)}"
            )


def _is_inside_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
