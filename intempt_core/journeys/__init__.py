"""Journeys: saved sequences of events of one person with one product, whose ids and times are made at each send.

- ``model``: a journey, its file form read and written, and its limits
- ``events``: a journey becomes events, and events become a journey
- ``assignments``: ``userId=u7`` and ``data.price:=12.5``, as a call says which value a field gets
- ``store``: what keeps journeys by name, as a protocol that ``history`` implements
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
