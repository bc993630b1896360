"""What Windows, macOS and Linux do differently, in one place: no other package asks which system it runs on.

- ``file_locks``: locks that the system releases when their process ends.
- ``boot_clock``: a clock that all processes share, and which start of the machine it counts from.
- ``disks``: how much of a disk is free.
- ``terminals``: what a terminal needs before it takes sequences that move its cursor.
- ``processes``: how a process gives way, what memory it takes, and how it is started apart from its terminal.

Modules that only some systems have (``fcntl``, ``resource``) are imported here alone, and only where they are.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
