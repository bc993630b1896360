"""Planning: chosen events become requests in lanes, a value that can be previewed and counted before anything is sent.

- ``plan``: the plan, its lanes and requests
- ``persons``: which events belong to one person
- ``bulk_bodies``: the bodies of a table's events, written over whole columns
- ``event_columns``: what is stored of events so that they can be found again
- ``locate``: from a cell of a file to its place in a request, and back
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
