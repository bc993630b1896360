"""The Targets screen: targets, their connection test, their product catalogues.

- ``cards_view``: a card for each target: what it promises, its key, its connection test.
- ``form_view``: the form of a target that is added or edited.
- ``state``: what is open on the screen, and the callbacks that test, save and delete.
- ``catalogue_view``: the product catalogue of a target.
"""
