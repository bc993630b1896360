"""The Targets screen: targets, their connection test, their product catalogues.

- ``view``: a card for each target, and the form for a temporary one.
- ``catalogue_view``: the product catalogue of a target.
"""
