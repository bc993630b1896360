"""Every setting in one place: its variable, its default, its bounds and its meaning.

A setting is a field of :class:`Settings`; its environment variable is ``CONSOLE_`` and the field's name in capitals.
:data:`SETTINGS` lists them for documentation and for ``python -m intempt_core settings``. Nothing is read when this
module is imported, and only :meth:`Settings.from_environment` reads. Targets are described elsewhere (``targets``).

Data and configuration are in a clone beside ``app.py``. Where the console was installed from a wheel they are in the
folders that the platform has for them: what is beside ``app.py`` there is replaced by the next version.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from intempt_core.errors import SettingsError

ENVIRONMENT_PREFIX = "CONSOLE_"
PROJECT_FOLDER = Path(__file__).resolve().parent.parent
"""The folder that holds this package: the clone, or where packages are installed."""

APP_NAME = "event-console"
"""What the folders of an installed console are called."""

_INSTALLED_FOLDER = Path(__file__).resolve().parent / "_console"
"""Where a wheel has what lies in a clone beside the package (``pyproject.toml``)."""

KEY_VARIABLE = "INTEMPT_API_KEY"
"""The environment variable that holds the key of a target given as a URL, and that every snippet reads."""

PASSWORD_VARIABLE = "CONSOLE_PASSWORD"  # noqa: S105  the name of a variable
"""The environment variable that holds the password of the console."""

DATABASE_VARIABLE = "CONSOLE_DATABASE_URL"
"""The environment variable that holds the address of a PostgreSQL database, and with it a password."""

DATABASE_EXAMPLE = "postgresql+psycopg://user:password@host:5432/name"
"""What such an address looks like."""

METRICS_TOKEN_VARIABLE = "CONSOLE_METRICS_TOKEN"  # noqa: S105  the name of a variable
"""The environment variable that holds the token with which Prometheus reads the metrics."""

EVENTS_PER_REQUEST = 50
"""What the vendor's own SDKs put into one request (CONTRACT 1.6)."""

_FORMER_VARIABLES = {"response_bytes": "CONSOLE_ANSWER_BYTES"}
"""Variables of earlier versions, which are still read, by the name of the setting."""


def is_installed() -> bool:
    """Whether the console was installed from a wheel, and does not run in a clone."""
    return _INSTALLED_FOLDER.is_dir()


def find_console_folder() -> Path:
    """The folder that holds ``app.py``, ``pages/`` and ``.streamlit/config.toml``."""
    return _INSTALLED_FOLDER if is_installed() else PROJECT_FOLDER


def find_data_folder() -> Path:
    """Where data are kept unless ``CONSOLE_DATA`` says otherwise. Raises :class:`SettingsError`."""
    return _find_platform_folder("data") if is_installed() else PROJECT_FOLDER / ".data"


def find_config_folder() -> Path:
    """Where ``secrets.toml`` is unless ``CONSOLE_CONFIG`` says otherwise. Raises :class:`SettingsError`."""
    return _find_platform_folder("config") if is_installed() else PROJECT_FOLDER / ".streamlit"


def _find_platform_folder(kind: str) -> Path:
    import platformdirs  # noqa: PLC0415  a clone does without it

    find = platformdirs.user_data_path if kind == "data" else platformdirs.user_config_path
    try:
        return find(APP_NAME, appauthor=False)
    except RuntimeError:
        raise SettingsError(
            f"This user has no home folder, in which the console would have its {kind}. Set CONSOLE_{kind.upper()} to a"
            " folder of yours, or set HOME."
        ) from None


def build_python_path(environment: Mapping[str, str]) -> str:
    """``PYTHONPATH`` for a process of ours, so that it finds this package wherever it is started."""
    # Installed packages are found without it, and named there they would come before Python's own library.
    ours = "" if is_installed() else str(PROJECT_FOLDER)
    return os.pathsep.join(filter(None, (ours, environment.get("PYTHONPATH", ""))))


def _define_setting(meaning: str, default: Any, low: float = 0, high: float = float("inf")) -> Any:
    """A field with its meaning and its bounds. Any: that is what ``dataclasses.field`` gives its fields."""
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high})


