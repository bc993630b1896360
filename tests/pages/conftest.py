"""A console without a browser: the screens, an engine that sends, and a sandbox on a port of its own."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import streamlit as st
import uvicorn
from streamlit.testing.v1 import AppTest

from intempt_core import sandbox
from pages.parts.compose.state import ComposeState
from pages.parts.inspect.state import InspectState
from pages.parts.shared.services import close_services, get_services
from tests.pages.tabs import tab_at
from tests.pages.upload_steps import Upload

HURRIED = {"CONSOLE_READ_SECONDS": "0.5", "CONSOLE_BACKOFF_SECONDS": "0.01", "CONSOLE_CONNECT_SECONDS": "1"}


@dataclass
class Screen:
    """One tab, driven by its widgets' keys."""

    app: AppTest

    @property
    def texts(self) -> str:
        """All texts that are shown as they are; untrusted text is only there."""
        return "\n".join(element.value for element in self.app.text)

    @property
    def markdown(self) -> str:
        """All Markdown, including badges and captions."""
        return "\n".join(element.value for kind in (self.app.markdown, self.app.caption) for element in kind)

    @property
    def codes(self) -> list[str]:
        """All texts in a fixed-width face."""
        return [element.value for element in self.app.code]

    @property
    def compose_state(self) -> ComposeState:
        found: ComposeState = self.app.session_state["console"].screen_states["ComposeState"]
        return found

    @property
    def inspect_state(self) -> InspectState:
        found: InspectState = self.app.session_state["console"].screen_states["InspectState"]
        return found

    def has(self, key: str) -> bool:
        """Whether there is a button with this key."""
        return key in [button.key for button in self.app.button]

    def go(self, page: str) -> "Screen":
        self.app.switch_page(page)
        return self.run()

    def fill(self, key: str, text: str) -> "Screen":
        self.app.text_input(key=key).set_value(text)
        return self.run()

    def paste(self, text: str) -> "Screen":
        if self.has("inspect-edit"):
            self.press("inspect-edit")
        self.app.text_area(key="inspect-paste").set_value(text)
        return self.run()

    def press(self, key: str) -> "Screen":
        self.app.button(key=key).click()
        return self.run()

    def send(self, key: str = "compose-send") -> "Screen":
        """Press a button that sends, and wait for the outcome."""
        self.press(key)
        until = time.monotonic() + 20
        guard = (self.inspect_state if key.startswith("inspect") else self.compose_state).guard
        while guard.is_sending and time.monotonic() < until:
            time.sleep(0.02)
            self.run()
        assert not guard.is_sending
        return self

    def run(self) -> "Screen":
        self.app.run(timeout=30)
        assert not self.app.exception
        assert not self.app.error, [error.value for error in self.app.error] + [self.texts]
        return self


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox of these tests' own, real HTTP on a free port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        served = sandbox.create_sandbox_app(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3")
        server = uvicorn.Server(uvicorn.Config(served, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of the console's data."""
    return tmp_path / "data"


@pytest.fixture
def tab(sandbox_url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Screen]]:
    """Opens a screen of a console with an engine that sends: ``tab("compose.py")``."""
    for name, content in {**HURRIED, "CONSOLE_DATA": str(data), "CONSOLE_SANDBOX": sandbox_url}.items():
        monkeypatch.setenv(name, content)
    get_services().start(durable=False)
    yield lambda page: Screen(tab_at(page)).run()
    close_services()
    st.cache_resource.clear()


@pytest.fixture
def compose(tab: Callable[[str], Screen]) -> Screen:
    """Compose, as it is opened first."""
    return tab("compose.py")


@pytest.fixture
def inspect(tab: Callable[[str], Screen]) -> Screen:
    """Inspect, with nothing pasted."""
    return tab("compose.py").go("explain.py")


@pytest.fixture
def targets(tab: Callable[[str], Screen]) -> Screen:
    """Targets, where only the sandbox is described."""
    return tab("targets.py")


@pytest.fixture
def upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upload]:
    """The Upload screen of a console with a data folder of its own, whose engine is not started."""
    monkeypatch.setenv("CONSOLE_DATA", str(tmp_path / "data"))
    yield Upload(tab_at("upload.py")).run()
    close_services()
    st.cache_resource.clear()
