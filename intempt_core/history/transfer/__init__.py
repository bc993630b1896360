"""A whole history on its way from an SQLite file into a PostgreSQL database.

- ``transfer``: the move itself, all of it or nothing; ``target_tables``: what is done to the tables that receive it
- ``copy_lines``: rows as the lines of text that PostgreSQL's ``COPY`` takes and gives, which are compared by a digest
- ``source_file``: the file that it comes from, which is only read, and which no process writes meanwhile
- ``document_source``: what people saved beside the file, as tables that are moved like its own
- ``moved_marker``: what is left beside the file, so that no console goes on with it by mistake
"""
