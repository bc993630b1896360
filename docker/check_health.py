"""Ask the console in this container whether it is well: exit code 0 where it is. The Dockerfile's health check."""

import os
import sys
import urllib.request

try:
    urllib.request.urlopen(f"http://127.0.0.1:{os.environ.get('CONSOLE_PORT', '8501')}/healthz", timeout=5).close()
except OSError as error:  # 503 too: it says that something keeps the console from sending
    sys.exit(f"The console is not well: {error}")
