"""The Compose screen: make events in a form, send them, see the outcome.

- ``form``: the fields of one event, and the event that they make.
- ``state``: the forms, and the callbacks of the screen.
- ``view``: what the screen shows.
"""
