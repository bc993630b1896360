"""What each command takes, and the help that teaches it; nothing of it runs.

- ``command``: the record of one command
- ``files``: the arguments that commands share: a file, how it is read, a catalogue
- one module a command, each with its record

``cli/parser.py`` lists them.
"""
