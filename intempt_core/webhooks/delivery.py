"""One attempt to deliver a message, and whether it is worth another one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from intempt_core.errors import TargetIncomplete
from intempt_core.history import WebhookDelivery
from intempt_core.targets import Target, derive_target_key
from intempt_core.transport import USER_AGENT, load_tls_context
from intempt_core.webhooks.signature import sign_message

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
"""How long a connection, and then a response, is waited for."""

MAX_RETRY_AFTER_SECONDS = 3_600.0
"""The longest wait that a receiver can ask for."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a message goes, and what signs it.

    Attributes:
        url: The URL, which is never shown: it may hold a token.
        variable: The environment variable of the secret.
        secret: The secret; empty where that variable is not set here.
    """

    url: str = field(repr=False)
    variable: str
    secret: str = field(repr=False)

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What came of an attempt.

    Attributes:
        trouble: Why the receiver has not taken it, as a sentence; empty where it has.
        is_final: Whether another attempt is pointless.
        wait_seconds: How long the receiver asks to wait; 0 where it does not.
    """

    trouble: str = ""
    is_final: bool = False
    wait_seconds: float = 0.0


def find_webhook(
    targets: Iterable[Target], delivery: WebhookDelivery, environment: Mapping[str, str]
) -> Webhook | None:
    """The webhook of a batch's target as it is described now; ``None`` where it has none, or leads elsewhere by now."""
    for target in targets:
        is_same = target.name == delivery.target_name and derive_target_key(target) == delivery.target_key
        if is_same and target.webhook:
            return Webhook(target.webhook, target.webhook_secret, environment.get(target.webhook_secret, ""))
    return None


def open_client() -> httpx.Client:
    """Open a client, to be used in ``with``. It follows no redirect and takes nothing from the environment."""
    return httpx.Client(
        verify=load_tls_context("webhook"),
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        headers={"User-Agent": USER_AGENT, "Content-Type": "application/json", "Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )


def post_message(client: httpx.Client, webhook: Webhook, message_id: str, seconds: int, body: bytes) -> DeliveryResult:
    """Post a message once, at a time in epoch seconds. Whatever happens becomes a result; nothing is raised."""
    if not webhook.secret:
        return DeliveryResult(f"${webhook.variable or 'webhook_secret'}, which signs it, is not set where it runs.")
    try:
        headers = sign_message(webhook.secret, message_id, seconds, body)
    except TargetIncomplete as error:
        return DeliveryResult(f"${webhook.variable} {error}")
    try:
        # As a stream: what a receiver responds is of no interest, and may be endless.
        with client.stream("POST", webhook.url, content=body, headers=headers) as response:
            return _judge_response(webhook.host, response)
    except httpx.TimeoutException:
        return DeliveryResult(f"{webhook.host} did not respond in time.")
    except (httpx.HTTPError, httpx.InvalidURL):  # its own message could repeat the URL
        return DeliveryResult(f"{webhook.host} cannot be reached, or broke off.")


def _judge_response(host: str, response: httpx.Response) -> DeliveryResult:
    if response.is_success:
        return DeliveryResult()
    message = f"{host} answered {response.status_code}."
    if response.is_redirect:
        return DeliveryResult(f"{message} A redirect is not followed: describe the URL to which it leads.")
    if response.status_code == HTTPStatus.GONE:
        return DeliveryResult(f"{message} It takes no messages any more.", is_final=True)
    asked = response.headers.get("retry-after", "").strip()
    wait = min(float(asked), MAX_RETRY_AFTER_SECONDS) if asked.isdecimal() and len(asked) < 9 else 0.0
    return DeliveryResult(message, wait_seconds=wait)
