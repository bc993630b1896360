"""Validation: events become a report of issues, by the rules of the contract and by what is known beside the events.

- ``check``: the checks of a table, of JSON lines and of a list of events.
- ``report``: the report: issues counted and paged, by row and by code.
- ``column_rules``: the contract's rules over the columns of a mapped table.
- ``text_column``: a column of texts and what rules ask of it.
- ``time_column``: a column of times; ``unclear_times``: those whose day and month may be exchanged.
- ``row_issues``: the issues of single rows, built on demand.
- ``duplicates``: repeated event ids and lines of one order.
- ``across_events``: lost zeros, unknown products, ids that were sent before.
- ``id_columns``: ids that a float or a formatter damaged, as a whole column shows; ``id_twins``: two forms of one id.
- ``row_repeats``: rows that equal an earlier one in every cell.
- ``product_catalogue``: the product catalogue of a target; ``product_search``: products found by a part of id or name.
- ``expectations``: a file's column ``expect`` compared with what was found.
- ``baseline``: what is new since an earlier check, by ``check --baseline`` and on Upload.
- ``team_rules``: the team's own rules, in a file, beside the contract's.
- ``check_verdict``: which kinds of issue make a build fail, and which issues it looks at first.
- ``endpoint``: the report as JSON, and ``POST /validate``.
- ``annotations``: issues as places in a pasted text.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
