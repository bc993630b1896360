"""Targets and their credentials (CONTRACT 1.1, 1.2, 1.5, 3.7)."""

import base64
import copy
import json
import pickle
import re
import tomllib
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.feeds import FEED_TITLES
from intempt_core.contract.fields import MASK
from intempt_core.errors import ConsoleError, CredentialError, TargetIncomplete, TargetNotFound
from intempt_core.settings import KEY_VARIABLE
from intempt_core.targets.credential import Credential
from intempt_core.targets.loopback import AddressLookup, leads_to_this_machine
from intempt_core.targets.target import (
    Target,
    TargetRegistry,
    parse_track_url,
    sandbox_target,
)

SANDBOX_BASE = "http://127.0.0.1:8501/sandbox"
KEY = "k3yPrefix.s3cretS3cret"
SHOP: dict[str, Any] = {"host": "api.intempt.com", "org": "acme", "project": "web", "source": "1481727395731910656"}


def targets(tables: dict[str, Any] | None = None, **environment: str) -> TargetRegistry:
    variables = {f"CONSOLE_TARGET_{name}": value for name, value in environment.items()}
    return TargetRegistry.from_sources({"targets": tables or {}}, variables, SANDBOX_BASE)


def shop(**fields: Any) -> Target:
    found = targets({"shop": {**SHOP, "key": KEY, **fields}})
    assert found.problems == ()
    return found.get("shop")


def problem(**fields: Any) -> str:
    found = targets({"shop": {**SHOP, "key": KEY, **fields}, "other": {**SHOP, "key": KEY}})
    assert [target.name for target in found.all] == ["sandbox", "other"]  # what is wrong here harms no other
    (sentence,) = found.problems
    assert KEY not in sentence
    return sentence


def parts_of(credential: Credential) -> tuple[str, str]:
    prefix, _, secret = base64.b64decode(credential.authorization.removeprefix("Basic ")).decode().partition(":")
    return prefix, secret


# ── credentials ──────────────────────────────────────────────────────────────────────────────────────────────────────

# The ~ keeps a drawn key apart from words and addresses that a repr shows anyway.
_KEYS = st.builds("~{}.~{}".format, *[st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=8)] * 2)


@given(_KEYS)
def test_a_credential_is_never_shown(key: str) -> None:
    credential = Credential.parse(f" {key}\n")
    shown = [
        repr(credential),
        str(credential),
        f"{credential}",
        f"{credential:>40}",
    ]
    shown += [repr(replace(shop(), credential=credential)), str([credential]), repr(vars(type(credential)))]
    prefix, secret = parts_of(credential)
    assert f"{prefix}.{secret}" == key
    for text in shown:
        assert key not in text
        assert secret not in text


def test_a_credential_is_not_written_down() -> None:
    credential = Credential.parse(KEY)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be stored"):
            pickle.dumps(credential, protocol)
    with pytest.raises(TypeError):
        json.dumps(credential)
    assert copy.copy(credential) is credential
    assert copy.deepcopy(credential) is credential
    assert not hasattr(credential, "__dict__")


def test_credentials_are_equal_by_value() -> None:
    assert Credential.parse(KEY) == Credential("k3yPrefix", "s3cretS3cret")
    assert len({Credential.parse(KEY), Credential.parse(KEY), Credential.parse(KEY + "x")}) == 2
    assert Credential.parse(KEY) != KEY


def test_a_key_is_split_at_its_first_dot() -> None:
    assert parts_of(Credential.parse("a.b.c")) == ("a", "b.c")
    assert Credential.parse("a.b").authorization == "Basic " + base64.b64encode(b"a:b").decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("s3cretWithout", "without a dot"),
        (".s3cret", "One side"),
        ("s3cret.", "One side"),
        ("pre fix.s3cret", "no key has"),
        ("pre:fix.s3cret", "no key has"),
        ("préfix.s3cret", "no key has"),
        ("prefix.s3cret\x00", "no key has"),
    ],
)
def test_what_is_no_key_is_reported_without_repeating_it(text: str, words: str) -> None:
    with pytest.raises(CredentialError, match=words) as caught:
        Credential.parse(text)
    assert "s3cret" not in str(caught.value)


