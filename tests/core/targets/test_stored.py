"""Targets that are added on a screen: what is wrong with one, by field; where it may lead; where its key comes from."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.errors import TargetIncomplete
from intempt_core.settings import Settings
from intempt_core.targets import (
    AllowedHosts,
    KnownTargets,
    StoredTarget,
    Target,
    TargetRegistry,
    find_target_faults,
    normalize_target_name,
)

KEY = "k3yPrefix.s3cretS3cret"
SHOP = StoredTarget("shop", "api.intempt.com", "acme", "web", "1481727395731910656", "SHOP_KEY")
ANY_HOST = AllowedHosts()


def described(environment: Mapping[str, str]) -> TargetRegistry:
    return TargetRegistry.from_sources({}, environment, "http://127.0.0.1:8501/sandbox")


def known(
    stored: StoredTarget, environment: Mapping[str, str] | None = None, allowed: AllowedHosts = ANY_HOST
) -> TargetRegistry:
    return described(environment or {}).with_stored([stored], environment or {}, allowed)


def shop(stored: StoredTarget = SHOP, **environment: str) -> Target:
    found = known(stored, environment)
    assert found.stored_problems == {}
    return found.get(stored.name)


# ── what it becomes ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stored_target_is_a_target_like_any_other_with_the_key_of_its_variable() -> None:
    stored = replace(SHOP, feeds={"recently-viewed": "101"}, requests_per_second="20", deduplicates=True)
    found = shop(stored, SHOP_KEY=KEY)
    assert found.track_url == "https://api.intempt.com/v1/acme/projects/web/sources/1481727395731910656/track"
    assert (found.origin, found.production, found.deduplicates) == ("console", True, True)
    assert (found.requests_per_second, dict(found.feeds)) == (20.0, {"recently-viewed": "101"})
    assert found.credential is not None
    assert found.credential.is_in(KEY)
    assert found.credential_reference == "$SHOP_KEY"


@pytest.mark.parametrize("value", ["", "no-dot", "a.b:c d"])
def test_a_variable_without_a_key_leaves_a_target_that_asks_for_one(value: str) -> None:
    found = shop(SHOP_KEY=value)
    assert (found.credential, found.credential_reference) == (None, "$SHOP_KEY")
    assert shop(replace(SHOP, key_variable="")).credential_reference == "none"


def test_a_key_that_is_in_another_field_too_is_not_used() -> None:
    assert shop(replace(SHOP, org=KEY), SHOP_KEY=KEY).credential is None


@given(st.builds(
    StoredTarget, st.text(), st.text(), st.text(), st.text(), st.text(), st.text(), st.booleans(), st.booleans(),
    st.dictionaries(st.text(), st.text()), st.text(), st.text(),
))  # fmt: skip
def test_what_is_stored_comes_back_and_whatever_it_holds_is_a_target_or_a_sentence(stored: StoredTarget) -> None:
    try:
        document = stored.to_json()
    except UnicodeEncodeError:
        return
    assert StoredTarget.from_json(json.loads(document)) == stored
    found = known(stored)
    assert (stored.name in found.stored_problems) is bool(find_target_faults(stored, ANY_HOST))


def test_keys_of_a_later_version_are_passed_over() -> None:
    document = {**json.loads(SHOP.to_json()), "colour": "red"}
    assert StoredTarget.from_json(document) == SHOP


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_letter_case_hyphens_underscores_and_spaces_make_no_other_name() -> None:
    assert {normalize_target_name(name) for name in ("Shop EU", "shop-eu", "SHOP_EU", " shop  eu ")} == {"shop_eu"}
    assert known(replace(SHOP, name="Shop EU")).get("shop-eu").name == "Shop EU"


def test_a_name_of_the_environment_counts_before_a_stored_one() -> None:
    above = {f"CONSOLE_TARGET_SHOP_{name}": "x" for name in ("HOST", "ORG", "PROJECT", "SOURCE")}
    found = known(SHOP, above)
    assert found.get("shop").origin == "environment"
    assert "The environment describes one of it, and that one counts" in found.stored_problems["shop"]
    assert (
        "This name is taken. It is the built-in sandbox's"
        in known(replace(SHOP, name="Sandbox")).stored_problems["Sandbox"]
    )


# ── faults, by field ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 61),
        ("name", "http://x"),
        ("name", "-x"),
        ("name", "sandbox"),
        ("host", ""),
        ("host", "http://api.intempt.com"),
        ("host", "user@api.intempt.com"),
        ("org", ""),
        ("project", ".."),
        ("source", "a\u200bb"),
        ("source", "x" * 501),
        ("key_variable", "SHOP KEY"),
        ("key_variable", KEY),
        ("key_variable", "CONSOLE_PASSWORD"),
        ("key_variable", "console_password"),
        ("key_variable", "CONSOLE_TARGET_SHOP_KEY"),
        ("requests_per_second", "0"),
        ("requests_in_flight", "1.5"),
    ],
)
def test_each_fault_is_at_its_field_and_repeats_no_value(field: str, value: str) -> None:
    faults = find_target_faults(replace(SHOP, **{field: value}), ANY_HOST)  # type: ignore[arg-type]  # its own type
    assert list(faults) == [field]
    assert KEY not in faults[field]


def test_feeds_have_a_fault_each_and_a_clean_description_has_none() -> None:
    given: dict[str, Any] = {"recently-viewed": "..", "recently-purchased": "2", "nonsense": "3"}
    assert list(find_target_faults(replace(SHOP, feeds=given), ANY_HOST)) == ["feeds.recently-viewed", "feeds.nonsense"]
    assert find_target_faults(SHOP, ANY_HOST) == {}
    assert list(find_target_faults(SHOP, ANY_HOST, taken=["SHOP"])) == ["name"]


# ── where it may lead ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "environment", "hosts"),
    [
        (Settings(), {}, None),
        (Settings(), {"CONSOLE_PASSWORD": "x"}, ("api.intempt.com", "api.staging.intempt.com")),
        (Settings(unprotected=1), {}, ("api.intempt.com", "api.staging.intempt.com")),
        (Settings(hosts="https://console.example"), {}, ("api.intempt.com", "api.staging.intempt.com")),
        (Settings(allowed_target_hosts="A.example, b:8080,"), {"CONSOLE_PASSWORD": "x"}, ("a.example", "b:8080")),
        (Settings(allowed_target_hosts="a.example"), {}, ("a.example",)),
    ],
)
def test_every_host_is_allowed_only_where_nobody_else_reaches_the_console(
    settings: Settings, environment: dict[str, str], hosts: tuple[str, ...] | None
) -> None:
    assert AllowedHosts.from_settings(settings, environment).hosts == hosts


@pytest.mark.parametrize(
    "host",
    [
        "api.intempt.com.evil.example",
        "api.intempt.com:8443",
        "evil.example/api.intempt.com",
        "https://evil.example/?api.intempt.com",
        "api.intempt.com@evil.example",
        "\u0430pi.intempt.com",
    ],
)
def test_what_looks_like_an_allowed_host_is_none(host: str) -> None:
    allowed = AllowedHosts(("api.intempt.com",))
    assert list(find_target_faults(replace(SHOP, host=host), allowed)) == ["host"]
    assert known(replace(SHOP, host=host), environment={"SHOP_KEY": KEY}, allowed=allowed).all[1:] == ()
    for same in ("API.intempt.com", "https://api.intempt.com/prefix"):
        assert find_target_faults(replace(SHOP, host=same), allowed) == {}


# ── as a long process sees them ──────────────────────────────────────────────────────────────────────────────────────


class Store:
    """A store in memory, which other processes may change."""

    def __init__(self) -> None:
        self.stored: list[StoredTarget] = []

    def all(self) -> list[StoredTarget]:
        return list(self.stored)

    def save(self, target: StoredTarget, *, replaces: str = "") -> None:
        self.stored = [one for one in self.stored if one.name != replaces] + [target]

    def delete(self, name: str) -> None:
        self.stored = [one for one in self.stored if one.name != name]


def test_what_this_process_changes_is_seen_at_once() -> None:
    targets = KnownTargets(described({}), Store(), ANY_HOST, {"SHOP_KEY": KEY})
    targets.save(SHOP)
    assert targets.registry.get("shop").credential is not None
    targets.save(replace(SHOP, name="shop 2"), replaces="shop")
    assert [target.name for target in targets.registry.all] == ["sandbox", "shop 2"]
    targets.delete("shop 2")
    assert targets.stored == ()


def test_what_cannot_be_a_target_is_not_stored() -> None:
    store = Store()
    targets = KnownTargets(described({}), store, AllowedHosts(("api.intempt.com",)), {})
    with pytest.raises(TargetIncomplete, match="may lead to"):
        targets.save(replace(SHOP, host="evil.example"))
    targets.save(SHOP)
    with pytest.raises(TargetIncomplete, match="Another target has this name"):
        targets.save(replace(SHOP, name="SHOP"))
    assert store.stored == [SHOP]
