"""The Compose screen: make the events of a journey in a form, send them, see the outcome.

- ``form``: what the events share, the fields of one event, and the event that they make.
- ``state``: the events on the form, and the callbacks that change them.
- ``sending``: the callbacks that check and send, and what the address of the screen names.
- ``common_view``: the person and the product, once for all events.
- ``journey_view``: the events as rows; ``details_view``: what is behind *Advanced* of one.
- ``saved_state``, ``saved_view``: saved journeys, and the form as one of them.
- ``field_view``: a text field, and the problems under a field.
- ``rail_view``: what stays in view beside the form: state, send, problems, request, result.
"""
