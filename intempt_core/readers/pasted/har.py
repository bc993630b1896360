"""The requests of a HAR file: what a browser or a proxy recorded, as a pasted text or as a file of any size.

A file is mostly what came back. Of a large one only the requests are kept (:func:`extract_har_requests`), and read like
a pasted text.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from intempt_core.contract import Json
from intempt_core.errors import ReadError
from intempt_core.readers.json_text.json_positions import JsonText
from intempt_core.readers.pasted.copied_request import SECRET_HEADER, CopiedRequest, CopiedText, is_track_address
from intempt_core.readers.pasted.quoted_text import QuotedText
from intempt_core.readers.pasted.script_literals import ScriptLiterals

HAR_BEGINNING = re.compile(r'[\s\ufeff]*\{\s*"log"\s*:\s*\{')
"""How a HAR file begins."""

LARGE_HAR_BYTES = 1_000_000
"""Bytes of a HAR file that is read whole; of a larger one only the requests are."""

MAX_HAR_BYTES = 250_000_000
"""Bytes of a HAR file whose requests are taken out."""

_SCAN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]', re.DOTALL)
_ENTRY_DEPTH = 4


def parse_har(text: str) -> CopiedText:
    """Read the requests of a HAR file. Raises :class:`ReadError` where it is none that is whole."""
    document = JsonText(text)
    entries = _find_entries(document.value)
    document.index_members(7)
    requests = tuple(_build_request(document, number, entry) for number, entry in enumerate(entries))
    if not requests:
        raise ReadError("The HAR file holds no requests. Record again while the page sends its events.")
    return CopiedText(f"HAR file of {len(requests):,} request{'s' * (len(requests) > 1)}", requests)


def _find_entries(value: Json) -> list[Mapping[str, Json]]:
    log = value.get("log") if isinstance(value, Mapping) else None
    entries = log.get("entries") if isinstance(log, Mapping) else None
    if not isinstance(entries, list):
        raise ReadError("The HAR file has no list “entries” in its “log”. See that all of it was copied.")
    return [entry if isinstance(entry, Mapping) else {} for entry in entries]


def _build_request(document: JsonText, number: int, entry: Mapping[str, Json]) -> CopiedRequest:
    request, response = _take_object(entry.get("request")), _take_object(entry.get("response"))
    status = response.get("status")
    pointer = f"/log/entries/{number}"
    read_text = partial(_read_text, document, pointer)
    body, trouble = _find_body(request, read_text)
    return CopiedRequest(
        document.find_nearest(pointer).at,
        _take_text(request.get("url")),
        _take_text(request.get("method")).upper(),
        body,
        trouble,
        (),
        "" if status is None else "no response" if status in (0, -1) else str(status),
        headers=(*_find_named("request", request, read_text), *_find_named("response", response, read_text)),
        address=read_text("/request/url") if isinstance(request.get("url"), str) else None,
    )


def _read_text(document: JsonText, pointer: str, below: str) -> QuotedText:
    """A text of an entry, with the place of each of its characters."""
    literals = ScriptLiterals(document.text, {})
    literals.at = document.find_nearest(pointer + below).at
    return literals.read_text().text or QuotedText()


def _find_named(
    of: str, message: Mapping[str, Json], read_text: Callable[[str], QuotedText]
) -> Iterator[tuple[str, QuotedText]]:
    """Headers, cookies and fields of the address that may be keys, each with its name; a cookie's is ``cookie``."""
    for kind in ("headers", "cookies", "queryString"):
        given = message.get(kind)
        for number, one in enumerate(given if isinstance(given, list) else ()):
            if isinstance(one, Mapping) and isinstance(one.get("value"), str):
                name = "cookie" if kind == "cookies" else _take_text(one.get("name"))
                if SECRET_HEADER.search(name):
                    yield name, read_text(f"/{of}/{kind}/{number}/value")


