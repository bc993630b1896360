"""Workers: files are read, checked and planned, the large ones in processes of their own.

- ``file_tasks``: what is worked out of a file, the same here and in a process of its own.
- ``export_tasks``: the files that are made of a checked file, such as its problems.
- ``file_check``: a file mapped and checked.
- ``record_task``: what records a plan in a process of its own, while this one sends.
- ``file_recorder``: that process, watched: what it began is sent, and stopped where it does not end it.
- ``result_store``: the results of all tabs, worked out once, and given back when tabs are closed.
- ``worker_process``: a task in a process of its own, started, watched and ended.
- ``child``: that process.
- ``messages``: what the two say to each other.
- ``stored_results``: objects whose arrays lie on disk, and are mapped.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
