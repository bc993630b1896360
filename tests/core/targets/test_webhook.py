"""The webhook of a target: which URLs are taken, what signs it, and where one of a screen may lead."""

from dataclasses import replace

import pytest

from intempt_core.errors import TargetIncomplete
from intempt_core.targets import AllowedHosts, StoredTarget, TargetRegistry, find_target_faults
from intempt_core.targets.webhook import parse_webhook_url

SHOP = StoredTarget(
    "shop", "api.intempt.com", "acme", "web", "1481727395731910656", "SHOP_KEY",
    webhook="https://hooks.example/T0KEN", webhook_secret="SHOP_HOOK",
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://hooks.example/a/b?c=d&e", "https://hooks.example/a/b?c=d&e"),
        (" https://hooks.example ", "https://hooks.example/"),
        ("HTTPS://Hooks.example:8443/A", "https://Hooks.example:8443/A"),
        ("http://127.0.0.1:9000/x", "http://127.0.0.1:9000/x"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
    ],
)
def test_a_url_keeps_its_path_and_its_query(given: str, expected: str) -> None:
    assert parse_webhook_url(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "", 5, None, "hooks.example/x", "https://", "https:///x", "https://hooks.example:port/x", "https://a b/x",
        "https://user:T0KEN@hooks.example/", "https://hooks.example/#T0KEN", "ftp://hooks.example/T0KEN",
        "http://hooks.example/T0KEN", "http://169.254.169.254/latest", "https://hooks.example\\@evil.example/T0KEN",
        "https://hooks.example/\r\nHost: evil", "https://hööks.example/T0KEN", "https://hooks.example/\u200bT0KEN",
        "javascript:alert(1)", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_anything_else_is_a_sentence_that_does_not_repeat_it(given: object) -> None:
    with pytest.raises(TargetIncomplete) as told:
        parse_webhook_url(given)
    assert "T0KEN" not in str(told.value)


def test_where_others_reach_the_console_a_webhook_of_a_screen_leads_to_allowed_hosts_only() -> None:
    faults = find_target_faults(SHOP, AllowedHosts(("api.intempt.com",)))
    assert faults == {
        "webhook": "Webhooks that are added here may lead to api.intempt.com only. Who runs the console allows more in"
        " CONSOLE_ALLOWED_TARGET_HOSTS, or describes the target in secrets.toml."
    }
    assert find_target_faults(SHOP, AllowedHosts(("api.intempt.com", "hooks.example"))) == {}
    for hidden in ("https://hooks.example@evil.example/", "https://hooks.example.evil.example/"):
        assert "webhook" in find_target_faults(
            replace(SHOP, webhook=hidden), AllowedHosts(("api.intempt.com", "hooks.example"))
        )


@pytest.mark.parametrize(
    ("variable", "fault"),
    [
        ("", "This is missing. It names the environment variable"),
        ("whsec_MfKQ9r8GKYqr+TwjU", "This is no name of an environment variable"),
        ("CONSOLE_PASSWORD", "Variables that begin with CONSOLE_"),
    ],
)
def test_a_stored_webhook_needs_the_name_of_a_variable_of_its_own(variable: str, fault: str) -> None:
    found = find_target_faults(replace(SHOP, webhook_secret=variable), AllowedHosts())
    assert list(found) == ["webhook_secret"]
    assert found["webhook_secret"].startswith(fault)
    assert not variable or variable not in found["webhook_secret"]


def test_a_described_webhook_without_a_secret_is_a_problem_and_the_target_stays() -> None:
    table = {
        "host": "api.intempt.com",
        "org": "a",
        "project": "p",
        "source": "1",
        "key": "a.b",
        "webhook": "https://h.example/T0KEN",
    }
    found = TargetRegistry.from_sources({"targets": {"shop": table}}, {}, "http://127.0.0.1/sandbox")
    assert found.get("shop").webhook == "https://h.example/T0KEN"
    assert [problem for problem in found.problems if "T0KEN" in problem] == []
    (problem,) = found.problems
    assert problem.startswith("Target shop: webhook_secret is missing, so the webhook is told nothing. It names the")


def test_the_key_must_not_be_in_the_webhook() -> None:
    table = {
        "host": "api.intempt.com", "org": "a", "project": "p", "source": "1", "key": "prefix.s3cretS3cret",
        "webhook": "https://h.example/?k=s3cretS3cret", "webhook_secret": "HOOK",
    }  # fmt: skip
    found = TargetRegistry.from_sources({"targets": {"shop": table}}, {}, "http://127.0.0.1/sandbox")
    assert [target.name for target in found.all] == ["sandbox"]
    assert "The key is in another field too" in found.problems[0]
