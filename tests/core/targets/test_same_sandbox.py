"""A batch that was recorded for one sandbox is sent to no other."""

import pytest

from intempt_core.errors import TargetNotFound
from intempt_core.targets import check_same_sandbox, parse_track_url, sandbox_target

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1/track"


def test_another_sandbox_is_said_with_both_addresses_and_what_to_set() -> None:
    with pytest.raises(TargetNotFound, match=r"at http://a:1/sandbox, .* at http://b:2/sandbox\. Set CONSOLE_SANDBOX"):
        check_same_sandbox(sandbox_target("http://b:2/sandbox/"), "http://a:1/sandbox")


def test_the_same_sandbox_and_any_other_target_are_right() -> None:
    check_same_sandbox(sandbox_target("http://a:1/sandbox/"), "http://a:1/sandbox")
    check_same_sandbox(parse_track_url(URL, {"INTEMPT_API_KEY": "pre.secretsecret"}), "https://elsewhere")
