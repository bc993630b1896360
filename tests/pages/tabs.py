"""One tab of the console without a browser, on any of its screens."""

from functools import cache
from pathlib import Path

from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

CONSOLE = Path(__file__).parents[2] / "pages" / "console.py"


def tab_at(page: str) -> AppTest:
    """A tab, opened on a page and not yet drawn."""
    app = AppTest.from_file(CONSOLE)
    app._bidi_component_manager = _components()
    return app.switch_page(page)


@cache
def _components() -> BidiComponentManager:
    """The components that are installed: Streamlit looks through every package for them, once for every tab."""
    found = BidiComponentManager()
    found.discover_and_register_components(start_file_watching=False)
    return found
