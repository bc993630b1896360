"""Targets: where events are sent, and the key that is needed there.

- ``target``: a target, the registry of all targets, and targets from the environment, ``secrets.toml``, a form or a URL
- ``stored``: targets that are added on a screen, and what keeps them, as a protocol that ``history`` implements
- ``allowed_hosts``: where those may lead
- ``known_targets``: the targets of all sources, as a process that goes on for long sees them
- ``parsing``: the fields of a target's description
- ``webhook``: where a target's webhook leads, and what signs it
- ``loopback``: whether a host is this machine
- ``credential``: the key, masked wherever it is shown or echoed
- ``key_search``: where in a text the key is, however it is written there
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
