"""Python looks for reference cycles again when the last reader of a long text has ended."""

import gc
from collections.abc import Iterator

import pytest

from pages.parts.inspect.collection_pause import pause_collection


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    was = gc.isenabled()
    gc.enable()
    yield
    if not was:
        gc.disable()


def test_two_readers_pause_the_search_until_both_have_ended() -> None:
    first, second = pause_collection(), pause_collection()
    with first:
        second.__enter__()
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_a_reader_that_fails_ends_its_pause() -> None:
    @pause_collection()
    def read() -> None:
        assert not gc.isenabled()
        raise ValueError("unreadable")

    for _ in range(2):
        with pytest.raises(ValueError, match="unreadable"):
            read()
        assert gc.isenabled()
