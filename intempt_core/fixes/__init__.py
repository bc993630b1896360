"""Fixes: changes to a file or a pasted text before it is sent, previewed, counted and undoable; never a guess.

- ``table_fixes``: fixes of a table's cells, as values, and the table that they give.
- ``text_fixes``: fixes of a pasted text, as small edits.
- ``json_format``: the formatting of a pasted text's JSON, as such an edit.
- ``text_problems``: the problems of a pasted text with their fixes, counted once and grouped by kind.
- ``suggest``: the fixes that would help with a file's issues.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
