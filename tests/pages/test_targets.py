"""Targets without a browser: added, edited, tested, deleted on the screen; faults at their field; no key is stored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1.element_tree import TextInput

from intempt_core.errors import HistoryUnavailable
from pages.parts.shared.services import close_services, get_services
from tests.core.transport.fault_server import Behaviour, answers, closed_port, hostile
from tests.examples import keep_first_quick
from tests.pages.conftest import Screen

KEY = "shopprefix.9f3c51d2a7e84b60"
"""The key that is typed; no screen may show it."""

URL = "https://api.example"


def use(screen: Screen, name: str, url: str = URL, *, key: str = KEY, **given: Any) -> Screen:
    """Add a target on the screen, with a key that is typed for the session; the form stays open where it is none."""
    screen.press("target-add")
    return fill(screen, **{"name": name, "host": url, "org": "acme", "key": key, **given})


def fill(screen: Screen, *, production: bool = False, key: str = "", **given: str) -> Screen:
    """Fill the form that is open, and save it."""
    for field, text in {"project": "shop", "source": "1487580005268456192", **given}.items():
        screen.app.text_input(key=f"target-form-{field.replace('.', '-')}").set_value(text)
    key_field(screen).set_value(key)
    screen.app.segmented_control(key="target-form-production").set_value("PRODUCTION" if production else "Test")
    return screen.press("target-form-use")


def key_field(screen: Screen, place: str = "target-form") -> TextInput:
    """The field of the key, which is another one after each use."""
    (found,) = [field for field in screen.app.text_input if str(field.key).startswith(f"{place}-secret")]
    return found


def form_is_open(screen: Screen) -> bool:
    return screen.has("target-form-use")


def shown(screen: Screen) -> str:
    return "\n".join([screen.texts, screen.markdown, *screen.codes])


def faults(screen: Screen) -> list[str]:
    """The sentences that stand at a field, without their escapes."""
    found = [element.value for element in screen.app.markdown if element.value.startswith(":red[■ ")]
    return [
        text.removeprefix(":red[■ ").removesuffix("]").replace("\\", "").replace(":color[:]", ":") for text in found
    ]


def stored(data: Path) -> bytes:
    """Everything in the files of the data folder."""
    return b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())


def test_the_sandbox_is_there_and_nothing_else(targets: Screen) -> None:
    assert [button.key for button in targets.app.button if str(button.key).startswith("target-test")] == [
        "target-test-sandbox"
    ]
    assert "Key: present, built in" in targets.texts
    assert not targets.has("target-edit-sandbox")
    assert not targets.has("target-delete-sandbox")


def test_the_sandbox_responds_and_is_sent_no_event(targets: Screen) -> None:
    targets.press("target-test-sandbox")
    assert "● connected" in targets.markdown
    assert "so nothing was stored" in targets.texts
    assert "Asked " in targets.texts


# ── added, for good ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_added_target_is_chosen_and_its_key_is_nowhere(targets: Screen) -> None:
    use(targets, "shop", "http://127.0.0.1:1")
    assert "shop at 127.0.0.1:1\nTest\nduplicates counted twice" in targets.texts
    assert targets.app.selectbox(key="target").value == "shop"
    assert "Key: typed for this session" in targets.texts
    assert KEY not in shown(targets)
    assert not form_is_open(targets)
    assert KEY not in repr(targets.app.session_state["console"])
    assert KEY.partition(".")[2].encode() not in stored(get_services().settings.data)


def test_after_a_reload_the_target_is_there_and_asks_for_its_key(targets: Screen, tab: Callable[[str], Screen]) -> None:
    """Bug: a temporary target was silently gone after F5."""
    use(targets, "shop")
    reloaded = tab("targets.py")
    assert "Key: not here. It is typed for each session." in reloaded.texts
    assert "Test · shop" in reloaded.app.selectbox(key="target").options
    key_field(reloaded, "target-key-shop").set_value("nodotsecret99")
    reloaded.press("target-key-shop-use")
    assert faults(reloaded) == ["This is a key without a dot. It has the form prefix.secret."]
    key_field(reloaded, "target-key-shop").set_value(KEY)
    reloaded.press("target-key-shop-use")
    assert "Key: typed for this session" in reloaded.texts
    assert faults(reloaded) == []
    assert KEY not in shown(reloaded)


def test_a_restarted_console_has_it_with_its_feed_ids_its_limits_and_its_promises(
    targets: Screen, tab: Callable[[str], Screen]
) -> None:
    use(
        targets, "Shop EU", production=True, **{"feeds.recently-viewed": "101", "requests_per_second": "20"}
    )  # fmt: skip
    close_services()
    again = tab("targets.py")
    assert ":red-badge[PRODUCTION]" in again.markdown
    assert "Recently Viewed: 101" in again.texts
    assert "At most 20 requests a second" in again.texts
    assert get_services().targets["Shop EU"].production


def test_a_webhook_is_kept_with_the_variable_of_its_secret_and_shown_by_its_host_alone(
    targets: Screen, tab: Callable[[str], Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(targets, "shop", webhook="https://hooks.example/T0KEN")
    assert faults(targets) == [
        "This is missing. It names the environment variable of the secret that signs each message."
    ]
    targets.app.text_input(key="target-form-webhook_secret").set_value("SHOP_HOOK")
    targets.press("target-form-use")
    assert faults(targets) == []
    assert (
        "Webhook: hooks.example, signed with $SHOP_HOOK. It is told nothing: that variable is not set where the console"
        " runs."
    ) in targets.texts
    assert "T0KEN" not in shown(targets)
    monkeypatch.setenv("SHOP_HOOK", "a secret that is long enough")
    close_services()
    assert tab("targets.py").texts.count("Webhook: hooks.example, signed with $SHOP_HOOK.\n") == 1


def test_a_key_in_an_environment_variable_is_named_and_never_stored(
    targets: Screen, tab: Callable[[str], Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(targets, "shop", key="", key_variable="SHOP_KEY")
    assert "Key: not here. $SHOP_KEY is not set where the console runs." in targets.texts
    monkeypatch.setenv("SHOP_KEY", "wrong form")
    close_services()
    assert "$SHOP_KEY has no key of the form prefix.secret" in tab("targets.py").texts
    monkeypatch.setenv("SHOP_KEY", KEY)
    close_services()
    again = tab("targets.py")
    assert "Key: read from $SHOP_KEY" in again.texts
    assert KEY not in shown(again)
    assert get_services().targets["shop"].credential_reference == "$SHOP_KEY"
    assert KEY.encode() not in stored(get_services().settings.data)


def test_the_engine_finds_a_stored_target_after_a_restart_once_its_key_is_typed_again(
    targets: Screen, tab: Callable[[str], Screen]
) -> None:
    with hostile(answers(201, b"{}")) as server:
        use(targets, "shop", server.url).go("compose.py")
        targets.fill("compose-data-productId", "SKU_1").fill("compose-userId", "u1").send()
        assert len(server.received) == 1
    (batch,) = get_services().history.queries.batches().items
    assert get_services().resolve_target(batch).credential is not None
    close_services()
    screen = tab("targets.py")
    assert get_services().resolve_target(batch).credential is None
    key_field(screen, "target-key-shop").set_value(KEY)
    screen.press("target-key-shop-use")
    found = get_services().resolve_target(batch).credential
    assert found is not None
    assert found.is_in(KEY)
    screen.press("target-edit-shop")
    screen.app.text_input(key="target-form-host").set_value("https://other.example")
    screen.press("target-form-use")
    assert get_services().resolve_target(batch).credential is None  # that key is not for the other place


# ── faults at their field ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "sentence"),
    keep_first_quick(
        [
            ({"key": "nodotsecret99"}, "This is a key without a dot. It has the form prefix.secret."),
            ({"name": ""}, "This is empty. Give the target a name, such as shop-eu."),
            ({"name": "Sandbox"}, "This name is the built-in sandbox's. Choose another."),
            ({"name": "a/b"}, "A name takes up to 60 letters, digits, spaces and . - _, and begins with a letter."),
            ({"url": "http://shop.example"}, "Over http:// the key would travel in clear text. Write https://."),
            ({"url": ""}, "This is empty."),
            ({"org": ""}, "This is empty."),
            ({"org": KEY}, "The key is in another field too, where it would be shown. Remove it there."),
            (
                {"key_variable": KEY},
                "This is no name of a variable; if it is a key, choose to type it for the session.",
            ),
            ({"key_variable": "$SHOP"}, "The name of a variable takes letters, digits and _, such as SHOP_EU_KEY;"),
            ({"key_variable": "CONSOLE_PASSWORD"}, "Variables that begin with CONSOLE_ are the console's own"),
            ({"feeds.recently-viewed": ".."}, "This would be a step of the path, not a name."),
            ({"requests_in_flight": "many"}, "This is no number of requests in flight from 1 to 1000."),
        ],
        4,
    ),
)
def test_a_fault_stands_at_its_field_and_repeats_no_key(targets: Screen, change: dict[str, str], sentence: str) -> None:
    use(targets, **{"name": "shop", "url": URL, **change})
    (fault,) = faults(targets)
    assert fault.startswith(sentence)
    assert "Not saved: 1 field needs a change" in targets.markdown
    assert targets.app.selectbox(key="target").value == "sandbox"
    assert get_services().known_targets.stored == ()
    for secret in (KEY, "nodotsecret99"):
        assert secret not in shown(targets).replace("\\", "")
    assert not key_field(targets).value
    assert targets.app.text_input(key="target-form-project").value == "shop"  # nothing typed is lost


def test_every_fault_is_said_at_once(targets: Screen) -> None:
    use(targets, "", "", org="", key="")
    assert len(faults(targets)) == 3
    assert "Not saved: 3 fields need a change" in targets.markdown


def test_a_name_is_there_once_also_beside_those_of_a_file(
    targets: Screen, tab: Callable[[str], Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(targets, "shop")
    use(targets, "SHOP")
    assert faults(targets) == ["Another target has this name. Choose another."]
    for field, text in (("HOST", "a.example"), ("ORG", "o"), ("PROJECT", "p"), ("SOURCE", "1")):
        monkeypatch.setenv(f"CONSOLE_TARGET_SHOP_{field}", text)
    close_services()
    again = tab("targets.py")
    assert "shop: This name is taken. The environment describes one of it, and that one counts." in again.texts
    assert get_services().targets["shop"].host == "a.example"
    assert "Described in the environment: change it there." in again.markdown
    again.press("target-edit-shop")
    fill(again, name="shop 2", host=URL, org="acme")
    assert get_services().targets["shop 2"].host == "api.example"


# ── edited, deleted ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_edited_target_keeps_what_was_not_changed(targets: Screen) -> None:
    use(targets, "shop", **{"feeds.recently-viewed": "101"})
    targets.press("target-edit-shop")
    assert targets.app.text_input(key="target-form-host").value == URL
    assert targets.app.segmented_control(key="target-form-production").value == "Test"
    targets.app.text_input(key="target-form-name").set_value("shop-eu")
    targets.press("target-form-use")
    found = get_services().targets
    assert list(found) == ["sandbox", "shop-eu"]
    assert dict(found["shop-eu"].feeds) == {"recently-viewed": "101"}
    assert "Key: typed for this session" in targets.texts  # the key goes along to the same place
    assert targets.app.selectbox(key="target").value == "shop-eu"


def test_a_target_that_leads_elsewhere_asks_for_its_key_again(targets: Screen) -> None:
    use(targets, "shop")
    targets.press("target-edit-shop")
    targets.app.text_input(key="target-form-host").set_value("https://other.example")
    targets.press("target-form-use")
    assert "Key: not here. It is typed for each session." in targets.texts


def test_cancel_keeps_everything_as_it_was(targets: Screen) -> None:
    use(targets, "shop")
    targets.press("target-edit-shop")
    targets.app.text_input(key="target-form-host").set_value("https://other.example")
    targets.press("target-form-cancel")
    assert not form_is_open(targets)
    assert get_services().targets["shop"].host == "api.example"


def test_a_target_is_deleted_after_a_question(targets: Screen) -> None:
    use(targets, "shop").press("target-delete-shop")
    assert "What was sent stays in History" in targets.texts
    targets.press("target-delete-no-shop")
    assert "shop" in get_services().targets
    targets.press("target-delete-shop").press("target-delete-yes-shop")
    assert list(get_services().targets) == ["sandbox"]
    assert targets.app.selectbox(key="target").value == "sandbox"
    assert "shop is deleted" in targets.markdown


def test_a_target_that_another_tab_deleted_is_gone_here_too(targets: Screen, tab: Callable[[str], Screen]) -> None:
    use(targets, "shop")
    other = tab("targets.py")
    other.press("target-delete-shop").press("target-delete-yes-shop")
    targets.run()
    assert targets.app.selectbox(key="target").value == "sandbox"
    assert not targets.has("target-test-shop")


def test_where_nothing_can_be_stored_it_is_said_and_nothing_typed_is_lost(
    targets: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise HistoryUnavailable("History cannot grow: the disk is full.")

    monkeypatch.setattr(get_services().history.targets, "save", fail)
    use(targets, "shop")
    assert "the disk is full" in targets.markdown
    assert targets.app.text_input(key="target-form-name").value == "shop"


# ── who may add what ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("setting", "value"),
    [("CONSOLE_PASSWORD", "secret"), ("CONSOLE_UNPROTECTED", "1"), ("CONSOLE_HOSTS", "https://console.example")],
)
def test_where_others_reach_the_console_a_target_leads_to_allowed_hosts_only(
    tab: Callable[[str], Screen], monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    close_services()
    screen = tab("targets.py")
    use(screen, "shop", key="", key_variable="INTEMPT_API_KEY")
    (fault,) = faults(screen)
    assert fault.startswith("Targets that are added here may lead to api.intempt.com or api.staging.intempt.com only.")
    assert get_services().known_targets.stored == ()
    fill(screen, name="shop", host="api.intempt.com", org="acme")
    assert "shop" in get_services().targets


def test_a_stored_target_that_is_not_allowed_any_more_cannot_be_used(
    targets: Screen, tab: Callable[[str], Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(targets, "shop")
    monkeypatch.setenv("CONSOLE_ALLOWED_TARGET_HOSTS", "api.intempt.com, 127.0.0.1:9000")
    close_services()
    screen = tab("targets.py")
    assert "may lead to api.intempt.com or 127.0.0.1:9000 only" in screen.texts
    assert list(get_services().targets) == ["sandbox"]
    screen.press("target-delete-shop").press("target-delete-yes-shop")
    assert get_services().known_targets.stored == ()


# ── the connection test ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (answers(201, b"{}"), "takes requests for this source with this key"),
        (answers(401, b"no"), "the key is wrong or missing there"),
        (answers(404), "nothing is at this path"),
    ],
    ids=["201", "401", "404"],
)
def test_the_connection_test_is_a_sentence(targets: Screen, behaviour: Behaviour, sentence: str) -> None:
    with hostile(behaviour) as server:
        use(targets, "shop", server.url).press("target-test-shop")
        assert sentence in targets.texts
        targets.press("target-delete-shop")
        assert sentence in targets.texts  # the answer stays


def test_a_closed_port_is_not_connected(targets: Screen) -> None:
    use(targets, "shop", f"http://127.0.0.1:{closed_port()}").press("target-test-shop")
    assert "■ not connected" in targets.markdown
    assert "nothing listens at this port" in targets.texts


def test_without_a_key_the_connection_test_says_so(targets: Screen) -> None:
    use(targets, "shop", key="").press("target-test-shop")
    assert "■ not connected" in targets.markdown
