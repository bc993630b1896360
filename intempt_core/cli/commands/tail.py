"""``tail``: what reaches a sandbox, an event a line, until Ctrl+C."""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.output import Color, color_text, print_message, sanitize_text
from intempt_core.cli.program import name_program
from intempt_core.cli.sends.request_text import spell_json
from intempt_core.cli.streams import flush_output
from intempt_core.cli.targets import resolve_target
from intempt_core.contract import IDENTITY_FIELDS, dump_json
from intempt_core.dispatch import read_running_console
from intempt_core.errors import SandboxUnavailable
from intempt_core.settings import Settings
from intempt_core.targets import SANDBOX, Target, sandbox_target
from intempt_core.transport import EventFilter, SandboxClient

WAIT_SECONDS = 5.0
"""How long one question waits for an event."""

RETRY_SECONDS = 1.0
"""How long after a sandbox that does not respond it is asked again."""


def follow_events(args: argparse.Namespace, environment: Mapping[str, str]) -> ExitCode:
    """Run ``tail``: 0, also when it is stopped. Raises :class:`SandboxUnavailable` where no sandbox responds."""
    wanted = EventFilter(args.name, args.person, args.event_id, args.project)
    try:
        with SandboxClient(_find_sandbox(args.sandbox, environment)) as client:
            newest = _find_newest(client)
            after = 0 if args.all else newest
            found = _list_present(client, wanted) if args.once else _follow(client, wanted, after)
            for event in islice(found, args.count):
                _print_event(event, args.format)
    except KeyboardInterrupt:
        if args.count is None:
            return ExitCode.DONE
        raise
    return ExitCode.DONE


def _find_sandbox(url: str | None, environment: Mapping[str, str]) -> Target:
    """The sandbox of a URL, which may be a whole track URL; without one, that of the console or of the settings."""
    if url is None or url == SANDBOX:
        settings = Settings.from_environment(environment)
        console = read_running_console(settings.data) or {}
        return resolve_target(SANDBOX, settings, environment, str(console.get("url", "")))
    if not url.startswith(("http://", "https://")):
        raise SandboxUnavailable(f"“{url}” is no URL of a sandbox. It takes one such as http://127.0.0.1:9000.")
    return sandbox_target(url.partition("/v1/")[0])


def _find_newest(client: SandboxClient) -> int:
    try:
        return client.find_newest()
    except SandboxUnavailable as error:
        raise SandboxUnavailable(
            f"{error} Start the console or {name_program()} sandbox, or name the sandbox's URL."
        ) from None


def _list_present(client: SandboxClient, wanted: EventFilter) -> Iterator[dict[str, Any]]:
    """What is there already, page by page. Any: JSON."""
    after = 0
    while page := client.read_events(after, wanted):
        yield from page
        after = page[-1]["seq"]


def _follow(client: SandboxClient, wanted: EventFilter, after: int) -> Iterator[dict[str, Any]]:
    """What arrives after an event, for ever; a sandbox that is gone is waited for, and that is said once. Any: JSON."""
    is_gone = False
    while True:
        try:
            page = client.wait_for_events(after, wanted, WAIT_SECONDS)
            if not page and client.find_newest() < after:
                after = 0  # it was emptied by a restart: its numbers begin again
        except SandboxUnavailable as error:
            if not is_gone:
                print_message(f"{error} It is waited for; stop with Ctrl+C.")
            is_gone = True
            time.sleep(RETRY_SECONDS)
            continue
        if is_gone:
            is_gone = False
            print_message("The sandbox responds again.")
        yield from page
        if page:
            after = page[-1]["seq"]


def _print_event(event: Mapping[str, Any], form: str) -> None:
    """Print an event at once. Any: JSON."""
    if form == "jsonl":
        print(spell_json(dump_json(dict(event))))
    else:
        line = sanitize_text(_describe_event(event), sys.stdout)
        color = Color.GREEN if event["processed"] else Color.YELLOW
        print(f"{line}  {color_text(sanitize_text(_describe_verdict(event), sys.stdout), color, sys.stdout)}")
    flush_output()


def _describe_event(event: Mapping[str, Any]) -> str:
    """When it arrived, what it is, whose and of what. Any: JSON."""
    at = datetime.fromtimestamp(event["received_at"] / 1000).astimezone()
    person = next(
        (f"{field}={event[field]}" for field in IDENTITY_FIELDS if event.get(field) is not None), "no identity"
    )
    name = "no name" if event["name"] is None else event["name"]
    product = "no product" if event["productId"] is None else event["productId"]
    event_id = "no event id" if event["eventId"] is None else event["eventId"]
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}  {event['project']}  {name:<17}  {person}  {product}  {event_id}"


def _describe_verdict(event: Mapping[str, Any]) -> str:
    """Whether it is processed, or why not. Any: JSON."""
    return "processed" if event["processed"] else f"not processed: {event['because']}"
