"""Metrics: how much was sent, how long it took and how much waits, as text that Prometheus reads.

- ``work_metrics``: what this process did: its outcomes, recordings and transactions, counted as they happen
- ``state_collector``: how things are: the backlog, the database, the engine, asked for when metrics are read
- ``page``: both together, as the text of ``/metrics``, and the little of it that everybody may read
- ``server``: the page and the health of a process that serves nothing else

A label is never an id, a name or a text that came from outside: outcomes, states and kinds are all there is, so that
their number is known. Counters are of one process: over several, Prometheus adds them up. The backlog is that of the
database, and the same whichever process is asked.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
