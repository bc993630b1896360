"""The record of one command: its name, its help, its arguments and what runs it."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

ReportMisuse: TypeAlias = Callable[[str], NoReturn]
"""Ends the process with a sentence and exit code 2, as ``argparse`` does."""


def check_nothing(_report: ReportMisuse, _given: argparse.Namespace) -> None:
    """Take arguments as they are: each of them is right by itself."""


@dataclass(frozen=True)
class Command:
    """One command of the command line.

    Attributes:
        name: What it is called.
        help: What it does, in a few words, as the list of commands says it.
        epilog: What its own help says below the options: examples that can be called, and its exit codes.
        add_arguments: Gives its parser what it takes.
        run: The function that runs it, by its name in the package's face: it is imported when the command is called. It
            takes the arguments and the environment, and returns the exit code.
        check: Looks whether arguments go together, and reports what is wrong in a sentence.
        outlives_output: Whether its exit code is the same where the reader of its output is gone: what it does is more
            than what it prints.
        loads_much: Whether what runs it takes so long to import that a terminal is told.
    """

    name: str
    help: str
    epilog: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: str
    check: Callable[[ReportMisuse, argparse.Namespace], None] = check_nothing
    loads_much: bool = False
    outlives_output: bool = False
