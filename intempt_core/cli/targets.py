"""The targets of a call: those that are described, and the one that it names."""

from collections.abc import Mapping

from intempt_core.cli.output import print_message
from intempt_core.settings import PROJECT_FOLDER, Settings
from intempt_core.targets import Target, TargetRegistry, parse_track_url, read_secrets_file
from intempt_core.web import describe_readable_secrets


def read_targets(settings: Settings, environment: Mapping[str, str], console_url: str = "") -> TargetRegistry:
    """The described targets and the sandbox, which is the running console's where ``console_url`` says one."""
    sandbox = settings.sandbox or f"{console_url or f'http://127.0.0.1:{settings.port}'}/sandbox"
    file = PROJECT_FOLDER / ".streamlit" / "secrets.toml"
    if notice := describe_readable_secrets(file):
        print_message(notice)
    return TargetRegistry.from_sources(read_secrets_file(file), environment, sandbox)


def resolve_target(name: str, settings: Settings, environment: Mapping[str, str], console_url: str = "") -> Target:
    """The target of a name or of a full track URL. Raises :class:`~intempt_core.errors.TargetError`."""
    if "://" in name:
        return parse_track_url(name, environment)
    return read_targets(settings, environment, console_url).get(name)