def _define_database(meaning: str) -> Any:
    """A field for the address of a database; no ``repr`` shows it. Any: see :func:`_define_setting`."""
    return field(default="", repr=False, metadata={"meaning": meaning, "is_database": True})


def _define_folder(meaning: str, find: Callable[[], Path], default_text: str) -> Any:
    """A field for a folder that is found when it is asked for. Any: see :func:`_define_setting`."""
    return field(default_factory=find, metadata={"meaning": meaning, "default_text": default_text})


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set. Made once where a process starts, and handed down."""

    data: Path = _define_folder(
        "Folder of history, sandbox and locks.",
        find_data_folder,
        "in a clone `.data` beside `app.py`; installed, the platform's folder for a user's data",
    )
    config: Path = _define_folder(
        "Folder of secrets.toml, which describes targets.",
        find_config_folder,
        "in a clone `.streamlit` beside `app.py`; installed, the platform's folder for a user's configuration",
    )
    database_url: str = _define_database(
        "PostgreSQL database of history and of what sends it, shared by any number of consoles and workers, for example"
        f" {DATABASE_EXAMPLE}; without it they are files of the data folder, which one machine uses. Its password is"
        " never shown.",
    )
    port: int = _define_setting("Port of the console.", 8501, 1, 65535)
    bind: str = _define_setting(
        "Address that the console listens at, 127.0.0.1 where nothing is said. One that other machines reach needs"
        " CONSOLE_PASSWORD or CONSOLE_UNPROTECTED.",
        "",
    )
    hosts: str = _define_setting(
        "Origins at which browsers reach the console, separated by commas, for example"
        " https://console.example,http://10.0.0.5:8501; without it, those of this machine.",
        "",
    )
    unprotected: int = _define_setting(
        "1: something in front of the console asks who is there, so that it may be reached without a password. Every"
        " screen says so.",
        0,
        0,
        1,
    )
    sandbox_origins: str = _define_setting(
        "Origins of pages that may call the sandbox from a browser, such as a shop under test, separated by commas.", ""
    )
    allowed_target_hosts: str = _define_setting(
        "Hosts to which targets may lead that are added on the screen, each with its port if it has one, separated by"
        " commas. Without it every host, or, where others than this machine's user reach the console"
        " (CONSOLE_PASSWORD, CONSOLE_UNPROTECTED or CONSOLE_HOSTS is set), the vendor's.",
        "",
    )
    sandbox: str = _define_setting(
        "URL of a sandbox to use in the place of the console's own, for example http://127.0.0.1:9000.", ""
    )
    events_per_request: int = _define_setting(
        "Events in one request, as the vendor's SDKs have it (CONTRACT 1.6).", EVENTS_PER_REQUEST, 1, 1000
    )
    lanes: int = _define_setting("Lanes of a plan at the most.", 64, 1, 64)
    lanes_at_once: int = _define_setting("Lanes that one process drives at the same time.", 16, 1, 64)
    requests_per_second: float = _define_setting(
        "Requests a second to one target at the most, of all processes of the data folder together, unless its"
        " description says otherwise; 0: no limit.",
        0.0,
        0,
        1e5,
    )
    requests_in_flight: int = _define_setting(
        "Requests in flight to one target at the most, of all processes of the data folder together, unless its"
        " description says otherwise; 0: one in each lane that a process drives.",
        0,
        0,
        1000,
    )
    connect_seconds: float = _define_setting(
        "Wait for a connection; when it is over nothing was sent (CONTRACT 3.6).", 5.0, 0.05, 300
    )
    write_seconds: float = _define_setting("Wait for a body to be sent.", 15.0, 0.05, 300)
    read_seconds: float = _define_setting(
        "Wait for a response; when it is over the outcome is unknown: the events may have arrived (CONTRACT 3.6).",
        20.0,
        0.05,
        600,
    )
    tries: int = _define_setting("Attempts of one request at the most, the first one counted.", 5, 1, 100)
    backoff_seconds: float = _define_setting(
        "First pause between two attempts; it doubles, with full jitter.", 0.5, 0, 60
    )
    backoff_limit_seconds: float = _define_setting(
        "Longest pause between two attempts, beyond what Retry-After asks for (CONTRACT 3.5).", 30.0, 0, 3600
    )
    response_bytes: int = _define_setting(
        "Bytes of a response that history keeps; a longer one is cut and says so.", 65_536, 0, 10_000_000
    )
    drain_seconds: float = _define_setting(
        "Time that a stopping process gives to requests that are in flight.", 7.0, 0, 60
    )
    upload_mb: int = _define_setting("Largest file that the upload takes, in megabytes.", 500, 1, 2000)
    tab_upload_mb: int = _define_setting(
        "Uploaded files that one tab may keep together, in megabytes; of more the oldest is let go.", 1_500, 1, 100_000
    )
    sandbox_mb: int = _define_setting(
        "Disk that the sandbox's database may take, in megabytes; what would go beyond is answered with 503 until it is"
        " emptied.",
        4_000,
        100,
        1_000_000,
    )
    reading_mb: int = _define_setting(
        "Memory that reading, checking or planning one large file may take, in megabytes; one that needs more is not"
        " read. On Windows a large file is worked on in the console's own process, and nothing limits its memory.",
        1_500,
        300,
        100_000,
    )

    @property
    def history_url(self) -> str:
        """Where history is, as an SQLAlchemy URL. It may hold a password: :func:`hide_password` shows it without."""
        return self.database_url or _make_sqlite_url(self.history_file)

    @property
    def history_file(self) -> Path:
        """The file of history, where it is in no PostgreSQL database."""
        return self.data / "history.sqlite3"

    @property
    def engine_url(self) -> str:
        """Where the durable engine keeps what it was doing, as an SQLAlchemy URL."""
        return self.database_url or _make_sqlite_url(self.engine_file)

    @property
    def engine_file(self) -> Path:
        """The file of the durable engine, where it is in no PostgreSQL database; only there where history was too."""
        return self.data / "engine.sqlite3"

    @property
    def sandbox_file(self) -> Path:
        """The sandbox's own database."""
        return self.data / "sandbox.sqlite3"

    @property
    def secrets_file(self) -> Path:
        """The file that describes targets and holds their keys; it need not be there."""
        return self.config / "secrets.toml"

    @property
    def mappings_folder(self) -> Path:
        """The folder of saved mappings."""
        return self.data / "mappings"

    @property
    def checks_folder(self) -> Path:
        """The folder of the last checks of files of each shape."""
        return self.data / "checks"

    @property
    def catalogues_folder(self) -> Path:
        """The folder of the product catalogues, one for each target."""
        return self.data / "catalogues"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings of an environment (``os.environ``), defaults where it says nothing.

        Raises :class:`SettingsError` with the variable's name, what it holds and what is allowed.
        """
        given: dict[str, Any] = {  # each field's own type, which its setting reads
            setting.name: setting.read(environment)
            for setting in SETTINGS
            if setting.is_in(environment) and not setting.secret
        }
        if "config" in given and not given["config"].is_dir():
            raise SettingsError(
                f"CONSOLE_CONFIG is {given['config']}, which is no folder. It takes the folder that holds secrets.toml."
            )
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as documentation and the command line describe it.

    Attributes:
        name: The field of :class:`Settings`.
        variable: The environment variable that holds it.
        default: What it is where the variable is absent or empty. Its type is the type of every value. A folder's is
            only its type: see ``find_default``.
        meaning: A sentence.
        low: The smallest number that is allowed; of no meaning for a folder or a text.
        high: The largest one.
        secret: Whether its value is shown to nobody. Such a value is no field of :class:`Settings` either: what needs
            it reads its variable itself.
        is_database: Whether its value is the address of a database, whose password is never shown.
        former_variable: What the variable was called in earlier versions, which is still read; empty where it is not.
        default_factory: What finds a folder where the variable is absent or empty; ``None`` for anything else.
        default_text: Where that is, in words for documentation.
    """

    name: str
    variable: str
    default: Path | str | float
    meaning: str
    low: float = 0
    high: float = float("inf")
    secret: bool = False
    is_database: bool = False
    former_variable: str = ""
    default_factory: Callable[[], Path] | None = None
    default_text: str = ""

    def find_default(self) -> Path | str | float:
        """What it is where no variable sets it. Raises :class:`SettingsError` where a folder cannot be found."""
        return self.default if self.default_factory is None else self.default_factory()

    @property
    def allowed(self) -> str:
        """What it takes, as half a sentence."""
        if self.is_database:
            return "the address of a PostgreSQL database"
        if isinstance(self.default, str):
            return "a text"
        return "a folder" if isinstance(self.default, Path) else f"{self.low:.10g} to {self.high:.10g}"

    def is_in(self, environment: Mapping[str, str]) -> bool:
        """Whether an environment sets it."""
        return bool(self._find_text(environment)[1])

    def read(self, environment: Mapping[str, str]) -> Path | str | float | None:
        """Its value in an environment, ``None`` where that does not set it. Raises :class:`SettingsError`."""
        variable, text = self._find_text(environment)
        if text and self.is_database:
            return _read_database_url(variable, text)
        if not text or isinstance(self.default, str):
            return text or None
        if isinstance(self.default, Path):
            return Path(text).expanduser().resolve()
        try:
            number = type(self.default)(text)
        except ValueError:
            raise SettingsError(f"{variable} is “{text}”. It takes a number. {self.meaning}") from None
        if not self.low <= number <= self.high:
            raise SettingsError(f"{variable} is {text}. It takes {self.allowed}. {self.meaning}")
        return number

    def _find_text(self, environment: Mapping[str, str]) -> tuple[str, str]:
        """The variable that sets it, and its text; no text where none does."""
        for variable in filter(None, (self.variable, self.former_variable)):
            if text := environment.get(variable, "").strip():
                return variable, text
        return self.variable, ""


