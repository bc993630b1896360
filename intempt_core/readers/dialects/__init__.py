"""How a file is read: what a person says of it, and what its first rows and its quoting show.

- ``read_options``, ``dialect``: what a person says; what was decided.
- ``header_search``: the header below lines about the file, or none.
- ``records``, ``swallowed_lines``: the records of delimited text, one by one; quotes that swallow rows.
"""
