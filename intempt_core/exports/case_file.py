"""A case file: one request with everything that is known of it, written to be shared and read again.

It holds the timeline, the request, the responses, the problems and the versions, as JSON or as one HTML page without a
script that contains the same JSON. It names nobody unless the caller wants it as it was sent: all that is kept is what
describes a product, the contract's own fields and plain words; the rest are pseudonyms (``pseudonyms.py``). The
problems are those of the body that the file shows. No key is in it (``secret_guard.py`` checks once more). Inspect
opens it: what is read there was written by others, so it is treated as data.
"""

import html
import platform
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from intempt_core.contract import ISSUE_KINDS, Json, dump_json, get_field, is_event_name, now_ms
from intempt_core.errors import ReadError
from intempt_core.exports.body_pseudonyms import rewrite_body, rewrite_response
from intempt_core.exports.personal_values import read_all_values
from intempt_core.exports.pseudonyms import Pseudonymizer
from intempt_core.exports.salt import Salt, check_salt
from intempt_core.history import AttemptRecord, BatchSummary, History, RequestRecord
from intempt_core.readers import JsonText, read_payload
from intempt_core.validation import check_events, escape_invisible

CASE_MARKER = "case_file"
"""The key that makes a JSON object a case file; its value is the version of the form."""

CASE_VERSION = 2
"""The version that is written; version 1 is read too."""

CASE_OPEN_TAG, CASE_CLOSE_TAG = '<pre id="case-file">', "</pre>"
"""The tags around the JSON in a page."""

MAX_CASE_PROBLEMS = 200
"""Problems of the request that a case lists at the most."""

IDENTITIES_AS_SENT = "as sent"
IDENTITIES_PSEUDONYMIZED = "pseudonyms"

_CASE_START = re.compile(r'\s*\{\s*"case_file"\s*:')

_KEYS_OF_VERSION_1: Mapping[str, Mapping[str, str]] = {
    "batch": {"what": "label", "from": "source"},
    "attempts": {"answer": "response", "answer_length": "response_length"},
    "problems": {"says": "message", "mend": "fix"},
}
"""Section → key in version 1 → key now."""

_PAGE_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8888; padding: 0.6rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #8884;
overflow-wrap: anywhere; }
"""


def build_case(
    history: History,
    request: int | str,
    version: str,
    *,
    salt: Salt | None,
    kept_keys: Collection[str] = (),
    clock: Callable[[], int] = now_ms,
) -> dict[str, Json]:
    """Build the case of one request. With a ``salt`` it names nobody, without it is as it was sent.

    The values of ``kept_keys`` in data and attributes are as they were sent in any case. ``version`` is the console's,
    ``clock`` gives epoch milliseconds. Raises :class:`~intempt_core.errors.NotFound`.
    """
    found = history.queries.request(request)
    batch = history.queries.batch(found.summary.batch)
    body = found.body.decode("utf-8", "replace")
    problems = _find_problems(body)
    texts: _CaseTexts = _TextsAsSent()
    if salt is not None:
        salt = salt if salt.note else check_salt(salt.secret)
        texts = _TextsWithPseudonyms(salt.secret, body, found, batch, kept_keys)
        body = "" if problems is None else texts.body(body)
        problems = _compare_problems(problems, _find_problems(body))
    case: dict[str, Json] = {
        CASE_MARKER: CASE_VERSION,
        "made_at": _format_time(clock()),
        "identities": IDENTITIES_AS_SENT if salt is None else IDENTITIES_PSEUDONYMIZED,
        "versions": {"console": version, "python": platform.python_version()},
        "target": {
            "name": texts.text(batch.target.name),
            "address": texts.address(batch.target.track_url),
            "deduplicates": batch.target.deduplicates,
            "production": batch.target.production,
        },
        "batch": {
            "id": batch.id,
            "label": texts.text(batch.label),
            "source": batch.source.value,
            "policy": batch.policy.value,
        },
        "timeline": _build_timeline(batch, found, texts),
        "request": {"id": found.summary.id, "state": found.summary.state.value, "body": body},
        "attempts": [_dump_attempt(one, texts) for one in found.attempts],
        "problems": problems or [],
        "events": [
            {
                "name": texts.event_name(event.event.name),
                "eventId": texts.event_id(event.event.event_id),
                "product": texts.product(event.event.product_id),
            }
            for event in found.events
        ],
    }
    if salt is not None and kept_keys:
        case["kept"] = sorted(kept_keys)
    if salt is not None and salt.note:
        case["note"] = salt.note
    return case


def dump_case(case: Mapping[str, Json]) -> str:
    """Dump a case as JSON, indented."""
    return dump_json(case, indent=True).decode("utf-8", "replace")


def render_case_page(case: Mapping[str, Json]) -> Iterator[str]:
    """Render a case as one HTML page, in pieces.

    It has no script and loads nothing; everything is escaped, and invisible characters are written out.
    """
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Case file</title><style>{_PAGE_STYLE}</style></head><body>"
    )
    title = f"Request {get_field(case, 'request.id')}: {get_field(case, 'request.state')}"
    yield f"<h1>{_escape_value(title)}</h1>"
    yield f"<p>Made {_escape_value(case['made_at'])}. {_escape_value(_describe_names(case))}</p>"
    for title, key in (("Target", "target"), ("Batch", "batch"), ("Versions", "versions")):
        yield f"<h2>{title}</h2>" + _render_table([(name, value) for name, value in case[key].items()])
    yield "<h2>Timeline</h2>" + _render_table([(one["at"], one["what"]) for one in case["timeline"]])
    yield f"<h2>Request</h2><pre>{_escape_value(_indent_json(get_field(case, 'request.body')))}</pre>"
    for one in case["attempts"]:
        yield f"<h2>Response {_escape_value(one['number'])}: {_escape_value(one['status'] or 'none')}</h2>"
        yield _render_table(list(one["headers"])) + f"<pre>{_escape_value(one['response'] or '(empty)')}</pre>"
    yield "<h2>Problems</h2>" + (
        _render_table(
            [(f"{one['severity']}: {one['where']}", f"{one['message']} {one['fix']}") for one in case["problems"]]
        )
        or "<p>None were found.</p>"
    )
    escaped = html.escape(dump_case(case), quote=False)
    yield "<h2>The same for a machine</h2><p>Inspect opens this page.</p>"
    yield f"{CASE_OPEN_TAG}{escaped}{CASE_CLOSE_TAG}</body></html>\n"


def _describe_names(case: Mapping[str, Json]) -> str:
    """What of the case is as it was sent, in sentences."""
    if case["identities"] != IDENTITIES_PSEUDONYMIZED:
        return "Everything is as it was sent, persons too."
    kept = f" So are the values of {', '.join(case['kept'])}." if case.get("kept") else ""
    note = f" {case['note']}" if case.get("note") else ""
    return (
        "It names nobody: values of product keys and plain words are as they were sent, everything else is a "
        f"pseudonym, the same for the same.{kept}{note}"
    )


class _CaseTexts(Protocol):
    """How the case shows what has a person in it, perhaps."""

    def text(self, text: str) -> str:
        """A sentence, a name, a header."""

    def address(self, text: str) -> str:
        """The target's address."""

    def response(self, text: str) -> str:
        """The body of a response."""

    def event_name(self, text: str | None) -> str | None:
        """The name of an event."""

    def event_id(self, text: str | None) -> str | None:
        """The id of an event."""

    def product(self, text: str | None) -> str | None:
        """The id of a product."""