@given(before=st.text(max_size=20), after=st.text(max_size=20), keep=st.integers(0, 200))
def test_a_key_is_masked_in_every_form_it_takes(before: str, after: str, keep: int) -> None:
    key = "k3yPre+fix.s3cret/S3cret="
    credential = Credential.parse(key)
    token = credential.authorization.removeprefix("Basic ")
    for form in (key, token, quote(key, safe=""), json.dumps(key), key.replace("/", "\\/"), "s3cret/S3cret="):
        text = f"{before}{form}{after}"
        assert form.strip('"') not in credential.mask_text(text)
        assert credential.is_in(text)
        for encoding in ("utf-8", "utf-16-le"):
            data = text.encode(encoding, "replace")
            masked = credential.mask_bytes(data, keep)
            assert len(masked) <= keep
            assert form[:9].encode(encoding) not in masked
            assert credential.longest_form >= len(form.strip('"').encode(encoding))


@given(st.binary(max_size=100), st.integers(0, 120))
def test_what_holds_no_key_is_cut_and_nothing_else(data: bytes, keep: int) -> None:
    assert Credential.parse(KEY).mask_bytes(data, keep) == data[:keep]


# ── what a target is ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_track_url_is_the_contracts() -> None:
    url = "https://api.intempt.com/v1/acme/projects/web/sources/1481727395731910656/track"
    assert shop().track_url == url
    assert shop().host == "api.intempt.com"


@given(*[st.text(st.characters(codec="utf-8"), min_size=1)] * 3)
def test_every_step_of_the_path_is_percent_encoded(org: str, project: str, source: str) -> None:
    path = replace(shop(), org=org, project=project, source=source).track_url.removeprefix("https://api.intempt.com")
    assert path.isascii()
    assert [unquote(step) for step in path.split("/")] == [
        "",
        "v1",
        org,
        "projects",
        project,
        "sources",
        source,
        "track",
    ]


def test_a_feed_is_read_by_its_id_there() -> None:
    target = shop(feeds={"recently-viewed": "a/1"})
    assert target.feed_url("recently-viewed") == "https://api.intempt.com/v1/acme/projects/web/feeds/a%2F1/data"
    with pytest.raises(TargetIncomplete, match="no feed id for Recently Purchased"):
        target.feed_url("recently-purchased")
    with pytest.raises(TargetIncomplete, match="no feed id for this feed"):
        target.feed_url("nonsense")


def test_a_lane_stops_unless_the_target_deduplicates() -> None:
    assert shop().default_policy == "stop"
    assert shop(deduplicates=True).default_policy == "resend"
    assert sandbox_target(SANDBOX_BASE).default_policy == "resend"


def test_the_sandbox_needs_no_description() -> None:
    sandbox = sandbox_target(SANDBOX_BASE + "/")
    assert sandbox.track_url == f"{SANDBOX_BASE}/v1/sandbox/projects/sandbox/sources/1001/track"
    assert (sandbox.title, sandbox.production, sandbox.deduplicates) == ("Sandbox", False, True)
    assert sandbox.credential is not None
    assert parts_of(sandbox.credential) == ("sandbox", "sandbox")
    assert dict(sandbox.feeds) == {feed: feed for feed in FEED_TITLES}
    assert targets().all == (sandbox,)


def test_a_target_cannot_be_changed() -> None:
    target = shop(feeds={"recently-viewed": "1"})
    with pytest.raises(AttributeError):
        target.org = "other"  # type: ignore[misc]  # that is the claim
    with pytest.raises(TypeError):
        target.feeds["recently-viewed"] = "2"  # type: ignore[index]  # that is the claim
    assert hash(target) == hash(shop(feeds={"recently-viewed": "2"}))
    with pytest.raises(TypeError):
        asdict(target)


