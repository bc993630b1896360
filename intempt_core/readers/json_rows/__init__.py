"""Lines of JSON, many together: which need a closer look, and the columns of rows that are built alike.

- ``line_blocks``: the lines of a text in blocks, and which of them have what must be looked at closely.
- ``plain_rows``: rows of one shape, whose values become columns without a look at each row's keys.
"""
