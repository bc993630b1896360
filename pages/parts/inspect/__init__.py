"""The Inspect screen: paste a payload, see its problems and verdicts, fix it, send it.

- ``state``: the pasted text, read and checked.
- ``fixes_state``, ``verdicts_state``, ``sending_state``: its fixes, the verdicts on its events, what is sent.
- ``view``: what the text was recognised as, or why it cannot be read.
- ``text_view``: the text, where it is edited and where it stands with its problems.
- ``problems_view``, ``events_view``, ``send_view``: its problems by kind, its events, the ways on from it.
"""
