"""The outcome of one attempt: accepted, rejected, unknown or not sent."""

from enum import StrEnum


class Outcome(StrEnum):
    """What is known after an attempt (CONTRACT 3, DESIGN outcome).

    Accepted says that the request was taken, and no more: not that its product or account exists (CONTRACT 3.2), nor
    that each of its events is processed (CONTRACT 2.6).
    """

    ACCEPTED = "accepted"
    REJECTED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "unsent"