class _TextsAsSent:
    def text(self, text: str) -> str:
        return text

    address = response = text

    def event_name(self, text: str | None) -> str | None:
        return text

    event_id = product = event_name


class _TextsWithPseudonyms:
    """Texts without persons, of one request."""

    def __init__(
        self, secret: bytes, body: str, request: RequestRecord, batch: BatchSummary, kept_keys: Collection[str]
    ) -> None:
        try:
            JsonText(body)
            documents = [read_all_values(body)]
        except ReadError:
            documents = []
        stored = (event.event for event in request.events)
        documents += [
            {"profileId": one.profile_id, "userId": one.user_id, "anotherUserId": one.another_user_id,
             "accountId": one.account_id}
            for one in stored
        ]  # fmt: skip
        target = batch.target
        self._kept_keys = frozenset(kept_keys)
        self._names = Pseudonymizer(secret, documents, self._kept_keys, (target.host, target.base, target.track_url))

    def body(self, text: str) -> str:
        return rewrite_body(text, self._names, self._kept_keys)

    def text(self, text: str) -> str:
        return self._names.replace_in_text(text)

    def address(self, text: str) -> str:
        return self._names.replace_persons(text)

    def response(self, text: str) -> str:
        try:
            return rewrite_response(text, self._names)
        except ReadError:
            return self._names.replace_in_text(text)

    def event_name(self, text: str | None) -> str | None:
        return text if text is None or is_event_name(text) else self._names.replace_in_text(text)

    def event_id(self, text: str | None) -> str | None:
        return None if text is None else self._names.replace_in_event_id(text)

    def product(self, text: str | None) -> str | None:
        return None if text is None else self._names.replace_persons(text)


def _build_timeline(batch: BatchSummary, request: RequestRecord, texts: _CaseTexts) -> list[dict[str, Json]]:
    """What happened to the request, when: UTC."""
    moments: list[tuple[int, str]] = [
        (batch.created_at, "recorded before anything was sent"),
        *(
            (
                one.started_at,
                f"try {one.number}: {one.outcome.value} after {one.elapsed_ms:.0f} ms. {texts.text(one.reason)}",
            )
            for one in request.attempts
        ),
        (request.summary.updated_at, f"the state is {request.summary.state.value}"),
    ]
    return [{"at": _format_time(at), "what": what} for at, what in moments]


