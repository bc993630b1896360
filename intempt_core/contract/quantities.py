"""A number with its noun, as every sentence of the console writes it."""


def format_count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 event``, ``1,204 events``, ``2 batches`` where the plural is given."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
