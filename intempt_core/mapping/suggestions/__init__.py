"""Suggestions of a mapping: what columns and names probably mean, with reasons, for a person to accept.

- ``words``: headers and names as letters and digits.
- ``vendors``, ``vendor_lookup``: whose exports are known by name.
- ``known_headers``: what shops and vendors call a field, whole headers.
- ``header_parts``: what the words of a header say, in four languages.
- ``known_names``: what shops and vendors call the events.
- ``profile``: what the cells of a column look like, counted over all rows.
- ``times``, ``cell_types``: the form in which a column writes its times, its numbers, its truth values.
- ``fields``: how well a column is a field, by its header and by its cells.
- ``cell_kinds``: what the cells of each column are in a word, to compare two files.
- ``suggest``: the suggestions; ``draft``: a whole mapping made of them, to be corrected by hand.
"""
