"""Access to a sandbox that is served alone: it asks for no password, and so does without what only a password needs."""

from collections.abc import Sequence

from starlette.middleware import Middleware

from intempt_core.web.guard import RequestGuard
from intempt_core.web.origins import AnsweredAddresses, WebOrigin
from intempt_core.web.response_headers import ResponseHeaders


def build_sandbox_middleware(page_origins: Sequence[WebOrigin]) -> list[Middleware]:
    """Build what stands before a sandbox that is served alone, at loopback; pages of ``page_origins`` may call it."""
    return [
        Middleware(ResponseHeaders),
        Middleware(
            RequestGuard, AnsweredAddresses(), sandbox_path="", sandbox_origins=page_origins, loopback_only=True
        ),
    ]
