"""An audit of a Python process: every name that it resolves and every address that it connects to, noted in a file."""

import os
from ipaddress import ip_address
from pathlib import Path

HOOK = """
import os, sys

log = os.open(os.environ["AUDIT_FILE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
WATCHED = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
           "socket.gethostbyaddr", "socket.getnameinfo")

def note(event, given):
    if event in WATCHED:
        os.write(log, f"{event} {given[0 if event.startswith('socket.get') else 1]!r}\\n".encode())

sys.addaudithook(note)
"""
"""Runs first in the process: it is called sitecustomize."""


def make_audited_environment(folder: Path) -> dict[str, str]:
    """The variables under which a process is audited; its notes are kept in ``folder``."""
    hook = folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    path = os.pathsep.join(filter(None, [str(hook), os.environ.get("PYTHONPATH", "")]))
    return {"PYTHONPATH": path, "AUDIT_FILE": str(folder / "noted")}


def read_calls(folder: Path) -> list[str]:
    """What an audited process called, each once."""
    return sorted(set((folder / "noted").read_text().splitlines()))


def is_of_this_machine(call: str) -> bool:
    """Whether a call's name or address is this machine's own."""
    if "'/" in call:
        return True  # a socket of the file system
    named = call.split("'")[1] if "'" in call else ""
    try:
        return ip_address(named).is_loopback
    except ValueError:
        return named == "localhost"
