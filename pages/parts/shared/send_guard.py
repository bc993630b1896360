"""The guard against double clicks: one decision to send leads to one batch, however often its button is clicked."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from intempt_core.errors import SentBefore
from pages.parts.shared.screen_state import get_session
from pages.parts.shared.services import get_services

DOUBLE_CLICK_SECONDS = 2.0
"""A second click on "send" is the same click until this long after the outcome is shown, unless there is an edit."""

DOUBLE_CLICK_MESSAGE = "Double click ignored: nothing more was sent by the second click."

CHANGED_MESSAGE = "Nothing was sent: a choice changed while the button was pressed. Check it, then send."


@contextmanager
def serialize_clicks() -> Iterator[None]:
    """Let one click of this tab at a time check whether something was sent, send it, and record that it was.

    Streamlit runs every click in a thread of its own, and stops the earlier one only at its next access to the
    session. Without this lock both could find that nothing was sent yet.
    """
    with get_session().send_lock:
        yield


@dataclass(frozen=True)
class RepeatNotice:
    """What went to the target since a plan was made, so that a click sent nothing: a person decides.

    Attributes:
        batches: The numbers of the batches that it went in, by their ids.
        send_again: The same click once more.
    """

    batches: Mapping[str, int]
    send_again: Callable[[], object]


@dataclass
class SendGuard:
    """The sends of one screen, or of one thing on it.

    Attributes:
        batch: The id of the batch that the screen shows; ``None`` before a send and after an edit.
        sends: How many batches were sent from here.
        is_sending: Whether that batch is still active.
        settled_at: When its outcome was shown, in seconds of the monotonic clock; 0 before, and after an edit.
        double_clicked: Whether the last click was the second half of a double click.
        trouble: Why the last click sent nothing, as a sentence; empty where it sent.
        repeat: What the last click would have sent twice; ``None`` where there was nothing.
        confirmed: The numbers of batches that the person was told of, and sends all the same.
    """

    batch: str | None = None
    sends: int = 0
    is_sending: bool = False
    settled_at: float = 0.0
    double_clicked: bool = False
    trouble: str = ""
    repeat: RepeatNotice | None = None
    confirmed: frozenset[int] = frozenset()

    def describe_button(self, *choice: object) -> tuple[object, ...]:
        """What a button that disappears after its send represents: the sends so far, and what is chosen."""
        return self.sends, *choice

    def accept_click(self, drawn: tuple[object, ...] | None = None, now: tuple[object, ...] | None = None) -> bool:
        """Whether a click may send; if not, :attr:`double_clicked` or :attr:`trouble` says why.

        A button that stays where it is after its send takes no click until the outcome has been on the screen for
        :data:`DOUBLE_CLICK_SECONDS`. A button that disappears passes what it represented when it was ``drawn``, and
        what it would represent ``now``: it sends what the person saw, or nothing.
        """
        self.trouble, self.repeat = "", None
        if drawn is not None:
            self.double_clicked = drawn[0] != self.sends
        else:
            self.double_clicked = self.is_sending or time.monotonic() - self.settled_at < DOUBLE_CLICK_SECONDS
        if not self.double_clicked and drawn != now:
            self.trouble = CHANGED_MESSAGE
        return not (self.double_clicked or self.trouble)

    def record_send(self, batch: str) -> None:
        """Record that a batch was sent."""
        self.batch, self.sends, self.is_sending, self.confirmed = batch, self.sends + 1, True, frozenset()

    def record_repeat(self, error: SentBefore, send_again: Callable[[], object]) -> None:
        """Record that nothing was sent, because some of it went since the plan was made."""
        self.trouble, self.repeat = f"Nothing was sent. {error}", RepeatNotice(error.batches, send_again)

    def confirm_repeat(self) -> None:
        """Send what the last click would have sent, now that the person knows what went already."""
        repeat, self.repeat = self.repeat, None
        if repeat is not None:
            self.confirmed |= frozenset(repeat.batches.values())
            repeat.send_again()

    def forget_outcome(self) -> None:
        """Take the next click as a new decision, after an edit. A batch that is still active stays in sight."""
        self.settled_at, self.double_clicked = 0.0, False
        self.trouble, self.repeat = "", None
        if not self.is_sending:
            self.batch = None

    def refresh(self) -> bool:
        """Look whether the batch is still active; whether it has settled since the last look.

        A batch that was stopped is active again where a person has resumed it.
        """
        was_sending = self.is_sending
        self.is_sending = self.batch is not None and get_services().history.queries.batch(self.batch).is_active
        settled = was_sending and not self.is_sending
        if settled:
            self.settled_at = time.monotonic()
        return settled

    def mark_outcome_shown(self) -> None:
        """Record that the outcome is on the screen: clicks that were made before it appeared are over."""
        if self.settled_at:
            self.settled_at = time.monotonic()
