"""The tree of errors is drawn, complete and exported."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import intempt_core
from intempt_core import errors
from intempt_core.errors import ConsoleError

NO_ERRORS = {
    "ExpectationFailed",
    "LaunchError",
    "UnclosedQuote",
    "UnfitRule",
    "_ClashingKeys",
    "_ClearTextConnection",
    "_ImpossibleNumber",
    "_InexactNumber",
    "_Rejection",
}
"""Exceptions outside the tree, for a reason that is said: named beside the drawing."""


def import_every_module() -> Iterator[str]:
    for module in pkgutil.walk_packages(intempt_core.__path__, "intempt_core."):
        if ".migrations." not in module.name and not module.name.endswith(".__main__"):  # alembic's; the command
            importlib.import_module(module.name)
            yield module.name


def parents_of(base: type[BaseException]) -> Iterator[tuple[str, str]]:
    for found in base.__subclasses__():
        if found.__module__.startswith("intempt_core."):
            yield found.__name__, base.__name__
        yield from parents_of(found)


def read_drawing() -> dict[str, str]:
    """Name → name of its parent, as the drawing in the docstring has them."""
    stack = ["ConsoleError"]
    found = {}
    for branches, name in re.findall(r"^ {4}([│ ]*[├└]── )(\w+) ", errors.__doc__ or "", re.MULTILINE):
        depth = len(branches) // 4
        stack[depth:] = [name]
        found[name] = stack[depth - 1]
    return found


def test_the_drawing_is_the_tree() -> None:
    assert len(list(import_every_module())) > 100
    assert dict(parents_of(ConsoleError)) == read_drawing()


def test_an_exception_outside_the_tree_is_named() -> None:
    assert list(import_every_module())
    tree = {"ConsoleError", *read_drawing()}
    assert {name for name, _ in parents_of(Exception)} - tree == NO_ERRORS
    assert all(f"``{name}``" in (errors.__doc__ or "") for name in NO_ERRORS)


def test_the_tree_is_exported_whole() -> None:
    for name in ("ConsoleError", *read_drawing()):
        assert issubclass(getattr(intempt_core, name), ConsoleError)
        assert name in dir(intempt_core)