# ── descriptions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_target_is_described_in_toml() -> None:
    text = f"""
    [targets.Shop-EU]
    host = "https://api.intempt.com/eu/"
    org = "My Org"
    project = 2024
    source = 1481727395731910656
    key = "{KEY}"
    production = false
    deduplicates = true
    feeds = {{ recently-viewed = 1481727395731910657, recently_purchased = "x" }}
    """
    found = TargetRegistry.from_sources(tomllib.loads(text), {}, SANDBOX_BASE)
    assert found.problems == ()
    target = found.get("shop_eu")
    assert (target.name, target.base, target.org, target.project) == (
        "Shop-EU",
        "https://api.intempt.com/eu",
        "My Org",
        "2024",
    )
    assert target.source == "1481727395731910656"
    assert (target.production, target.deduplicates, target.origin) == (False, True, "secrets.toml")
    assert dict(target.feeds) == {"recently-viewed": "1481727395731910657", "recently-purchased": "x"}


@pytest.mark.parametrize(
    "feeds", ['{"recently-viewed": "12", "recently_purchased": 13}', " recently-viewed=12, RECENTLY_PURCHASED=13,"]
)
def test_a_target_is_described_in_the_environment(feeds: str) -> None:
    found = targets(
        SHOP_EU_HOST="localhost:9000/x",
        SHOP_EU_ORG="acme",
        SHOP_EU_PROJECT="web",
        SHOP_EU_SOURCE="1001",
        SHOP_EU_KEY=KEY,
        SHOP_EU_PRODUCTION="Yes",
        SHOP_EU_DEDUPLICATES="0",
        SHOP_EU_FEEDS=feeds,
    )
    assert found.problems == ()
    target = found.get("SHOP-eu")
    assert (target.name, target.base, target.origin) == ("shop-eu", "https://localhost:9000/x", "environment")
    assert (target.production, target.deduplicates) == (True, False)
    assert target.credential_reference == "$CONSOLE_TARGET_SHOP_EU_KEY"
    assert dict(target.feeds) == {"recently-viewed": "12", "recently-purchased": "13"}


def test_the_environment_wins_field_by_field() -> None:
    found = targets({"Shop": SHOP}, SHOP_KEY=KEY, SHOP_ORG="other", SHOP_PROJECT="  ")
    assert found.problems == ()
    target = found.get("shop")
    assert (target.name, target.org, target.project) == ("Shop", "other", "web")
    assert target.credential_reference == "$CONSOLE_TARGET_SHOP_KEY"


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("api.intempt.com", "https://api.intempt.com"),
        ("API.Intempt.com:8443/", "https://api.intempt.com:8443"),
        ("https://api.intempt.com/a%20b/c d/", "https://api.intempt.com/a%20b/c%20d"),
        ("http://127.0.0.1:8501/sandbox", "http://127.0.0.1:8501/sandbox"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("https://shop.localhost.", "https://shop.localhost."),
        ("http://[::1]:8501", "http://[::1]:8501"),
        ("HTTPS://[2001:DB8::1]/", "https://[2001:db8::1]"),
        ("xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_a_host_is_read_in_each_of_its_forms(host: str, base: str) -> None:
    assert shop(host=host).base == base


def resolve_to(*addresses: str) -> AddressLookup:
    """A lookup that gives these addresses for every name; none: it does not know the name."""

    def look_up(name: str, _: None) -> list[tuple[Any, ...]]:
        if not addresses:
            raise OSError(f"{name} is not known")
        return [(0, 0, 0, "", (address, 0)) for address in addresses]

    return look_up


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "shop.localhost", "a.b.localhost."])
def test_a_name_of_this_machine_is_looked_up_and_not_believed(name: str) -> None:
    for here in (["127.0.0.1"], ["::1", "127.9.9.9"], ["::ffff:127.0.0.1"]):
        assert leads_to_this_machine(name, resolve_to(*here))
    for elsewhere in ([], ["10.0.0.5"], ["127.0.0.1", "203.0.113.9"], ["fe80::1%eth0"], ["0.0.0.0"]):  # noqa: S104  no address to bind
        assert not leads_to_this_machine(name, resolve_to(*elsewhere))
    assert not leads_to_this_machine(f"{name.rstrip('.')}.example", resolve_to("127.0.0.1"))


