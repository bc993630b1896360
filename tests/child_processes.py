"""The processes that a process under test has started, found by the module that they run."""

from pathlib import Path


def find_children(parent: int, module: str) -> list[int]:
    """The processes that a process has started to run a module of ``intempt_core``, such as ``workers.child``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            started_by = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if started_by == parent and f"intempt_core.{module}".encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def find_child(parent: int, module: str) -> int:
    """The one that there is."""
    (found,) = find_children(parent, module)
    return found
