"""A number with its noun, and a value cut to length, as every sentence of the console writes them."""

GIVEN_MAX_CHARACTERS = 200
"""Characters of a given value that an issue carries; a longer one is cut and says how long it was."""


def format_count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 event``, ``1,204 events``, ``2 batches`` where the plural is given."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def shorten_value(text: str) -> str:
    """Shorten a value to :data:`GIVEN_MAX_CHARACTERS` characters; a longer one is cut and says how long it was."""
    if len(text) <= GIVEN_MAX_CHARACTERS:
        return text
    return f"{text[:GIVEN_MAX_CHARACTERS]}… ({len(text):,} characters)"
