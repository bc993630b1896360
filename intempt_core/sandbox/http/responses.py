"""JSON responses of the sandbox; a rejection has a sentence."""

from collections.abc import Mapping

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from intempt_core.contract import Json
from intempt_core.errors import SandboxRejection

SERVED_PATHS = (
    "POST …/v1/{org}/projects/{project}/sources/{source}/track, POST …/v1/{org}/projects/{project}/track, "
    "POST …/v1/{org}/projects/{project}/feeds/{feed}/data, POST …/v1/{org}/projects/{project}/consents/data, "
    "and its own API: GET …/openapi.json describes all of it"
)


def json_response(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(value), status, headers, "application/json")


def handle_rejection(_: Request, error: Exception) -> Response:
    """Respond to a rejection: ``{"message": sentence}``, and ``detail`` where there is more to say."""
    assert isinstance(error, SandboxRejection)  # noqa: S101  the application hands only these over
    content = {"message": str(error)} | ({"detail": error.detail} if error.detail else {})
    return json_response(content, error.status, error.headers)


def handle_store_unavailable(_: Request, error: Exception) -> Response:
    """Respond with 503: the database failed. Nothing was stored, so a sender may try again (CONTRACT 3.5)."""
    return json_response({"message": f"The sandbox cannot use its database: {error}. Nothing was stored."}, 503,
                  {"Retry-After": "1"})  # fmt: skip


def handle_http_exception(request: Request, error: Exception) -> Response:
    """Respond to an unknown path or method with a sentence (CONTRACT 3.4)."""
    assert isinstance(error, HTTPException)  # noqa: S101  the application hands only these over
    known = error.status_code == 405
    sentence = f"{request.method} is not taken here." if known else "Nothing is served at this path."
    return json_response(
        {"message": sentence, "detail": f"The sandbox serves {SERVED_PATHS}."}, error.status_code, error.headers
    )