def test_a_target_below_localhost_is_taken_only_where_its_name_leads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe() -> tuple[bool, str]:
        found = targets({"shop": {**SHOP, "key": KEY, "host": "http://shop.localhost:8080"}})
        return len(found.all) == 2, " ".join(found.problems)

    monkeypatch.setattr(leads_to_this_machine, "__defaults__", (resolve_to("127.0.0.1"),))
    assert describe() == (True, "")
    for elsewhere in (resolve_to(), resolve_to("203.0.113.9")):
        monkeypatch.setattr(leads_to_this_machine, "__defaults__", (elsewhere,))
        taken, problem_ = describe()
        assert not taken
        assert "clear text. This name does not lead to this machine. Write https://." in problem_


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("", "empty"),
        ("http://api.intempt.com", "clear text"),
        ("http://10.0.0.1", "clear text"),
        ("http://localhost.example.com", "clear text"),
        ("ftp://api.intempt.com", "Only https"),
        (f"https://{KEY}@api.intempt.com", "an @"),
        (f"https://api.intempt.com?apiKey={KEY}", "has a \\?"),
        ("https://api.intempt.com?", "has a \\?"),
        ("https://api.intempt.com/#x", "has a \\?"),
        ("https://api.intempt.com/v1/a/projects/b/sources/c/track", "whole track URL"),
        ("https://", "no host name"),
        ("exa mple.com", "no host name"),
        ("bücher.example", "xn-- form"),
        ("a" * 64 + ".example", "no host name"),
        ("-a.example", "no host name"),
        ("a..example", "no host name"),
        ("api.intempt.com:99999", "no host"),
        ("api.intempt.com:x", "no host"),
        ("[::1", "no host"),
        ("https://[::zz]", "no host"),
        ("https://api.intempt.com/a/../b", "a step"),
        ("https://api.intempt.com/%2e%2E/b", "a step"),
        ("api.intempt.com\u200b", "invisible"),
        (5.5, "not text"),
    ],
)
def test_a_host_that_cannot_be_used_is_reported(host: object, words: str) -> None:
    assert re.search(words, problem(host=host))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"source": 1.5e18}, "has lost digits"),
        ({"source": True}, "not text"),
        ({"org": ["acme"]}, "not text"),
        ({"org": " "}, "empty"),
        ({"org": ".."}, "a step of the path"),
        ({"project": "we\x07b"}, "invisible"),
        ({"project": "\ud800"}, "half a character"),
        ({"production": "perhaps"}, "neither true nor false"),
        ({"deduplicates": 2}, "neither true nor false"),
        ({"feeds": 5}, "no table"),
        ({"feeds": "{not json"}, "no JSON"),
        ({"feeds": "[1]"}, "no table"),
        ({"feeds": {"worst-selling": "1"}}, "Known are recently-viewed"),
        ({"feeds": {"recently-viewed": 1.5}}, "has lost digits"),
        ({"feeds": '{"recently-viewed": 1.5}'}, "not text"),
        ({"feeds": "recently-viewed"}, "empty"),
        ({"org": KEY}, "is in another field"),
        ({"feeds": {"recently-viewed": KEY}}, "is in another field"),
        ({"project": KEY.replace(".", "%2E")}, "is in another field"),
    ],
)
def test_a_field_that_cannot_be_used_is_reported(fields: dict[str, Any], words: str) -> None:
    assert words in problem(**fields)


