"""The headers that sign a webhook's message, as the Standard Webhooks specification 1.0 has them.

A receiver computes HMAC-SHA256 of ``id.timestamp.body`` with the secret, compares it, and takes no message that is
older than some minutes. Libraries for that exist in most languages.
"""

import base64
import binascii
import hashlib
import hmac

from intempt_core.errors import TargetIncomplete

SECRET_PREFIX = "whsec_"  # noqa: S105  how secrets begin
"""What stands before a secret that is written in base64; any other secret is the bytes of its text."""

MIN_SECRET_BYTES = 16
"""A shorter secret could be found by trying."""

ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"


def sign_message(secret: str, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent at a time, in epoch seconds.

    Raises :class:`TargetIncomplete` for a secret that is none; the sentence does not repeat it.
    """
    signed = f"{message_id}.{seconds}.".encode() + body
    digest = hmac.new(_parse_secret(secret), signed, hashlib.sha256).digest()
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(seconds),
        SIGNATURE_HEADER: "v1," + base64.b64encode(digest).decode(),
    }


def _parse_secret(text: str) -> bytes:
    text = text.strip()
    try:
        secret = (
            base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
            if text.startswith(SECRET_PREFIX)
            else text.encode("utf-8", "surrogateescape")
        )
    except binascii.Error:
        secret = b""
    if len(secret) < MIN_SECRET_BYTES:
        raise TargetIncomplete(
            f"takes a secret of at least {MIN_SECRET_BYTES} bytes: {SECRET_PREFIX} and base64, or any text."
        )
    return secret
