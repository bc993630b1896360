"""A bounded cache for values that never change, shared by threads."""

import threading
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Up to ``size`` values by key; the oldest one is dropped first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: dict[K, V] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value under a key, ``None`` where there is none (any more)."""
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        """Put a value under a key."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            if len(self._values) > self._size:
                del self._values[next(iter(self._values))]
