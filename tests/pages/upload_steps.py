"""The Upload screen as the quick tests use it: a console on a folder of its own, a file dropped, a step settled."""

import random
from dataclasses import dataclass

import pandas as pd
from streamlit.testing.v1 import AppTest

from pages.parts.shared.services import get_services

HEADER = "name,eventId,userId,productId,timestamp,price"
GOOD = "Product viewed,{1}{0},u{0},SKU_{0},1714631904000,1.50"

COSMETICS_HEADER = "event_time,event_type,product_id,price,user_id,user_session"


def good_rows(count: int, first: int = 1, ids: str = "e") -> list[str]:
    return [GOOD.format(number, ids) for number in range(first, first + count)]


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join((header, *rows)) + "\n").encode()


def cosmetics(rows: int = 999, persons: int = 93, seed: int = 5) -> bytes:
    """A shop's log with its own headers and names, without event ids; times rise, no two rows are the same."""
    draw = random.Random(seed)
    lines = [COSMETICS_HEADER]
    for row in range(rows):
        person = draw.randrange(persons)
        kind = draw.choices(["view", "cart", "remove_from_cart", "purchase"], [50, 30, 10, 10])[0]
        time = f"2022-10-01 {row // 3600:02}:{row // 60 % 60:02}:{row % 60:02} UTC"
        product, price = 5_700_000 + draw.randrange(400), draw.randrange(1, 9_999) / 100
        session = f"{person:08x}-9d5f-4f6b-8b0e-0c7d3f2a1b{person % 100:02}"
        lines.append(f"{time},{kind},{product},{price:.2f},{463_240_000 + person},{session}")
    return ("\n".join(lines) + "\n").encode()


@dataclass
class Upload:
    """The Upload screen, driven by its widgets' keys."""

    app: AppTest

    @property
    def texts(self) -> str:
        """All texts that are shown as they are; untrusted text is only there."""
        return "\n".join(element.value for element in self.app.text)

    @property
    def markdown(self) -> str:
        """All Markdown, including badges."""
        return "\n".join(element.value for element in self.app.markdown)

    def drop(self, data: bytes, name: str = "events.csv") -> "Upload":
        """Upload a file as the route does, and draw the screen again."""
        tokens = get_services().upload_tokens
        with tokens.spool.receive(name, len(data)) as incoming:
            incoming.write(data)
        tokens.add_file(self.app.session_state["console"].screen_states["UploadState"].token, incoming.spooled)
        return self.run()

    def press(self, key: str) -> "Upload":
        self.app.button(key=key).click()
        return self.run()

    def look(self, number: int, *, uploads: int = 1) -> "Upload":
        """Open a settled step, where it is not open."""
        button = self.app.button(key=f"upload-open-{uploads}-{number}")
        return self if button.label.startswith("Hide") else self.press(str(button.key))

    def settle(self) -> "Upload":
        """Settle the mapping, also where the file lacks what every event needs."""
        return self.press("upload-settle" if self.has("upload-settle") else "upload-settle-incomplete")

    def run(self) -> "Upload":
        """Draw the screen again; it must not fail, whatever the file."""
        self.app.run(timeout=60)
        assert not self.app.exception, self.app.exception
        assert not self.app.error, (self.app.error, self.texts)
        return self

    def has(self, key: str) -> bool:
        return any(getattr(element, "key", None) == key for element in self.app.main)


def grid(upload: Upload) -> pd.DataFrame:
    """The rows with problems: the table whose first column says them."""
    [found] = [frame.value for frame in upload.app.dataframe if list(frame.value.columns[:1]) == ["problem"]]
    return found
