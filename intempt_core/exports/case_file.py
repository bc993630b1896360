"""A case file: one request with all that is known of it, to be taken along and read anywhere.

Timeline, request, answers, problems and versions, as JSON or as one page without a script, in which everything is
text. Identities are under other names (``pseudonyms.py``) unless one asks otherwise; no key is in it (``secrecy.py``
looks once more). Inspect opens it again (``cases.py``).
"""

import html
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from intempt_core.contract import GIVEN_MAX_CHARACTERS, Issue, Json, dump_json, get_field, now_ms
from intempt_core.errors import ReadError
from intempt_core.exports.case_reader import CASE_CLOSE_TAG, CASE_MARKER, CASE_OPEN_TAG, CASE_VERSION
from intempt_core.exports.pseudonyms import Pseudonymizer
from intempt_core.history import AttemptRecord, History
from intempt_core.readers import JsonText, read_payload
from intempt_core.validation import check_events, escape_invisible

MAX_CASE_PROBLEMS = 200
"""Problems of the request that the case tells."""

IDENTITIES_AS_SENT = "as sent"
IDENTITIES_PSEUDONYMIZED = "pseudonyms"

_PAGE_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8888; padding: 0.6rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #8884;
overflow-wrap: anywhere; }
"""


def build_case(
    history: History, request: int | str, version: str, *, salt: bytes | None, clock: Callable[[], int] = now_ms
) -> dict[str, Json]:
    """The case of one request. With a ``salt`` identities get other names by it, without they stand as they were sent.

    ``version`` is the console's. Raises :class:`~intempt_core.errors.NotFound`.
    """
    found = history.request(request)
    batch = history.batch(found.summary.batch)
    body = found.body.decode("utf-8", "replace")
    try:
        document = JsonText(body).value
        payload = read_payload(body)
        bodies = [event.body for event in payload.events]
        issues = check_events(payload.events, None, payload.issues).issues(limit=MAX_CASE_PROBLEMS)
        issues = [_hide_long_value(issue) for issue in issues] if salt is not None else issues
    except ReadError:
        document, bodies, issues = None, [], []
    names = Pseudonymizer(salt, iter(bodies)) if salt is not None else None

    def told(value: Json) -> Json:
        return value if names is None else names.replace_in_value(value)

    return {
        CASE_MARKER: CASE_VERSION,
        "made_at": _format_time(clock()),
        "identities": IDENTITIES_AS_SENT if names is None else IDENTITIES_PSEUDONYMIZED,
        "versions": {"console": version, "python": platform.python_version()},
        "target": {
            "name": batch.target.name,
            "address": batch.target.track_url,
            "deduplicates": batch.target.deduplicates,
            "production": batch.target.production,
        },
        "batch": {"id": batch.id, "what": told(batch.label), "from": batch.source.value, "policy": batch.policy.value},
        "timeline": [
            {"at": _format_time(batch.created_at), "what": "written down before anything left"},
            *({"at": _format_time(one.started_at), "what": told(_describe_attempt(one))} for one in found.attempts),
            {"at": _format_time(found.summary.updated_at), "what": f"stands as {found.summary.state.value}"},
        ],
        "request": {
            "id": found.summary.id,
            "state": found.summary.state.value,
            "body": body if names is None else "" if document is None else dump_json(told(document)).decode(),
        },
        "attempts": [_dump_attempt(one, told) for one in found.attempts],
        "problems": [
            {
                "code": issue.code,
                "severity": issue.severity.value,
                "where": told(issue.place.path),
                "says": told(issue.message),
                "mend": told(issue.fix),
            }
            for issue in issues
        ],
        "events": [
            {
                "name": told(event.event.name),
                "eventId": told(event.event.event_id),
                "product": told(event.event.product_id),
            }
            for event in found.events
        ],
    }


def dump_case(case: Mapping[str, Json]) -> str:
    """The case as JSON, indented."""
    return dump_json(case, indent=True).decode("utf-8", "replace")


def render_case_page(case: Mapping[str, Json]) -> Iterator[str]:
    """The case as one page: no script, nothing from elsewhere, everything escaped and what nobody sees written out."""
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Case file</title><style>{_PAGE_STYLE}</style></head><body>"
    )
    yield f"<h1>Request {_escape_value(get_field(case, 'request.id'))}: {_escape_value(get_field(case, 'request.state'))}</h1>"
    names = "stand under other names" if case["identities"] == IDENTITIES_PSEUDONYMIZED else "stand as they were sent"
    yield f"<p>Made {_escape_value(case['made_at'])}. Identities {names}; other data stands as it was sent.</p>"
    for title, key in (("Target", "target"), ("Batch", "batch"), ("Versions", "versions")):
        yield f"<h2>{title}</h2>" + _render_table([(name, value) for name, value in case[key].items()])
    yield "<h2>Timeline</h2>" + _render_table([(one["at"], one["what"]) for one in case["timeline"]])
    yield f"<h2>Request</h2><pre>{_escape_value(_indent_json(get_field(case, 'request.body')))}</pre>"
    for one in case["attempts"]:
        yield f"<h2>Answer {_escape_value(one['number'])}: {_escape_value(one['status'] or 'none')}</h2>"
        yield _render_table(list(one["headers"])) + f"<pre>{_escape_value(one['answer'] or '(empty)')}</pre>"
    yield "<h2>Problems</h2>" + (
        _render_table(
            [(f"{one['severity']}: {one['where']}", f"{one['says']} {one['mend']}") for one in case["problems"]]
        )
        or "<p>None were found.</p>"
    )
    escaped = html.escape(dump_case(case), quote=False)
    yield f"<h2>The same for a machine</h2><p>Inspect opens this page.</p>{CASE_OPEN_TAG}{escaped}{CASE_CLOSE_TAG}</body></html>\n"


def _hide_long_value(issue: Issue) -> Issue:
    """A long value is cut in an issue, and the rest of a name could not be known as one: it is left out."""
    long = issue.given is not None and len(issue.given) > GIVEN_MAX_CHARACTERS
    return replace(issue, given="a long value") if long else issue


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


def _describe_attempt(one: AttemptRecord) -> str:
    return f"try {one.number}: {one.outcome.value} after {one.elapsed_ms:.0f} ms. {one.reason}"


def _dump_attempt(one: AttemptRecord, pseudonymize: Callable[[Json], Json]) -> dict[str, Json]:
    text = one.response_body.decode("utf-8", "replace")
    return {
        "number": one.number,
        "started_at": _format_time(one.started_at),
        "elapsed_ms": round(one.elapsed_ms, 1),
        "outcome": one.outcome.value,
        "status": one.status,
        "reason": pseudonymize(one.reason),
        "sent_headers": [list(header) for header in one.sent_headers],
        "headers": [[name, pseudonymize(content)] for name, content in one.headers],
        "answer": pseudonymize(text),
        "answer_length": one.response_length,
    }