def _find_problems(body: str) -> list[dict[str, Json]] | None:
    """The problems of a body, as a case lists them; ``None`` where it cannot be read."""
    try:
        payload = read_payload(body)
    except ReadError:
        return None
    issues = check_events(payload.events, None, payload.issues).issues(limit=MAX_CASE_PROBLEMS)
    return [
        {
            "code": issue.code,
            "severity": issue.severity.value,
            "where": issue.place.path,
            "message": issue.message,
            "fix": issue.fix,
        }
        for issue in issues
    ]


def _compare_problems(
    as_sent: list[dict[str, Json]] | None, shown: list[dict[str, Json]] | None
) -> list[dict[str, Json]]:
    """The problems of the body that is shown, and the codes that only the one that was sent has."""
    found = shown or []
    missing = Counter(one["code"] for one in as_sent or ()) - Counter(one["code"] for one in found)
    hidden = "It is in the request as it was sent; a pseudonym hides it here."
    return found + [
        {
            "code": code,
            "severity": ISSUE_KINDS[code].severity.value,
            "where": "",
            "message": f"{ISSUE_KINDS[code].title} ({count}). {hidden}",
            "fix": ISSUE_KINDS[code].fix,
        }
        for code, count in missing.items()
    ]


def _render_table(rows: list[tuple[Json, Json]]) -> str:
    cells = "".join(f"<tr><th>{_escape_value(name)}</th><td>{_escape_value(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>" if rows else ""


def _escape_value(value: Json) -> str:
    return html.escape(
        escape_invisible(value if isinstance(value, str) else dump_json(value).decode("utf-8", "replace"))
    )


def _indent_json(body: str) -> str:
    try:
        return dump_json(JsonText(body).value, indent=True).decode("utf-8", "replace")
    except ReadError:
        return body


def _format_time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")


def _dump_attempt(one: AttemptRecord, texts: _CaseTexts) -> dict[str, Json]:
    return {
        "number": one.number,
        "started_at": _format_time(one.started_at),
        "elapsed_ms": round(one.elapsed_ms, 1),
        "outcome": one.outcome.value,
        "status": one.status,
        "reason": texts.text(one.reason),
        "sent_headers": [[texts.text(name), texts.text(content)] for name, content in one.sent_headers],
        "headers": [[texts.text(name), texts.text(content)] for name, content in one.headers],
        "response": texts.response(one.response_body.decode("utf-8", "replace")),
        "response_length": one.response_length,
    }


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class CaseFile:
    """A case file that was read.

    Attributes:
        made_at: When it was made, as text.
        identities: :data:`IDENTITIES_AS_SENT` or :data:`IDENTITIES_PSEUDONYMIZED`, as the file says.
        body: The body of the request.
        facts: The rest of the case as lines of text.
    """

    made_at: str
    identities: str
    body: str = field(repr=False)
    facts: tuple[str, ...] = field(repr=False)


def read_case(text: str) -> CaseFile | None:
    """Read the case file in a text; ``None`` where it is none. Raises :class:`ReadError` for a damaged one."""
    start = text.find(CASE_OPEN_TAG) if text.lstrip()[:1] == "<" else -1
    if start >= 0:
        end = text.find(CASE_CLOSE_TAG, start)
        text = html.unescape(text[start + len(CASE_OPEN_TAG) : end if end >= 0 else len(text)])
    if not _CASE_START.match(text):
        return None
    document: Mapping[str, Json] = JsonText(text).value  # it begins with a bracket and a key
    request = document.get("request")
    body = request.get("body") if isinstance(request, Mapping) else None
    if document.get(CASE_MARKER) not in (1, CASE_VERSION) or not isinstance(body, str):
        raise ReadError("This is a case file of another form, or not a whole one. Make it again on the request's page.")
    if document[CASE_MARKER] == 1:
        document = _rename_keys_of_version_1(document)
    return CaseFile(
        str(document.get("made_at", "")), str(document.get("identities", "")), body, tuple(_describe_case(document))
    )


def _rename_keys_of_version_1(document: Mapping[str, Json]) -> dict[str, Json]:
    def rename(part: Json, keys: Mapping[str, str]) -> Json:
        if isinstance(part, list):
            return [rename(one, keys) for one in part]
        return {keys.get(key, key): value for key, value in part.items()} if isinstance(part, Mapping) else part

    return {section: rename(part, _KEYS_OF_VERSION_1.get(section, {})) for section, part in document.items()}


def _describe_case(document: Mapping[str, Json]) -> list[str]:
    """Everything but the request, a line each; whatever is there is text."""
    lines = []
    for key in ("target", "batch", "versions"):
        part = document.get(key)
        if isinstance(part, Mapping):
            lines.append(f"{key}: " + ", ".join(f"{name} {value}" for name, value in part.items()))
    lines += [" · ".join(str(value) for value in part.values()) for part in _list_objects(document.get("timeline"))]
    lines += [
        f"response {part.get('number')}: {part.get('status')} {part.get('response')}"
        for part in _list_objects(document.get("attempts"))
    ]
    return lines


def _list_objects(value: Json) -> Sequence[Mapping[str, Json]]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []
