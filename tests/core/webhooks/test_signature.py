"""The signature of a message: the specification's own example, and secrets that are none."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from intempt_core.errors import TargetIncomplete
from intempt_core.webhooks import sign_message

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_message_is_signed_as_the_example_of_the_specification() -> None:
    assert sign_message(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_id_the_time_and_every_byte_count() -> None:
    given = ("id", 1, b"body")
    signatures = {
        sign_message(SECRET, *one)["webhook-signature"]
        for one in (given, ("id2", 1, b"body"), ("id", 2, b"body"), ("id", 1, b"Body"))
    }
    assert len(signatures) == 4


def test_a_secret_may_be_any_text_that_is_long_enough() -> None:
    assert sign_message("a plain text of a person", "id", 1, b"")["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize("secret", ["", "tiny", "whsec_", "whsec_dGlueQ==", "whsec_no base64 at all, though long"])
def test_a_secret_that_is_none_is_said_and_not_repeated(secret: str) -> None:
    with pytest.raises(TargetIncomplete, match="at least 16 bytes") as told:
        sign_message(secret, "id", 1, b"")
    assert not secret or secret not in str(told.value).replace("whsec_ and base64", "")


def test_the_check_that_the_documentation_shows_takes_what_is_signed_and_nothing_else() -> None:
    page = Path(__file__).parents[3] / "docs" / "targets.md"
    (shown,) = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(shown, names)  # noqa: S102  our own page
    secret, now = "a secret of the documentation", int(time.time())
    headers = sign_message(secret, "id", now, b"body")
    assert names["is_genuine"](secret.encode(), headers, b"body")
    assert not names["is_genuine"](secret.encode(), headers, b"other")
    assert not names["is_genuine"](b"another secret", headers, b"body")
    assert not names["is_genuine"](secret.encode(), sign_message(secret, "id", now - 400, b"body"), b"body")
