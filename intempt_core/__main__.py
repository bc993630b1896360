"""``python -m intempt_core``."""

import atexit
import os
import sys

from intempt_core.cli import main

code = main()
# Arrow's threads may let go of the last piece of a file when the command is over already, and a Python that takes
# itself down then aborts the process (exit code 134 in the place of ours). So it is left, not taken down: everything
# is written and closed by now, and what asked to be called at the end is.
try:
    atexit._run_exitfuncs()  # noqa: SLF001  there is no public name for it
    sys.stdout.flush()
    sys.stderr.flush()
except BrokenPipeError:
    pass  # whoever read our output has closed it
finally:
    os._exit(code)
