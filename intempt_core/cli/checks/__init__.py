"""``check``: what is wrong with one file or several, and how that is printed.

- ``check``: one file, read and checked
- ``check_several``: several files, a report each and a total
- ``check_reports``: the forms: text, JSON, JUnit, annotations of GitHub
"""
