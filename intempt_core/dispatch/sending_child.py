"""The process of :class:`~intempt_core.dispatch.sending_process.SendingProcess`: ``python -m`` this module.

It reads its order from standard input, sends, and ends when its input is closed.
"""

import gc
import pickle
import signal
import sys
from dataclasses import replace

from intempt_core.dispatch.dispatcher import Dispatcher
from intempt_core.dispatch.environment import SendingEnvironment
from intempt_core.dispatch.interrupted import stop_abandoned_recordings
from intempt_core.dispatch.sending_process import SendingOrder, flatten_error
from intempt_core.errors import ConsoleError
from intempt_core.history import History
from intempt_core.targets import Credential, Target


def main() -> None:
    """Wait for the order, and carry it out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        order = pickle.load(sys.stdin.buffer)  # noqa: S301  of the process that has started this one
    except EOFError:
        return  # there was nothing to send
    try:
        credential = Credential.from_authorization(sys.stdin.buffer.readline().decode().strip())
        _send(order, replace(order.target, credential=credential))
    except ConsoleError as error:
        _answer(flatten_error(error))


def _send(order: SendingOrder, target: Target) -> None:
    history = History.open(order.settings.history_url)
    try:
        environment = SendingEnvironment(order.settings, lambda _: target)
        dispatcher = Dispatcher(history, environment, owner=order.owner, adopts=False)
        dispatcher.start()
        gc.freeze()  # what is loaded stays: searching it for reference cycles would take a fifth of the time
        _answer("started")
        try:
            for _ in sys.stdin.buffer:
                dispatcher.wake()
        finally:
            dispatcher.stop()
            stop_abandoned_recordings(history, order.settings.data)  # where the other process was killed
    finally:
        history.close()


def _answer(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
