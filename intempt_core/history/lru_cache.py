"""A little memory for what never changes, bounded, shared by threads."""

import threading
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Up to ``size`` values by key; the one that was put first goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: dict[K, V] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """What was put under the key, ``None`` where it is not remembered."""
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        """Remember a value in the place of an older one."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            if len(self._values) > self._size:
                del self._values[next(iter(self._values))]
