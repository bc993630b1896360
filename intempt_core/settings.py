"""Every setting in one place: its meaning, its default, and where it comes from.

A setting is a field of :class:`Settings`; its environment variable is ``CONSOLE_`` and the field's name in capitals.
Targets are no settings: they have a room of their own (``targets.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from intempt_core.errors import SettingsError

ENVIRONMENT_PREFIX = "CONSOLE_"
PROJECT_FOLDER = Path(__file__).resolve().parent.parent
"""The folder that holds ``app.py``."""

EVENTS_PER_REQUEST = 50
"""What the vendor's own SDKs put into one request (CONTRACT 1.6)."""


def _define_setting(meaning: str, default: Any, low: float = 0, high: float = float("inf")) -> Any:
    """A field with its meaning and its bounds. Any: that is what ``dataclasses.field`` gives its fields."""
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the house can be told. Made once where a process starts, and handed down."""

    data: Path = _define_setting("Folder of history, sandbox and locks.", PROJECT_FOLDER / ".data")
    port: int = _define_setting("Port of the console.", 8501, 1, 65535)
    events_per_request: int = _define_setting(
        "Events in one request, as the vendor's SDKs have it (CONTRACT 1.6).", EVENTS_PER_REQUEST, 1, 1000
    )
    lanes: int = _define_setting("Lanes of a plan at the most.", 64, 1, 64)
    lanes_at_once: int = _define_setting("Lanes that one process drives at the same time.", 16, 1, 64)
    requests_per_second: float = _define_setting(
        "Requests a second to one target at the most, unless its description says otherwise; 0: no limit.", 0.0, 0, 1e5
    )
    connect_seconds: float = _define_setting(
        "Wait for a connection; when it is over nothing has left (CONTRACT 3.6).", 5.0, 0.05, 300
    )
    write_seconds: float = _define_setting("Wait while a body leaves.", 15.0, 0.05, 300)
    read_seconds: float = _define_setting(
        "Wait for an answer; when it is over the outcome is unknown (CONTRACT 3.6).", 20.0, 0.05, 600
    )
    tries: int = _define_setting("Attempts of one request at the most, the first one counted.", 5, 1, 100)
    backoff_seconds: float = _define_setting(
        "First pause between two attempts; it doubles, with full jitter.", 0.5, 0, 60
    )
    backoff_limit_seconds: float = _define_setting(
        "Longest pause between two attempts, beyond what Retry-After asks for (CONTRACT 3.5).", 30.0, 0, 3600
    )
    answer_bytes: int = _define_setting(
        "Bytes of an answer that history keeps; a longer one is cut and says so.", 65_536, 0, 10_000_000
    )
    drain_seconds: float = _define_setting(
        "Time that a stopping process gives to requests that are on their way.", 7.0, 0, 60
    )
    upload_mb: int = _define_setting("Largest file that the upload takes, in megabytes.", 500, 1, 2000)

    @property
    def history_url(self) -> str:
        """Where history is, as an SQLAlchemy URL."""
        return URL.create("sqlite", database=str(self.data / "history.sqlite3")).render_as_string()

    @property
    def engine_url(self) -> str:
        """Where the durable engine keeps what it was doing, as an SQLAlchemy URL."""
        return URL.create("sqlite", database=str(self.data / "engine.sqlite3")).render_as_string()

    @property
    def sandbox_file(self) -> Path:
        """The sandbox's own database."""
        return self.data / "sandbox.sqlite3"

    @property
    def mappings_folder(self) -> Path:
        """The folder of saved mappings."""
        return self.data / "mappings"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings of an environment (``os.environ``), defaults where it says nothing.

        Raises :class:`SettingsError` with the variable's name, what it holds and what is allowed.
        """
        given: dict[str, Any] = {}
        for setting in fields(cls):
            variable = ENVIRONMENT_PREFIX + setting.name.upper()
            text = environment.get(variable, "").strip()
            if text:
                given[setting.name] = _parse_setting(variable, text, type(setting.default), setting.metadata)
        return cls(**given)


def _parse_setting(variable: str, text: str, kind: type[Any], bounds: Mapping[str, Any]) -> Any:
    if issubclass(kind, Path):
        return Path(text).expanduser().resolve()
    try:
        number = kind(text)
    except ValueError:
        raise SettingsError(f"{variable} is “{text}”. It takes a number. {bounds['meaning']}") from None
    if not bounds["low"] <= number <= bounds["high"]:
        raise SettingsError(
            f"{variable} is {text}. It takes {bounds['low']:g} to {bounds['high']:g}. {bounds['meaning']}"
        )
    return number
