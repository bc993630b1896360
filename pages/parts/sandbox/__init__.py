"""The Sandbox screen: what reached the sandbox, and the failures that it simulates.

- ``live_view``: the live rows, one event, one request.
- ``faults_view``: simulated failures.
- ``state``: what the screen last read, and its callbacks.
"""
