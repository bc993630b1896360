"""``worker``: sends what consoles and commands record in a database of many machines, until it is asked to end."""

import argparse
import os
import signal
import socket
import threading
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial

from intempt_core import __version__, logs, web
from intempt_core.cli.output import print_message
from intempt_core.contract import format_count
from intempt_core.dispatch import Dispatcher, SendingEnvironment
from intempt_core.errors import ConsoleError, TargetNotFound
from intempt_core.history import BatchSummary, History, WorkerKind
from intempt_core.metrics import MetricsPage, serve_metrics
from intempt_core.settings import DATABASE_EXAMPLE, DATABASE_VARIABLE, Settings
from intempt_core.targets import (
    AllowedHosts,
    KnownTargets,
    Target,
    TargetRegistry,
    check_same_sandbox,
    read_secrets_file,
)
from intempt_core.webhooks import WebhookDeliverer, find_webhook

LOOK_SECONDS = 0.5
"""How often a worker looks whether it has to end."""

ENDING_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


def run_worker(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``worker``: send until it is asked to end, then 0. Raises :class:`ConsoleError` where it cannot start."""
    settings = Settings.from_environment(environment)
    if not settings.database_url:
        raise ConsoleError(
            f"A worker shares a PostgreSQL database with consoles and other workers. Set {DATABASE_VARIABLE} to its"
            f" address, such as {DATABASE_EXAMPLE}. Without one, the console sends by itself."
        )
    logs.configure_logging()
    try:
        web.make_private_folder(settings.data)
    except OSError as error:
        raise ConsoleError(f"The folder {settings.data} cannot be made: {error.strerror}.") from None
    token = web.MetricsToken.from_environment(environment)
    with closing(History.open(settings.history_url)) as history, ExitStack() as opened:
        targets = _open_targets(settings, environment, history)
        dispatcher = Dispatcher(
            history, SendingEnvironment(settings, partial(_resolve_target, targets)), kind=WorkerKind.WORKER
        )
        ending = _watch_signals()
        if args.metrics_port is not None:
            page = MetricsPage(history, dispatcher, __version__)
            address = settings.bind or "127.0.0.1"
            port = opened.enter_context(serve_metrics(page, token, address, args.metrics_port))
            print_message(f"Metrics: http://{address}:{port}/metrics")
        webhooks = WebhookDeliverer(
            history, lambda one: find_webhook(targets.registry.all, one, environment), origin=_find_origin(settings)
        )
        dispatcher.start(durable=True)
        webhooks.start()
        print_message(
            f"Worker {socket.gethostname()}, process {os.getpid()}: it knows"
            f" {format_count(len(targets.registry.all), 'target')}, and sends what is recorded. Stop it with Ctrl+C."
        )
        try:
            while not ending.wait(LOOK_SECONDS) and not dispatcher.end_reason:
                pass
            end_reason = dispatcher.end_reason
            print_message("Waiting for what is in flight …")
        finally:
            dispatcher.stop()
            webhooks.stop()
        if end_reason:
            raise ConsoleError(end_reason)
    return 0


def _find_origin(settings: Settings) -> str:
    """Where people open the console, for links; empty where that is not said."""
    told = web.parse_origin_list(settings.hosts, "CONSOLE_HOSTS")
    return str(told[0]) if told else ""


def _open_targets(settings: Settings, environment: Mapping[str, str], history: History) -> KnownTargets:
    """The targets of this worker: of its environment, its secrets file, and the shared store."""
    sandbox = settings.sandbox or f"http://127.0.0.1:{settings.port}/sandbox"
    described = TargetRegistry.from_sources(read_secrets_file(settings.secrets_file), environment, sandbox)
    return KnownTargets(described, history.targets, AllowedHosts.from_settings(settings, environment), environment)


def _resolve_target(targets: KnownTargets, batch: BatchSummary) -> Target:
    """The target of a batch, with this worker's key. Raises :class:`TargetNotFound`."""
    found = next((one for one in targets.registry.all if one.name == batch.target.name), None)
    if found is None:
        raise TargetNotFound(f"The workers know no target {batch.target.name}. Describe it for them too, with its key.")
    check_same_sandbox(found, batch.target.base)
    return found


def _watch_signals() -> threading.Event:
    """What is set when this process is asked to end."""
    ending = threading.Event()
    for name in ENDING_SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: ending.set())
    return ending