SETTINGS: tuple[Setting, ...] = (
    *(
        Setting(
            name=one.name,
            variable=ENVIRONMENT_PREFIX + one.name.upper(),
            default=Path() if one.default is MISSING else one.default,
            default_factory=None if one.default_factory is MISSING else one.default_factory,
            former_variable=_FORMER_VARIABLES.get(one.name, ""),
            **one.metadata,
        )
        for one in fields(Settings)
    ),
    Setting(
        "password",
        PASSWORD_VARIABLE,
        "",
        "Password that the console asks for once a browser; a new one ends every session.",
        secret=True,
    ),
    Setting(
        "metrics_token",
        METRICS_TOKEN_VARIABLE,
        "",
        "Token of at least 16 characters with which Prometheus reads /metrics of a console that asks for a password.",
        secret=True,
    ),
    Setting("api_key", KEY_VARIABLE, "", "Key of a target that is given as a URL, prefix.secret.", secret=True),
)
"""Every setting: the fields of :class:`Settings`, then what is secret and therefore none."""


def hide_password(address: str) -> str:
    """The address of a database as it may be shown: what stands where a password does is replaced by three stars."""
    hidden = re.sub(r"(://|^(?!.*://))([^:@/?#]*):.*@", r"\1\2:***@", address)
    return re.sub(r"(?i)([?&][^=&]*password=)[^&]*", r"\1***", hidden)


def _read_database_url(variable: str, text: str) -> str:
    """The URL of a PostgreSQL database, with the driver that is used. Raises :class:`SettingsError`."""
    found = re.fullmatch(r"postgres(?:ql)?(?:\+psycopg)?://(?P<server>[^/?#]*)/(?P<rest>[^/?#]+(?:\?[^#]*)?)", text)
    if found is None:
        raise SettingsError(
            f"{variable} is “{hide_password(text)}”. It takes the address of a PostgreSQL database, such as"
            f" {DATABASE_EXAMPLE}. In a password @ is written %40, / %2F, : %3A, # %23, ? %3F and % %25. Without it"
            " history is a file of the data folder."
        )
    return f"postgresql+psycopg://{found['server']}/{found['rest']}"


def _make_sqlite_url(file: Path) -> str:
    return f"sqlite:///{quote(str(file))}"
