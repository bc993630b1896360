"""Exports: files and texts that leave the console, none with a key in it.

- ``csv_files``: results, problems, excluded rows and the fixed file as CSV
- ``xlsx_report``: the problems of a file as a workbook with coloured cells
- ``junit``: a check, and the results of a file that tests itself, as JUnit XML; those results as JSON
- ``github_annotations``: a check as GitHub shows it: annotations and a summary of the job
- ``case_file``: one request with everything known of it, written and read
- ``personal_values``, ``person_patterns``, ``plain_words``: what in a body or a text is a person's, and what is not
- ``pseudonyms``, ``body_pseudonyms``, ``escapes``, ``salt``: persons replaced by other names, however they are written
- ``secret_guard``: the last check for keys
- ``snippets``: a request as code for a shell, Python or Node
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
