"""``backup`` and ``restore``: everything that the console keeps goes into a folder, and back."""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from intempt_core.backups import BackupManifest, make_backup, restore_backup
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.output import print_message, print_result
from intempt_core.cli.steps import StepDisplay
from intempt_core.contract import format_count
from intempt_core.settings import Settings


def back_up(args: argparse.Namespace, environment: Mapping[str, str]) -> ExitCode:
    """Run ``backup``: 0 where it is whole; errors say that there is none."""
    settings, began = Settings.from_environment(environment), time.monotonic()
    with _show_steps("Backing up") as steps:
        manifest = make_backup(settings, args.folder, on_step=lambda what: steps.update(what, 0, 0))
    print_result(f"{args.folder}: {_describe(manifest)}, in {time.monotonic() - began:.1f} s.")
    print_message("secrets.toml and keys are not in it: keep them where secrets are kept.")
    return ExitCode.DONE


def restore(args: argparse.Namespace, environment: Mapping[str, str]) -> ExitCode:
    """Run ``restore``: 0 where all of it is there and compared; errors say what is not."""
    settings, began = Settings.from_environment(environment), time.monotonic()
    with _show_steps("Restoring") as steps:
        report = restore_backup(settings, args.folder, on_step=lambda what: steps.update(what, 0, 0))
    print_result(f"{args.folder} is restored: {_describe(report.manifest)}, in {time.monotonic() - began:.1f} s.")
    if report.paused:
        many = format_count(len(report.paused), "batch that was being sent is", "batches that were being sent are")
        print_message(
            f"{many} paused: {', '.join(report.paused[:10])}. What was queued may have been sent since the backup was"
            " made; compare with the target, then resume or cancel."
        )
    print_message("What was sent after it was made is not in this history: the same file would be sent again.")
    return ExitCode.DONE


@contextmanager
def _show_steps(verb: str) -> Iterator[StepDisplay]:
    with StepDisplay(sys.stderr) as steps, steps.step(verb):
        yield steps


def _describe(manifest: BackupManifest) -> str:
    batches, events = manifest.rows.get("batches", 0), manifest.rows.get("events", 0)
    return (
        f"{format_count(batches, 'batch', 'batches')} with {format_count(events, 'event')}"
        f" and {format_count(len(manifest.files), 'file')}"
    )
