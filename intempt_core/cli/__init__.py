"""The command line: the same pipeline as the screens', without a screen (docs/command-line.md).

- ``entry``: a call: its command, what became of it as an exit code, errors as sentences
- ``parser``: the list of commands; ``arguments/``: what each takes, and the help that teaches it
- ``program``: what a person types to call it; ``streams``: closed and narrow outputs
- ``exit_codes``: what each exit code means
- ``checks/``: what is wrong with files; ``sends/``: from a file, a journey or one event to every outcome
- ``commands/``: the other commands, a module each
- ``input_files``: the files that a call names; ``input``: a file as it is read and checked
- ``targets``, ``catalogue``: the target that a call names, and what its products are looked for in
- ``steps``: which step a command is at, on standard error
- ``output``, ``files_out``: what is printed, and the files that are written

Counts, issues and settings go to standard output, progress and errors to standard error.

A command's module is imported when it is called: a check needs neither the database nor an HTTP client.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
