"""The command line: the same pipeline as the screens', without a screen (docs/command-line.md).

- ``entry``: a call: its command, what became of it as an exit code, errors as sentences
- ``parser``: the list of commands; ``arguments/``: what each takes, and the help that teaches it
- ``program``: what a person types to call it; ``streams``: closed and narrow outputs
- ``exit_codes``: what each exit code means
- ``check``, ``check_several``: what is wrong, and what of it is new since an earlier check; ``check_reports``: forms
- ``send``, ``resume`` (``send --resume``)
- ``commands/``: the other commands, a module each; ``launch``: how the screens' server is started, by ``console`` and
  by ``run.py``
- ``sending``, ``outcome``, ``prior_events``: how a batch is sent, what became of it, what of a file went before
- ``input_files``: the files that a call names; ``input``: a file as it is read and checked
- ``targets``, ``catalogue``: the target that a call names, and what its products are looked for in
- ``steps``: which step a command is at, on standard error
- ``output``, ``files_out``: what is printed, and the files that are written

Counts, issues and settings go to standard output, progress and errors to standard error.

A command's module is imported when it is called: a check needs neither the database nor an HTTP client.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
