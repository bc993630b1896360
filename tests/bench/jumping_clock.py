"""A process that sends by a clock that jumps by hours, ahead and back, twice a second."""

import signal
import sys
import threading
import time
from pathlib import Path

HOURS = (0, 1, -2, 48, -1, 0, 700, -30)


def main(data: str, url: str) -> None:
    """Send what is there until it is asked to end."""
    from intempt_core.dispatch import Dispatcher, SendingEnvironment
    from intempt_core.history.history import History
    from intempt_core.settings import Settings
    from intempt_core.targets.target import sandbox_target

    def clock() -> int:
        now = time.time()
        return int((now + 3600 * HOURS[int(now * 2) % len(HOURS)]) * 1000)

    settings = Settings(data=Path(data), backoff_seconds=0.05, tries=20)
    history = History.open(settings.history_url, clock=clock)
    target = sandbox_target(url)
    dispatcher = Dispatcher(history, SendingEnvironment(settings, lambda _: target, clock))
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    dispatcher.start()
    ended.wait()
    dispatcher.stop()
    history.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
