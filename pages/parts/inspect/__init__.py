"""The Inspect screen: paste a payload, see its problems and verdicts, fix it, send it.

- ``state``: the pasted text, what was found in it, and the callbacks of the screen.
- ``view``: what the screen shows.
"""
