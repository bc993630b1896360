"""The saved journeys, kept in the database as the files that they are exported as."""

from intempt_core.contract import suggest_nearest
from intempt_core.errors import JourneyError
from intempt_core.history.database import Database
from intempt_core.history.saved.named_documents import NamedDocuments, WriteResult
from intempt_core.history.schema import journeys
from intempt_core.journeys import (
    MAX_JOURNEY_BYTES,
    MAX_JOURNEYS,
    Journey,
    check_journey,
    normalize_journey_name,
    parse_journey,
    write_journey,
)

_NAMES_LISTED = 10


class SavedJourneys:
    """The journeys of one database; see :class:`~intempt_core.journeys.JourneyStore`."""

    def __init__(self, database: Database) -> None:
        self._documents = NamedDocuments(database, journeys)

    def all(self) -> list[Journey]:
        """Every journey, by name."""
        return [parse_journey(document, name) for name, document in self._documents.read_all()]

    def get(self, name: str) -> Journey:
        """The journey of a name. Raises :class:`~intempt_core.errors.JourneyError` with the nearest name."""
        found = self._documents.read(normalize_journey_name(name))
        if found is None:
            known = [known for known, _ in self._documents.read_all()]
            some = ", ".join(f"“{one}”" for one in known[:_NAMES_LISTED])
            advice = suggest_nearest(name, known, f"Saved are {some}.") if known else "None is saved yet."
            raise JourneyError(f"No journey is saved as “{name[:100]}”. {advice}")
        return parse_journey(found[1], found[0])

    def save(self, journey: Journey, *, replaces: str = "") -> None:
        """Keep a journey under its name, as :meth:`~intempt_core.journeys.JourneyStore.save` says."""
        check_journey(journey)
        document = write_journey(journey)
        if len(document.encode()) > MAX_JOURNEY_BYTES:
            raise JourneyError(
                f"“{journey.name}” has more than {MAX_JOURNEY_BYTES:,} bytes. Remove data from its events."
            )
        parse_journey(document)  # what is saved can be read
        key, former = normalize_journey_name(journey.name), normalize_journey_name(replaces)
        match self._documents.write(key, journey.name, document, replaces=former, most=MAX_JOURNEYS):
            case WriteResult.TAKEN:
                raise JourneyError(
                    f"A journey is saved as “{journey.name}” already. Choose another name, or delete that one first."
                )
            case WriteResult.FULL:
                raise JourneyError(f"{MAX_JOURNEYS:,} journeys are saved, and no more are kept. Delete some first.")
            case WriteResult.WRITTEN:
                return

    def delete(self, name: str) -> None:
        """Delete a journey; one that is not there is no error."""
        self._documents.delete(normalize_journey_name(name))
