"""The command line as a process: ``event-console`` where it is installed, else ``python -m intempt_core``."""

import atexit
import os
import signal
import sys
from typing import NoReturn

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until a command runs, Ctrl+C ends the process without a traceback

from intempt_core.cli import main
from intempt_core.web import PRIVATE_UMASK


def run_process() -> NoReturn:
    """Run the command that the process was called with, and end the process with its exit code."""
    os.umask(PRIVATE_UMASK)  # history, the sandbox's database and results are for the one who calls
    code = main()
    # One of Arrow's threads may release the last piece of a file while the interpreter shuts down, and that aborts the
    # process (exit code 134 in the place of ours). So the process ends without a shutdown: everything is written and
    # closed by now, and the functions that are registered to be called at exit are called.
    try:
        atexit._run_exitfuncs()  # noqa: SLF001  there is no public name for it
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass  # the reader of our output has closed it
    finally:
        os._exit(code)


if __name__ == "__main__":
    run_process()
