"""Readers: a file's bytes, or a pasted text, become a table of texts or events.

- ``table``: a file as rows of text, and the way from bytes to it.
- ``formats``: the registry of formats, and what a new format needs.
- ``table_content``: what a reader of a format is given, and what it gives.
- ``encoding``: a file's bytes at one moment, and the encoding of text.
- ``compression``, ``limits``: gzip, unpacked within bounds; how large an event and a table may be.
- ``mapped_file``, ``open_file``: large files on disk; files for another process.
- ``column_store``: the columns of a table, written some rows at a time; large ones lie on disk.
- ``text_table``, ``delimited``: CSV and its like; its rows with their lines.
- ``cell_positions``: where in the file's text the cells of a table are, by line and character.
- ``dialects``: what a person says of how a file is read, and what its first rows and its quoting show.
- ``workbooks``: a sheet of a workbook; the workbook's XML; its number formats and merged cells.
- ``parquet``, ``arrow_texts``: Parquet; values of Arrow's types as text.
- ``jsonl``, ``reading_issues``: JSON lines, events as they came and their columns; what is wrong with lines.
- ``json_rows``: lines of JSON many together: which need a closer look, and the columns of rows that are built alike.
- ``json_cells``: JSON values as cells of a table.
- ``payload``: a pasted text as events.
- ``pasted``: the keys in a pasted text, masked; a cURL command; a command line split into words.
- ``json_text``: JSON with the offsets of its values; JSON with comments; the whole events of one that ends early.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