def _find_body(request: Mapping[str, Json], read_text: Callable[[str], QuotedText]) -> tuple[QuotedText | None, str]:
    """What a request posted, or why that cannot be read."""
    posted = request.get("postData")
    if not isinstance(posted, Mapping):
        if _take_text(request.get("method")).upper() in ("POST", "PUT", "PATCH"):
            return None, "The HAR file does not hold the body of this request. Copy the request itself as cURL."
        return None, "The request posts no body."
    given = posted.get("text")
    if posted.get("encoding") == "base64":
        return None, "The HAR file holds the body of this request in base64, which is not read. Copy it as cURL."
    if isinstance(given, str) and given.strip():
        return read_text("/request/postData/text"), ""
    if posted.get("params"):
        return None, "The request sends a form. Events are taken as JSON that is the whole body."
    return None, "The HAR file does not hold the body of this request. Copy the request itself as cURL."


def _take_object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _take_text(value: Json) -> str:
    return value if isinstance(value, str) else ""


# ── large files ──────────────────────────────────────────────────────────────────────────────────────────────────────


def is_har(content: bytes) -> bool:
    """Whether a file's bytes begin as a HAR file does."""
    return HAR_BEGINNING.match(content[:1_000].decode("utf-8", "replace")) is not None


def extract_har_requests(content: bytes) -> str:
    """Reduce a HAR file to address, method and status of its requests, and the bodies to a track path.

    Headers, cookies and what came back are left out. The file is walked once, and its entries are read one by one.
    Raises :class:`ReadError` where it is too large, or no HAR file that is whole.
    """
    if len(content) > MAX_HAR_BYTES:
        raise ReadError(
            f"The HAR file has {len(content):,} bytes; up to {MAX_HAR_BYTES:,} are read. In the browser's tools filter "
            "for “track” before you save it, or copy the request itself as cURL."
        )
    kept = [json.dumps(_reduce_entry(entry), ensure_ascii=False) for entry in _iterate_entries(content)]
    return '{"log": {"entries": [\n' + ",\n".join(kept) + "\n]}}"


def _iterate_entries(content: bytes) -> Iterator[Mapping[str, Json]]:
    """Each entry of a HAR file: an object in the list ``entries`` of ``log``."""
    depth, start, in_entries, before, last = 0, 0, False, b"", 0
    for found in _SCAN.finditer(content):
        sign = found[0]
        if sign in (b"{", b"["):
            depth += 1
            if depth == _ENTRY_DEPTH - 1 and sign == b"[":
                in_entries = before == b'"entries"'
            if depth == _ENTRY_DEPTH and in_entries:
                start = found.start()
        elif sign in (b"}", b"]"):
            if depth == _ENTRY_DEPTH and in_entries:
                yield _parse_entry(content, start, found.end())
            depth -= 1
            last = found.end()
        elif depth == _ENTRY_DEPTH - 2:
            before = sign
    if depth:
        line = content.count(b"\n", 0, last) + 1
        raise ReadError(
            f"The HAR file ends before its brackets are closed, behind line {line:,}. Save it again.", line=line
        )


def _parse_entry(content: bytes, start: int, end: int) -> Mapping[str, Json]:
    try:
        entry = json.loads(content[start:end])
    except (ValueError, RecursionError):
        line = content.count(b"\n", 0, start) + 1
        raise ReadError(
            f"Line {line:,}: the entry that begins here is no JSON. Save the HAR file again.", line=line
        ) from None
    return entry if isinstance(entry, Mapping) else {}


def _reduce_entry(entry: Mapping[str, Json]) -> dict[str, Json]:
    request, response = _take_object(entry.get("request")), _take_object(entry.get("response"))
    url = _take_text(request.get("url"))
    kept: dict[str, Json] = {"method": _take_text(request.get("method")), "url": url}
    if is_track_address(url) and "postData" in request:
        kept["postData"] = request["postData"]
    return {"request": kept, "response": {"status": response.get("status")}}
