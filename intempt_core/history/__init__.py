"""History: what was to be sent, what was sent, and what came of it. Recorded with intent, completed with outcomes.

- ``history``: the store, made of the parts below; ``database``: the connection that they share, its errors as sentences
- ``recorder`` records batches; ``work_queue`` gives out requests and takes outcomes; ``control`` changes batch states
- ``queries``, ``outcomes``, ``persons``, ``event_lookup``, ``throughput`` read; ``retention`` deletes old batches
- ``repeats``: what went in other batches too, so that nothing goes twice; ``resends``: what came of a resend
- ``transitions``: the states of requests and batches, and what may follow each, as drawn in its docstring
- ``records``, ``views``: the frozen records that go in and come out; ``schema``, ``migrations/``: the tables
- ``workers/``: in a database that machines share: who is alive, who may send which lanes, the limits that all keep
- ``lost_requests``: what was in flight in a process that ended, or that lost it, is unknown
- ``saved/``: what people save: journeys and targets; mappings, rules and catalogues of consoles that share a database
- ``dialects/``: what SQLite and PostgreSQL do differently; ``bounded_cache``: what makes it quick
- ``worklist/``: what the list of batches shows beside their counts: searches, what waits for a person, of whom they are
- ``webhooks/``: what the webhooks of targets are to be told, written with the change that they tell of
- ``upkeep/``: the search index, which is filled behind the inserts; backups before a migration, checks of damage and of
  writing, and what was there before
- ``transfer/``: a whole history on its way from an SQLite file into a PostgreSQL database

What a lower package keeps in the database it states as a protocol in its own terms, as validation does with
:class:`~intempt_core.validation.PriorSendLookup`. To keep something new: state the protocol there, add the tables to
``schema`` and a version to ``migrations``, implement it in a module here as a class that takes the
:class:`~intempt_core.history.database.Database`, make it an attribute of :class:`History`, and pass it from ``app.py``
and ``cli`` to where it is used.

Every method raises :class:`~intempt_core.errors.HistoryUnavailable` while the database is locked, full, read-only,
damaged or gone, and works again when it is back.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
