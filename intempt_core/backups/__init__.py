"""Backups: everything that a console keeps, in one folder, and the way back.

- ``backup``: a folder with the database and the data folder's files, made while consoles and workers go on
- ``restore``: the way back into an empty database and data folder, compared, with nothing sent by itself
- ``manifest``: what a backup holds: counts of the database, and every file with its digest
- ``data_files``: which files of a data folder are kept
- ``postgres_programs``: ``pg_dump`` and ``pg_restore``, whose arguments never hold a password

Neither keys nor ``secrets.toml`` are in a backup: what describes targets is kept where secrets are kept.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
