"""Uploads: files that a browser sends, streamed to disk.

- ``endpoint``: the HTTP route that takes a file, and the tokens of the tabs that may send one.
- ``spool``: the folder in which files lie, each under the SHA-256 of its bytes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
