"""A local Track API and feed API, real HTTP on a database of its own (CONTRACT 1–6).

A server that uses one of the vendor's SDKs, pointed here, must not notice the difference for track, identify, group,
alias, consent and recommend calls. The same application is mounted in the console and served alone.

- ``reading`` and ``asking``: bodies → judged events, feed questions, consents
- ``persons``: who is who
- ``schema`` and ``store``: the database; ``listing``: what it tells
- ``guards`` and ``answers``: who may come in, and what is said
- ``routes`` and ``serving``: the application, and a server for it
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
