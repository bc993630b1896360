"""Targets without a browser: a temporary target, what is wrong with one, the connection test."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1.element_tree import TextInput

from pages.parts.shared.services import get_services
from tests.core.transport.fault_server import Behaviour, answers, closed_port, hostile
from tests.pages.conftest import Screen

KEY = "shopprefix.9f3c51d2a7e84b60"
"""The key that is typed; no screen may show it."""


def use(screen: Screen, name: str, url: str, *, production: bool = False, key: str = KEY, org: str = "acme") -> Screen:
    """Describe a target for this session, and choose it."""
    given = {"name": name, "host": url, "org": org, "project": "shop", "source": "1487580005268456192", "key": key}
    for field, text in given.items():
        (key_field(screen) if field == "key" else screen.app.text_input(key=f"target-form-{field}")).set_value(text)
    screen.app.checkbox(key="target-form-production").set_value(production)
    return screen.press("target-form-use")


def key_field(screen: Screen) -> TextInput:
    """The field of the key, which is another one after each use."""
    (found,) = [field for field in screen.app.text_input if str(field.key).startswith("target-form-secret")]
    return found


def shown(screen: Screen) -> str:
    return "\n".join([screen.texts, screen.markdown, *screen.codes])


def test_the_sandbox_is_there_and_nothing_else(targets: Screen) -> None:
    assert [button.key for button in targets.app.button if str(button.key).startswith("target-test")] == [
        "target-test-sandbox"
    ]
    assert "Key present: built in" in targets.texts


def test_the_sandbox_responds_and_is_sent_no_event(targets: Screen) -> None:
    targets.press("target-test-sandbox")
    assert "● connected" in targets.markdown
    assert "so nothing was stored" in targets.texts


def test_a_typed_target_is_chosen_and_its_key_is_nowhere(targets: Screen) -> None:
    use(targets, "shop", "http://127.0.0.1:1")
    assert "shop at 127.0.0.1:1\nTest\nduplicates counted twice" in targets.texts
    assert KEY not in shown(targets)
    assert not key_field(targets).value
    assert KEY not in repr(targets.app.session_state["console"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"key": "nodotsecret99"}, "This is a key without a dot. It has the form prefix.secret."),
        ({"key": ""}, "The key is empty."),
        ({"name": ""}, "The name takes letters"),
        ({"name": "Sandbox"}, "must not be sandbox"),
        ({"url": "http://shop.example"}, "Over http:// the key would travel in clear text."),
        ({"url": ""}, "The host: This is empty."),
        ({"org": ""}, "The org: This is empty."),
        ({"org": KEY}, "The key is in another field too"),
    ],
)
def test_what_cannot_be_a_target_is_a_sentence_that_repeats_no_key(
    targets: Screen, change: dict[str, str], sentence: str
) -> None:
    use(targets, **{"name": "shop", "url": "https://api.example", **change})  # type: ignore[arg-type]  # texts
    assert sentence in targets.texts
    assert "sandbox" in str(targets.app.selectbox(key="target").value)
    assert KEY not in shown(targets)
    assert "nodotsecret99" not in shown(targets)
    assert not key_field(targets).value


def test_the_name_of_a_configured_target_cannot_be_used_again(
    targets: Screen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sandbox = get_services().configured.get("sandbox")
    monkeypatch.setattr(type(get_services()), "targets", {"sandbox": sandbox, "shop": replace(sandbox, name="shop")})
    use(targets, "shop", "https://api.example")
    assert "There is already a target shop." in targets.texts


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


def test_a_closed_port_is_not_connected(targets: Screen) -> None:
    use(targets, "shop", f"http://127.0.0.1:{closed_port()}").press("target-test-shop")
    assert "■ not connected" in targets.markdown
    assert "nothing listens at this port" in targets.texts
