"""nginx on loopback with the configuration of ``docker/nginx/``, as a deployment has it; gone when a test ends."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

import pytest

TEMPLATE = Path(__file__).resolve().parent.parent / "docker" / "nginx" / "console.conf.template"

MAIN = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    log_format routes '$upstream_addr $status $cookie_console_route $request';
    access_log {folder}/access.log routes;
    {temporary}
    include {folder}/console.conf;
}}
"""
"""What is around the template; the image of nginx has its own."""

START_SECONDS = 20


def require_nginx() -> str:
    """The program; without it the test is skipped, and on a build server it fails."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        sentence = "There is no nginx on this machine. Install Debian's package nginx-light."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


def render_template(listen: str, consoles: Sequence[str], sandbox: str) -> str:
    """The configuration with its variables in place, as the image of nginx puts them: those and no other."""
    servers = " ".join(f"server {console} max_fails=1 fail_timeout=5s;" for console in consoles)
    values = {"PROXY_LISTEN": listen, "PROXY_CONSOLES": servers, "PROXY_SANDBOX": sandbox}
    text = TEMPLATE.read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(values)
    return Template(text).safe_substitute(values)


@contextlib.contextmanager
def proxy(folder: Path, port: int, consoles: Sequence[str], sandbox: str = "") -> Iterator[str]:
    """nginx at a port of loopback in front of consoles, each ``HOST:PORT``; its URL."""
    program = require_nginx()
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "console.conf").write_text(render_template(f"127.0.0.1:{port}", consoles, sandbox or consoles[0]))
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, temporary=temporary))
    log = folder / "error.log"
    # As the same user: its worker would become nobody, who may not enter the folder of a test.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(log), *user]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while not _listens(port):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
