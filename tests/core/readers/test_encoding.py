"""The encoding of a text: bytes are UTF-8 exactly where Python can decode them, wherever a block ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.readers import encoding


@given(
    st.lists(st.one_of(st.text(max_size=4).map(lambda text: text.encode(errors="ignore")), st.binary(max_size=3))),
    st.sampled_from([1, 2, 3, 4, 5, 7, 4096]),
)
def test_the_first_byte_that_is_not_utf8_is_that_of_python(parts: list[bytes], block: int) -> None:
    raw = b"".join(parts)
    try:
        raw.decode()
        bad = None
    except UnicodeDecodeError as error:
        bad = error.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK_BYTES", block)
        assert encoding._find_invalid_utf8(raw) == bad
