"""The Feeds screen: the feeds of a person, expected and actual, and why they differ.

- ``view``: what the screen shows, and its state.
"""
