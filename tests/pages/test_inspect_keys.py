"""Whatever Inspect draws and keeps of a copied request, there is no key in it."""

from random import Random

import pytest

from tests.core.readers.copied_forms import FORMS, KEY_TRACES, KeyedRequest, write_request
from tests.pages.conftest import Screen


@pytest.mark.parametrize("begin", [0, pytest.param(1, marks=pytest.mark.long)])
def test_no_key_is_drawn_or_kept(inspect: Screen, begin: int) -> None:
    for seed, form in enumerate(FORMS):
        if seed % 2 != begin:
            continue
        text = write_request(KeyedRequest(Random(seed)), form)
        inspect.paste(text if seed % 3 else f"{text}\n{text}" if form != "HAR" else text)
        drawn = [inspect.texts, inspect.markdown, *inspect.codes, str(inspect.app.main)]
        kept = [str(vars(inspect.inspect_state)), str(inspect.app.session_state)]
        for where in (*drawn, *kept):
            found = KEY_TRACES.search(where)
            assert found is None, (form, where[max(0, found.start() - 200) : found.end() + 50])
        assert "held a key" in inspect.texts
