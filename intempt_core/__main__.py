"""``python -m intempt_core``."""

import sys

from intempt_core.cli import main

sys.exit(main())
