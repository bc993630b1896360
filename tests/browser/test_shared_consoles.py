"""Two consoles on one database: what people upload and save is the same, and a proxy that is not sticky is said."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.bench.consoles import Console, await_health, free_port, start
from tests.browser.screens import WATCHED, settled
from tests.nginx import proxy

pytestmark = pytest.mark.long

NOT_STICKY = "also reach another console"
NO_COMMON_SANDBOX = "it is not said which sandbox all of them use"


@pytest.fixture
def ports() -> tuple[int, int, int]:
    """Where both consoles and the proxy listen."""
    return free_port(), free_port(), free_port()


@contextmanager
def two_consoles(folder: Path, url: str, ports: tuple[int, int, int], **more: str) -> Iterator[list[Console]]:
    """Two consoles with data folders of their own, on one database."""
    with ExitStack() as opened:
        made = []
        for port in ports[:2]:
            environment = {
                "CONSOLE_DATABASE_URL": url,
                "CONSOLE_HOSTS": f"http://127.0.0.1:{port},http://127.0.0.1:{ports[2]}",
                "CONSOLE_ALLOWED_TARGET_HOSTS": "127.0.0.1",
                "CONSOLE_CONFIG": str(folder),
            }
            made.append(start(folder / str(port), environment | more, port=port, wait=False))
            opened.callback(made[-1].stop)
        for console in made:
            await_health(console)
        yield made


@contextmanager
def page_at(browser: Browser, url: str) -> Iterator[Page]:
    """A page of a browser that has no cookies yet."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCHED)
    page = context.new_page()
    page.goto("/history")
    settled(page)
    yield page
    context.close()


def test_requests_that_are_spread_over_consoles_are_said_and_a_sticky_proxy_is_not(
    browser: Browser, tmp_path: Path, postgres_url: str, ports: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [f"127.0.0.1:{port}" for port in ports[:2]]
    with two_consoles(tmp_path, postgres_url, ports) as consoles:
        with proxy(tmp_path / "sticky", ports[2], addresses) as url, page_at(browser, url) as page:
            expect(page.get_by_text(NO_COMMON_SANDBOX)).to_be_visible()
            expect(page.get_by_text(NOT_STICKY)).to_have_count(0)
        with page_at(browser, consoles[0].url) as page:
            expect(page.get_by_text(NOT_STICKY)).to_have_count(0)
        template = tmp_path / "not-sticky.template"
        text = Path("docker/nginx/console.conf.template").read_text()
        template.write_text(text.replace("hash $console_route consistent;", ""))
        monkeypatch.setattr("tests.nginx.TEMPLATE", template)
        with proxy(tmp_path / "spread", ports[2], addresses) as url, page_at(browser, url) as page:
            expect(page.get_by_text(NOT_STICKY)).to_be_visible()
