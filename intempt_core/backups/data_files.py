"""Which files of a data folder a backup keeps: all but databases, copied otherwise, and what is made again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

EXCLUDED_FOLDERS = frozenset({"owners", "limits", "spool"})
"""Folders that are made again: locks, limits that processes share, and uploads of open tabs."""

EXCLUDED_FILES = frozenset({"console.lock", "password.key"})
"""Files that are made again; without the key of sessions everybody is asked for the password once."""

EXCLUDED_BEGINNINGS = ("history.", "engine.", "sandbox.")
"""How files begin that are databases, their journals and backups, and notes about them."""


def iterate_data_files(data: Path) -> Iterator[Path]:
    """The files of a data folder that a backup keeps, as paths in it. Links are passed over. Raises ``OSError``."""
    for path in sorted(data.rglob("*")):
        inside = path.relative_to(data)
        first = inside.parts[0]
        if first in EXCLUDED_FOLDERS or path.is_symlink() or not path.is_file():
            continue
        if len(inside.parts) > 1 or not (first in EXCLUDED_FILES or first.startswith(EXCLUDED_BEGINNINGS)):
            yield inside


def copy_file(source: Path, target: Path) -> bool:
    """Copy a file, and make its folder; whether it was there still. Raises ``OSError``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target, follow_symlinks=False)
    except FileNotFoundError:
        return False  # it was deleted since it was listed
    return True
