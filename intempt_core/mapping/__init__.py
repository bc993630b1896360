"""Mapping: the columns of a table and the names in it become events of the contract.

- ``model``: what a mapping is, and which one is taken without a guess.
- ``suggestions``: what columns and names probably mean, for a person to accept.
- ``values``: a cell becomes a value; made event ids.
- ``time_formats``: how a file writes its times; ``number_forms``: how it writes numbers for people.
- ``table_events``: a table and its mapping together.
- ``explode``: what of a row becomes several events; ``exploded_table`` makes them of ``member_columns``,
  ``explode_suggestions`` says where a file looks like that.
- ``derived_columns``: columns that a mapping names and a file does not have by itself.
- ``event_source``: what the rest of the pipeline asks of those; ``mapped_table`` makes events of columns,
  ``document_events`` gives those of JSON lines as they came.
- ``new_ids``: other event ids for a new run of the same input.
- ``saved``: mappings kept by name, and recognised by a header; ``mapping_folder`` keeps them as files,
  ``whole_file`` writes a file whole or not at all.
- ``written_json``: JSON that a person writes, read with what is wrong in it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