def test_what_is_missing_is_reported() -> None:
    found = targets({"shop": {"key": KEY}})
    assert found.problems == tuple(f"Target shop: {name} is missing." for name in ("host", "org", "project", "source"))


@pytest.mark.parametrize("fields", [{}, {"key": ""}, {"key": "s3cretWithout"}, {"key": 5}])
def test_a_target_without_a_usable_key_waits_for_a_typed_one(fields: dict[str, Any]) -> None:
    found = targets({"shop": {**SHOP, **fields}})
    (sentence,) = found.problems
    assert "key" in sentence
    assert "s3cret" not in sentence
    target = found.get("shop")
    assert (target.credential, target.credential_reference) == (None, "none")
    typed = target.with_key(KEY)
    assert (typed.credential, typed.credential_reference) == (Credential.parse(KEY), "typed for this session")
    with pytest.raises(CredentialError, match="another field"):
        replace(target, org=KEY).with_key(KEY)


@pytest.mark.parametrize(
    ("host", "production"),
    [
        ("api.intempt.com", True),
        ("events.example.com", True),
        ("api.staging.intempt.com", False),
        ("127.0.0.1:1", False),
        ("localhost", False),
    ],
)
def test_every_host_is_production_but_staging_and_this_machine(host: str, production: bool) -> None:
    assert shop(host=host).production is production
    assert shop(host=host, production=not production).production is not production


def test_names_that_cannot_be_used_are_reported() -> None:
    found = targets(
        {"sandbox": SHOP, "SHOP_eu": {**SHOP, "key": KEY}, "shop-EU": SHOP, "a b": SHOP, "x": 5},
        SANDBOX_KEY=KEY,
        SHOP_HSOT="api.intempt.com",
        HOST="x",
    )
    assert [target.name for target in found.all] == ["sandbox", "SHOP_eu"]
    assert len(found.problems) == 7
    said = " ".join(found.problems)
    for words in (
        "built-in sandbox's",
        "same name as SHOP_eu",
        "letters, digits",
        "targets.x is no table",
        "CONSOLE_TARGET_SHOP_HSOT: not known",
    ):
        assert words in said
    assert KEY not in said


def test_an_unknown_key_of_a_table_is_reported_and_harms_nothing() -> None:
    found = targets({"shop": {**SHOP, "key": KEY, "prodution": False}})
    assert found.get("shop").production
    assert "1 of its keys not known" in found.problems[0]


def test_no_targets_at_all_is_no_problem_but_nonsense_is() -> None:
    assert TargetRegistry.from_sources({}, {"PATH": "/bin"}, SANDBOX_BASE).problems == ()
    assert "no table" in TargetRegistry.from_sources({"targets": 5}, {}, SANDBOX_BASE).problems[0]


def test_an_unknown_name_is_reported_with_the_known_ones() -> None:
    found = targets({"shop": {**SHOP, "key": KEY}})
    with pytest.raises(TargetNotFound, match=r"“shpo”.*There is: sandbox, shop\."):
        found.get("shpo")
    with pytest.raises(TargetNotFound) as caught:
        found.get(KEY)
    assert KEY not in str(caught.value)
    assert MASK in str(caught.value)


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(KEY),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    table=st.dictionaries(
        st.sampled_from(["host", "org", "project", "source", "production", "deduplicates", "feeds"]), _JUNK
    ),
    value=st.text(),
)
def test_whatever_is_described_becomes_targets_and_sentences(table: dict[str, Any], value: str) -> None:
    found = targets({"shop": {**SHOP, "key": KEY, **table}}, SHOP_FEEDS=value, SHOP_X=value)
    shown = repr(found.problems) + repr([(target, target.feeds, target.track_url) for target in found.all])
    assert KEY not in shown


# ── given as a URL ───────────────────────────────────────────────────────────────────────────────────────────────────

