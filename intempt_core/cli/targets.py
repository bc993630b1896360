"""The targets of a call: those that are described, those in the console's own store, and the one that it names."""

import contextlib
from collections.abc import Mapping, Sequence

from intempt_core.cli.output import print_message
from intempt_core.errors import TargetNotFound
from intempt_core.settings import Settings
from intempt_core.targets import (
    AllowedHosts,
    StoredTarget,
    Target,
    TargetRegistry,
    TargetStore,
    parse_track_url,
    read_secrets_file,
)
from intempt_core.web import describe_readable_secrets


def read_targets(
    settings: Settings, environment: Mapping[str, str], console_url: str = "", store: TargetStore | None = None
) -> TargetRegistry:
    """All targets and the sandbox, which is the running console's where ``console_url`` says one.

    ``store`` is what keeps targets that were added on the screen, where the caller has it open.
    """
    return _add_stored(_read_described(settings, environment, console_url), settings, environment, store)


def resolve_target(
    name: str,
    settings: Settings,
    environment: Mapping[str, str],
    console_url: str = "",
    store: TargetStore | None = None,
) -> Target:
    """The target of a name or of a full track URL. Raises :class:`~intempt_core.errors.TargetError`."""
    if "://" in name:
        return parse_track_url(name, environment)
    described = _read_described(settings, environment, console_url)
    with contextlib.suppress(TargetNotFound):
        return described.get(name)  # these count before stored ones, which need the database
    return _add_stored(described, settings, environment, store).get(name)


def _read_described(settings: Settings, environment: Mapping[str, str], console_url: str) -> TargetRegistry:
    sandbox = settings.sandbox or f"{console_url or f'http://127.0.0.1:{settings.port}'}/sandbox"
    file = settings.secrets_file
    if notice := describe_readable_secrets(file):
        print_message(notice)
    return TargetRegistry.from_sources(read_secrets_file(file), environment, sandbox)


def _add_stored(
    described: TargetRegistry, settings: Settings, environment: Mapping[str, str], store: TargetStore | None
) -> TargetRegistry:
    stored = store.all() if store is not None else _read_stored(settings)
    return described.with_stored(stored, environment, AllowedHosts.from_settings(settings, environment))


def _read_stored(settings: Settings) -> Sequence[StoredTarget]:
    """The stored targets; none where the data folder has no database yet, which is not made for that."""
    if not settings.database_url and not settings.history_file.exists():
        return ()
    from intempt_core.history import History  # noqa: PLC0415  what a check does not need is not loaded for it

    with contextlib.closing(History.open(settings.history_url, traces=[settings.engine_file])) as history:
        return history.targets.all()
