"""A real console for a benchmark: a process of its own on a free port, and a tab of it without a browser."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.harness import ROOT


@dataclass
class Console:
    """A running console and the folder of its data."""

    data: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has written to standard output and standard error."""
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """As a person would; what does not stop in time is killed."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def free_port() -> int:
    """A port that no process has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    data: Path,
    environment: Mapping[str, str],
    *arguments: str,
    port: int = 0,
    wait: bool = True,
    project: Path = ROOT,
) -> Console:
    """Start a console on a data folder; ``environment`` is added to its own, ``arguments`` are Streamlit's."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *arguments]
    given = {**os.environ, "CONSOLE_DATA": str(data), "CONSOLE_PORT": str(port), **environment}
    with (data.parent / f"{data.name}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=project, env=given, stdout=log, stderr=subprocess.STDOUT)
    console = Console(data, port, process)
    if wait:
        await_health(console)
    return console


def await_health(console: Console, seconds: float = 60) -> None:
    """Wait until it answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and console.process.poll() is None:
        try:
            urllib.request.urlopen(f"{console.url}/healthz", timeout=5).close()
        except urllib.error.HTTPError:
            return  # it answers, if only that it is in trouble
        except OSError:
            time.sleep(0.05)
            continue
        return
    raise RuntimeError(f"The console did not come up:\n{console.log[-2000:]}")


@contextlib.contextmanager
def console(
    data: Path, environment: Mapping[str, str] | None = None, *arguments: str, project: Path = ROOT
) -> Iterator[Console]:
    """A console for as long as the block lasts."""
    running = start(data, environment or {}, *arguments, project=project)
    try:
        yield running
    finally:
        running.stop()


@dataclass(frozen=True)
class Drawn:
    """A screen as it was drawn: in how many ms, how many bytes it took, its words (Markdown as it was written), and the
    ids of its widgets by their kind.
    """

    ms: float
    size: int
    words: str
    widgets: tuple[tuple[str, str], ...] = ()


class Tab:
    """What a browser's tab asks of the server: run a screen's script, and take everything that it draws."""

    def __init__(self, socket: object) -> None:
        self._socket = socket

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, console: Console) -> "AsyncIterator[Tab]":
        """A session of one's own."""
        import aiohttp

        stream = console.url.replace("http", "ws", 1) + "/_stcore/stream"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(stream, protocols=("streamlit",), max_msg_size=0) as socket,
        ):
            yield cls(socket)

    async def run(self, page: str, query: str = "", typed: Mapping[str, str] | None = None) -> Drawn:
        """Run a screen until its script has ended and all that it drew is here; ``typed`` are texts by widget's id."""
        import aiohttp
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        socket = self._socket
        assert isinstance(socket, aiohttp.ClientWebSocketResponse)
        asked = BackMsg()
        asked.rerun_script.page_name = page
        asked.rerun_script.query_string = query
        asked.rerun_script.context_info.timezone = "Europe/Berlin"
        for widget, text in (typed or {}).items():
            asked.rerun_script.widget_states.widgets.add(id=widget, string_value=text)
        began, size, words, widgets = time.perf_counter(), 0, list[str](), list[tuple[str, str]]()
        await socket.send_bytes(asked.SerializeToString())
        while True:
            got = await asyncio.wait_for(socket.receive_bytes(), 60)
            size += len(got)
            message = ForwardMsg.FromString(got)
            kind = message.WhichOneof("type")
            if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return Drawn((time.perf_counter() - began) * 1000, size, "\n".join(words), tuple(widgets))
            if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                words += [getattr(element, which).body for which in ("markdown", "text") if element.HasField(which)]
                kind_of = element.WhichOneof("type") or ""
                if id_ := getattr(getattr(element, kind_of, None), "id", ""):
                    widgets.append((kind_of, id_))


def screen(running: Console, page: str, query: str = "") -> Drawn:
    """One screen, opened cold."""

    async def once() -> Drawn:
        async with Tab.open(running) as tab:
            return await tab.run(page, query)

    return asyncio.run(once())
