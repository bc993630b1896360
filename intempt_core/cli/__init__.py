"""The command line: the same pipeline as the screens', without a screen (docs/command-line.md).

- ``entry``: a call: its command, what became of it as an exit code, errors as sentences
- ``parser``: what the command line takes, and the help that teaches it
- ``check``, ``send``, ``sandbox``, ``settings``: one command each
- ``input``: a file as it is read and checked
- ``targets``, ``catalogue``: the target that a call names, and what its products are looked for in
- ``output``, ``files_out``: what is printed, and the files that are written

Counts, issues and settings go to standard output, progress and errors to standard error. Exit codes:

    ===  ============================================================================================
    0    clean, or all as expected; all accepted
    1    errors found, or not all as expected; not all accepted, or not sent; interrupted; any other error
    2    the file or the mapping cannot be read, or the call is wrong
    3    no such target, or its key is missing
    ===  ============================================================================================

A command's module is imported when it is called: a check needs neither the database nor an HTTP client.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
