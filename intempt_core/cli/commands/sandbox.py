"""``sandbox``: a local Track API, served until Ctrl+C."""

import argparse
import contextlib
import gc
import json
import threading
from collections.abc import Mapping
from pathlib import Path

from intempt_core import sandbox, validation, web
from intempt_core.cli.output import print_message
from intempt_core.contract import FaultDocument, parse_fault_document
from intempt_core.errors import ConsoleError, FaultDocumentUnreadable, ReadError
from intempt_core.settings import Settings
from intempt_core.targets import sandbox_target


def serve_sandbox(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``sandbox``: serve until Ctrl+C, then 0. Raises :class:`ConsoleError` where it cannot be served."""
    settings = Settings.from_environment(environment)
    faults = _read_faults(args.faults)
    origins = web.parse_origin_list(settings.sandbox_origins, web.SANDBOX_ORIGINS_VARIABLE)
    try:
        web.make_private_folder(settings.data)
    except OSError as error:
        raise ConsoleError(
            f"The folder {settings.data} cannot be made: {error.strerror}. Set CONSOLE_DATA to a folder that this user"
            " may write."
        ) from None
    try:
        with sandbox.run_sandbox(
            settings.sandbox_file,
            args.port,
            args.latency_ms,
            faults,
            middleware=web.build_sandbox_middleware(origins),
            page_origins=[str(origin) for origin in origins],
            max_store_bytes=settings.sandbox_mb * 1_000_000,
            beside=sandbox.NeighbouringApi(
                validation.build_validate_paths(),
                validation.build_validate_schemas(),
                [validation.create_validate_route()],
            ),
            configure=web.limit_slow_connections,
        ) as url:
            print_message(f"The sandbox: {sandbox_target(url).track_url}")
            if faults.active:
                print_message(faults.sentence)
            print_message(f"Its key: {sandbox.SANDBOX_KEY}. Stop it with Ctrl+C.")
            print_message(f"Events are checked, and nothing is stored, by POST {url}{validation.VALIDATE_PATH}.")
            gc.freeze()  # what is loaded stays: a tenth of the time would go into searching it for garbage, again and
            gc.set_threshold(50_000)  # again, and requests hardly ever leave reference cycles behind
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    except OSError as error:
        raise ConsoleError(f"The sandbox cannot be served at port {args.port}: {error.strerror}.") from None
    return 0


def _read_faults(file: Path | None) -> FaultDocument:
    """The faults of a file; none without one. Raises :class:`ReadError`."""
    if file is None:
        return FaultDocument()
    try:
        return parse_fault_document(json.loads(file.read_bytes()))
    except OSError as error:
        raise ReadError(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError, FaultDocumentUnreadable) as error:
        raise ReadError(f"{file} is no fault document. {error}") from None
