"""Work on history's file in a thread of its own: begun where it is due, waited for, and ended."""

import threading


class BackgroundWork:
    """Work that runs once at a time, and ends soon after it is told to. Any thread may call its methods.

    What extends it says in :meth:`_is_due` whether there is anything to do, does it in :meth:`_run`, and looks there at
    ``_ending``.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it runs already or nothing is due."""
        with self._lock:
            if (self._thread is not None and self._thread.is_alive()) or not self._is_due():
                return
            self._ending.clear()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it does not run any more."""
        if self._thread is not None:
            self._thread.join(seconds)

    def stop(self) -> None:
        """End it, as soon as it looks whether it has to."""
        self._ending.set()
        self.wait()

    def _is_due(self) -> bool:
        raise NotImplementedError

    def _run(self) -> None:
        raise NotImplementedError
