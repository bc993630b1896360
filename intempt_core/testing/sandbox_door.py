"""The sandbox's HTTP API, asked with the standard library alone.

The tests of an application replace HTTP clients, patch clocks and forbid connections; what they patch least is
``http.client`` on the loopback, and it is imported fast.
"""

import base64
import json
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from intempt_core.errors import SandboxUnavailable

RESPONSE_SECONDS = 30.0
"""How long a response may take that waits for nothing."""


class SandboxDoor:
    """The way to one sandbox. Each request has a connection of its own, so that many threads may use it.

    ``base_url`` is the sandbox's, ``key`` its key. Every method raises :class:`SandboxUnavailable`.
    """

    def __init__(self, base_url: str, key: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port
        prefix, _, secret = key.partition(".")
        self._authorization = f"Basic {base64.b64encode(f'{prefix}:{secret}'.encode()).decode()}"

    def get(self, path: str, wait: float = 0.0, **parameters: object) -> dict[str, Any]:
        """Ask, with the parameters that are not ``None``; a response may take ``wait`` seconds longer. Any: JSON."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._request("GET", f"{path}?{urlencode(given)}", timeout=RESPONSE_SECONDS + wait)

    def post(self, path: str, body: object) -> dict[str, Any]:
        """Post JSON. Any: JSON."""
        return self._request("POST", path, body)

    def put(self, path: str, body: object) -> dict[str, Any]:
        """Put JSON. Any: JSON."""
        return self._request("PUT", path, body)

    def delete(self, path: str) -> dict[str, Any]:
        """Delete. Any: JSON."""
        return self._request("DELETE", path)

    def _request(
        self, method: str, path: str, body: object = None, *, timeout: float = RESPONSE_SECONDS
    ) -> dict[str, Any]:
        connection = HTTPConnection(self._host, self._port, timeout=timeout)
        try:
            headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            document = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise SandboxUnavailable(f"The sandbox of this test process did not respond: {error}.") from error
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            detail = f" {document['detail']}" if document.get("detail") else ""
            raise SandboxUnavailable(f"{document.get('message')}{detail}")
        found: dict[str, Any] = document
        return found
