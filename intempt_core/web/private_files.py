"""Private files: what the console keeps and the keys that it reads are for its own user only."""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from intempt_core.settings import PROJECT_FOLDER

PRIVATE_UMASK = 0o077
"""The umask of a process that keeps data: what it makes is for its own user only."""

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_OTHERS = 0o077


def make_private_folder(folder: Path) -> None:
    """Make a folder, and take the rights of other users away from everything in it. Raises OSError.

    A folder that is clearly not kept for this alone (it holds the project or somebody's home, or belongs to another
    user) stays as it is: what is made in it later has the umask of its process. A symbolic link in it is not followed.
    """
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    folder = folder.resolve()
    if not _is_kept_for_data(folder):
        return
    _restrict(folder, _FOLDER_MODE)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            _restrict(Path(parent, name), _FOLDER_MODE)
        for name in files:
            _restrict(Path(parent, name), _FILE_MODE)


def _is_kept_for_data(folder: Path) -> bool:
    found = folder.stat()
    places = [PROJECT_FOLDER]
    with suppress(RuntimeError):  # a user without a home folder
        places.append(Path.home())
    holds_more = any(place.is_relative_to(folder) for place in places)
    if sys.platform == "win32":
        return False  # rights are inherited from the folder above, and have no modes
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX and not holds_more


def _restrict(path: Path, mode: int) -> None:
    with suppress(PermissionError, FileNotFoundError):  # another user's; or gone, as temporary files are
        found = path.lstat().st_mode
        if not stat.S_ISLNK(found) and stat.S_IMODE(found) & _OTHERS:
            path.chmod(mode)


def describe_readable_secrets(file: Path) -> str:
    """What is wrong with the rights of a file of keys, as a sentence; empty where nothing is, or it is not there."""
    if sys.platform == "win32":
        return ""  # who may open a file is not in its mode there
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return ""
    if not mode & _OTHERS:
        return ""
    return f"Other users of this machine may open {file}, which holds keys (mode {mode:o}). Run: chmod 600 {file}"
