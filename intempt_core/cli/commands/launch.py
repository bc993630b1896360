"""How the console's server is started, for ``run.py`` and for the installed command alike.

Only the standard library: ``run.py`` loads this file by its path, with a Python that has no package installed.
"""

import errno
import ipaddress
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  compared, not bound
"""Addresses of a server that listens at all of its machine's."""

_FOLDER_VARIABLES = ("CONSOLE_DATA", "CONSOLE_CONFIG")
_DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


class LaunchError(Exception):
    """The console cannot be started. ``str(error)`` says why, and what to do about it."""


@dataclass(frozen=True)
class ConsoleLaunch:
    """A console that is to be started: its address was checked, and its port is free.

    Attributes:
        folder: The folder that holds ``app.py``.
        address: The address that it is to listen at.
        port: Its port.
        url: Where its own machine reaches it.
        arguments: The arguments for Streamlit.
    """

    folder: Path
    address: str
    port: int
    url: str
    arguments: Sequence[str]


def plan_launch(folder: Path, arguments: Sequence[str], environment: Mapping[str, str], command: str) -> ConsoleLaunch:
    """Decide where the console of a folder is to listen. Raises :class:`LaunchError`.

    ``command`` is what a person types to start it, for a sentence that says how.
    """
    address, port = find_address(folder, arguments, environment)
    if not is_loopback(address) and not is_protected(environment):
        raise LaunchError(
            f"The console cannot start. It would listen at {address}, where other machines reach it, and nothing would "
            "ask who is there. Set CONSOLE_PASSWORD, or CONSOLE_UNPROTECTED=1 where something in front of it asks, or "
            "listen at 127.0.0.1."
        )
    host = "127.0.0.1" if address in EVERY_ADDRESS else f"[{address}]" if ":" in address else address
    url = f"http://{host}:{port}"
    if is_port_taken(address, port):
        raise LaunchError(
            f"Port {port} is taken. Perhaps the console is running already: look at {url}. "
            f"To start on another port: {command} --server.port {port + 1 if port < 65535 else 8501}"
        )
    return ConsoleLaunch(folder, address, port, url, arguments)


def start_server(launch: ConsoleLaunch, python: Path) -> NoReturn:
    """Become the console's server: signals reach it, its exit code is ours. On Windows run it, and end as it did."""
    print(f"The console comes up at {launch.url} (Ctrl+C stops it).", flush=True)
    if _has_display():
        subprocess.Popen([str(python), "-P", __file__, launch.url], start_new_session=True)  # noqa: S603  this file
    environment = {**os.environ, "CONSOLE_PORT": str(launch.port), "CONSOLE_BIND": launch.address}
    for name in _FOLDER_VARIABLES:
        if environment.get(name, "").strip():  # said from the caller's folder, which is left here
            environment[name] = str(Path(environment[name].strip()).expanduser().absolute())
    os.chdir(launch.folder)
    command = [str(python), "-m", "streamlit", "run", "app.py", "--server.port", str(launch.port)]
    command += [f"--server.address={launch.address}", "--logger.hideWelcomeMessage", "true", *launch.arguments]
    if sys.platform == "win32":
        sys.exit(_wait_for_server(command, environment))
    os.execve(python, command, environment)  # noqa: S606  the same Python


def _wait_for_server(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the server and return its exit code: Windows has no way to become another program."""
    with subprocess.Popen(command, env=environment) as server:  # noqa: S603  the same Python
        while True:
            try:
                return server.wait()
            except KeyboardInterrupt:
                continue  # the server is interrupted too, and ends by itself


def find_address(folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, int]:
    """Address and port, from the arguments, the environment or .streamlit/config.toml. Raises :class:`LaunchError`."""
    config = tomllib.loads((folder / ".streamlit" / "config.toml").read_text("utf-8"))["server"]
    address = _find_option(arguments, "--server.address")
    if address is None:
        address = (
            environment.get("STREAMLIT_SERVER_ADDRESS")
            or environment.get("CONSOLE_BIND", "").strip()
            or config.get("address", "")
        )
    port = (
        _find_option(arguments, "--server.port")
        or environment.get("STREAMLIT_SERVER_PORT")
        or environment.get("CONSOLE_PORT")
        or config["port"]
    )
    if not str(port).isdecimal() or not 1 <= int(port) <= 65535:
        raise LaunchError(f"The port is “{port}”. It takes a number from 1 to 65535.")
    return address or EVERY_ADDRESS[0], int(port)  # what Streamlit makes of an empty one


def is_loopback(address: str) -> bool:
    """Whether a server that listens at an address is reached from its own machine only."""
    if address == "localhost":
        return True
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def is_protected(environment: Mapping[str, str]) -> bool:
    """Whether the console asks for a password, or was told that something in front of it asks."""
    password, unprotected = environment.get("CONSOLE_PASSWORD", ""), environment.get("CONSOLE_UNPROTECTED", "")
    return bool(password.strip()) or unprotected.strip() == "1"


def _find_option(arguments: Sequence[str], name: str) -> str | None:
    """The last value of an option, as ``--name value`` or ``--name=value``; ``None`` where it is not there."""
    found = None
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if argument == name:
            found = following
        elif argument.startswith(name + "="):
            found = argument[len(name) + 1 :]
    return found


def is_port_taken(address: str, port: int) -> bool:
    """Whether another program listens there. An address that is not of this machine is for Streamlit to report."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        if sys.platform != "win32":  # there it would let two programs have one port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _has_display() -> bool:
    screen = sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in _DISPLAY_VARIABLES)
    return screen and sys.stdout.isatty() and not os.environ.get("CI")


def open_browser(url: str) -> int:
    """Open the browser as soon as the console responds, within two minutes; 1 with a sentence where there is none."""
    for _ in range(240):
        try:
            urllib.request.urlopen(url + "/healthz", timeout=5).close()  # noqa: S310  our own
        except urllib.error.HTTPError:
            pass  # it responds: the screens say what is wrong
        except OSError:
            time.sleep(0.5)
            continue
        if webbrowser.open(url):
            return 0
        print(f"No browser could be opened here. Open {url} in one.", file=sys.stderr)
        return 1
    return 1


if __name__ == "__main__":
    sys.exit(open_browser(sys.argv[1]))
