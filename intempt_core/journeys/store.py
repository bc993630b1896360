"""What keeps journeys by name. The database implements it in :mod:`intempt_core.history`."""

from typing import Protocol

from intempt_core.journeys.model import Journey


class JourneyStore(Protocol):
    """The saved journeys. A name is there once: letter case and white space inside make no other name."""

    def all(self) -> list[Journey]:
        """Every journey, by name."""

    def get(self, name: str) -> Journey:
        """The journey of a name. Raises :class:`~intempt_core.errors.JourneyError` with the nearest name."""

    def save(self, journey: Journey, *, replaces: str = "") -> None:
        """Keep a journey under its name.

        ``replaces`` is the name of the one that it takes the place of; renamed, that is no longer there. Raises
        :class:`~intempt_core.errors.JourneyError` where the name is another's, where there are too many, and where it
        is no journey.
        """

    def delete(self, name: str) -> None:
        """Delete a journey; one that is not there is no error."""


def normalize_journey_name(name: str) -> str:
    """What is the same for names that are the same."""
    return " ".join(name.casefold().split())
