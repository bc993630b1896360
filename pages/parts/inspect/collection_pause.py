"""A pause of Python's search for reference cycles, for as long as a long text is read."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_readers: list[object] = []


@contextmanager
def pause_collection() -> Iterator[None]:
    """Let Python look for reference cycles again only when the block has ended.

    The hundreds of thousands of small objects that a long text becomes all stay, and none is in a cycle. The search is
    begun again and again while they are made, goes through everything that the console has loaded, and would take as
    long as the reading itself. Several tabs may read at the same time: the last one ends the pause.
    """
    reader = object()
    with _lock:
        _readers.append(reader)
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _readers.remove(reader)
            if not _readers:
                gc.enable()