TRACK_URL = "http://127.0.0.1:8501/sandbox/v1/My%20Org/projects/a%2Fb/sources/1481727395731910656/track"


@pytest.mark.parametrize("end", ["", "/", "\n"])
def test_a_track_url_names_a_target(end: str) -> None:
    target = parse_track_url(TRACK_URL + end, {KEY_VARIABLE: KEY})
    assert (target.base, target.org, target.project) == ("http://127.0.0.1:8501/sandbox", "My Org", "a/b")
    assert target.source == "1481727395731910656"
    assert (target.name, target.origin, target.credential_reference) == (
        "127.0.0.1:8501",
        "command line",
        "$INTEMPT_API_KEY",
    )
    assert target.track_url == TRACK_URL
    assert parse_track_url(target.track_url, {KEY_VARIABLE: KEY}) == target


@pytest.mark.parametrize(
    ("url", "environment", "error", "words"),
    [
        (f"{TRACK_URL}?apiKey={KEY}", {KEY_VARIABLE: KEY}, TargetIncomplete, "The URL holds a key"),
        (f"{TRACK_URL}?x=1", {KEY_VARIABLE: KEY}, TargetIncomplete, "takes no query"),
        (TRACK_URL, {}, CredentialError, "INTEMPT_API_KEY is not set"),
        (TRACK_URL, {KEY_VARIABLE: " "}, CredentialError, "INTEMPT_API_KEY is not set"),
        (TRACK_URL, {KEY_VARIABLE: "s3cret"}, CredentialError, "INTEMPT_API_KEY: This is a key without a dot"),
        (TRACK_URL.replace("My%20Org", KEY), {KEY_VARIABLE: KEY}, CredentialError, "another field"),
        (TRACK_URL.replace("My%20Org", "%ff"), {KEY_VARIABLE: KEY}, TargetIncomplete, "no UTF-8"),
        (TRACK_URL.replace("/sources/1481727395731910656", ""), {KEY_VARIABLE: KEY}, TargetIncomplete, "no track URL"),
        (TRACK_URL.replace("127.0.0.1", "x.example"), {KEY_VARIABLE: KEY}, TargetIncomplete, "clear text"),
        (TRACK_URL.replace("127.0.0.1", f"{KEY}@x.example"), {KEY_VARIABLE: KEY}, TargetIncomplete, "an @"),
        ("ftp://x.example/v1/a/projects/b/sources/c/track", {KEY_VARIABLE: KEY}, TargetIncomplete, "no track URL"),
        ("shop", {KEY_VARIABLE: KEY}, TargetIncomplete, "no track URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_reported(
    url: str, environment: dict[str, str], error: type[ConsoleError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        parse_track_url(url, environment)
    assert "s3cret" not in str(caught.value)


def test_a_target_may_say_how_fast_requests_may_leave_to_it() -> None:
    assert shop().requests_per_second == 0
    assert shop(requests_per_second=20).requests_per_second == 20
    variables = {f"SHOP_{name.upper()}": value for name, value in SHOP.items()}
    (_, found) = targets(**variables, SHOP_KEY=KEY, SHOP_REQUESTS_PER_SECOND="2.5").all
    assert found.requests_per_second == 2.5
    for wrong in (0, -1, True, "fast", "nan", 1e9):
        assert "no number of requests a second" in problem(requests_per_second=wrong)


def test_a_target_may_say_how_many_requests_may_be_in_flight_to_it() -> None:
    assert shop().requests_in_flight == 0
    assert shop(requests_in_flight=4).requests_in_flight == 4
    variables = {f"SHOP_{name.upper()}": value for name, value in SHOP.items()}
    (_, found) = targets(**variables, SHOP_KEY=KEY, SHOP_REQUESTS_IN_FLIGHT="12").all
    assert found.requests_in_flight == 12
    for wrong in (0, -1, True, 2.5, "many", "nan", 1001):
        assert "no number of requests in flight" in problem(requests_in_flight=wrong)
