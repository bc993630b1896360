"""``settings``: every setting with its value, where that comes from, and what it means; no key is shown."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intempt_core.cli.output import print_message, print_result
from intempt_core.cli.targets import read_targets
from intempt_core.contract import MASK
from intempt_core.errors import HistoryError, SettingsError, TargetError
from intempt_core.settings import SETTINGS, Setting, Settings, hide_password
from intempt_core.targets import TargetRegistry

_MISSING = "–"


def print_settings(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``settings``: 0, or 1 where a setting or a target has a value that cannot be used."""
    rows, problems = [], []
    for setting in SETTINGS:
        try:
            rows.append(_describe_setting(setting, environment))
        except SettingsError as error:
            problems.append(str(error))
    targets, target_problems = _read_known_targets(environment, usable=not problems)
    problems += target_problems
    if args.format == "json":
        print_result(json.dumps({"settings": rows, "targets": targets, "problems": problems}))
    else:
        _print_table(rows, ("variable", "value", "origin", "meaning"))
        print_result("")
        _print_table(targets, ("target", "url", "origin", "key"))
    for problem in problems:
        print_message(problem)
    return 1 if problems else 0


def _describe_setting(setting: Setting, environment: Mapping[str, str]) -> dict[str, Any]:
    """A setting as a row. Any: JSON. Raises :class:`SettingsError`."""
    given = setting.read(environment)
    value = setting.find_default() if given is None else given
    return {
        "name": setting.name,
        "variable": setting.variable,
        "value": _describe_value(setting, value),
        "origin": "default" if given is None else "environment",
        "allowed": setting.allowed,
        "meaning": setting.meaning,
    }


def _describe_value(setting: Setting, value: Path | str | float) -> str | float:
    """A value as it may be shown: of a secret only that it is there, of an address everything but its password."""
    if setting.secret:
        return MASK if value else ""
    if setting.is_database:
        return hide_password(str(value))
    return value if isinstance(value, int | float) else str(value)


def _read_known_targets(environment: Mapping[str, str], *, usable: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """The targets as rows, and what is wrong with their descriptions. Any: JSON."""
    try:
        settings = Settings.from_environment(environment if usable else {})
    except SettingsError as error:
        return [], [str(error)] if usable else []  # otherwise it is among the problems already
    try:
        found = read_targets(settings, environment)
    except (TargetError, HistoryError) as error:
        found = TargetRegistry((), [str(error)])
    rows = [
        {
            "target": target.name,
            "url": target.track_url,
            "origin": target.origin,
            "key": target.credential_reference if target.credential else "missing",
            "production": target.production,
            "deduplicates": target.deduplicates,
        }
        for target in found.all
    ]
    return rows, [*found.problems, *(f"Target {name}: {why}" for name, why in found.stored_problems.items())]


def _print_table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Rows in columns that are as wide as their widest cell; the last one is as long as it is."""
    cells = [[str(row[column]) or _MISSING for column in columns] for row in rows]
    widths = [max((len(line[number]) for line in cells), default=0) for number in range(len(columns) - 1)]
    for line in cells:
        print_result("  ".join([*map(str.ljust, line, widths), line[-1]]))
