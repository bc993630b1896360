"""What every test stands on: nothing of the person's own environment, and no hurry for Hypothesis on a busy machine."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Under CI the same examples every time: new ones are looked for where somebody is there to read what they show.
settings.register_profile("console", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("console")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name binary values by their size: a compressed one holds the time, and two processes must name a test alike."""
    return f"{argname} of {len(val)} bytes" if isinstance(val, bytes) and not val.isascii() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that install and start whole programs come first: at the end two workers would wait for the last one.

    Trace only what coverage is a claim of: the core's own tests by example.

    Tracing doubles the time of Python code. Generated examples, hundreds to a law, and whole screens run without it, so
    that what they happen to touch counts for nothing.
    """
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent)
    for item in items:
        generated = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if generated or "core" not in item.path.parts:
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """All modules are read by now: no collection of garbage goes over them again, and Streamlit asks for many."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _nobodys_environment() -> Iterator[None]:
    """Take away settings, targets and keys of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("CONSOLE_", "INTEMPT_", "STREAMLIT_")):
                patch.delenv(name)
        yield
