"""The tasks of a file: to read, check, fix and plan it, or to make a catalogue of it.

Each runs the same here and in a process of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from intempt_core.errors import CatalogueUnavailable, ReadError
from intempt_core.fixes import ColumnChange, Fix, apply_fixes, preview_fix
from intempt_core.history import SavedDocuments
from intempt_core.mapping import EventSource, Mapping, have_same_cells, map_table
from intempt_core.planning import EventOrder, Plan, plan_table
from intempt_core.readers import Dialect, MappedFile, ReadLimits, ReadOptions, Table, read_table
from intempt_core.settings import Settings
from intempt_core.validation import (
    PRIOR_SEND_CODES,
    CatalogueFile,
    CatalogueStore,
    PriorSendLookup,
    ProductCatalogue,
    TeamRules,
    UnknownProductLookup,
    build_catalogue,
    check_table,
    read_catalogue_file,
)
from intempt_core.workers.file_check import FileCheck

if TYPE_CHECKING:
    from intempt_core.history import History


SMALL_LIMITS = ReadLimits(table_bytes=32_000_000, unpacked_bytes=8_000_000, rows=50_000)
"""What a file may become that is worked on in the console's own process."""

OWN_PROCESS_LIMITS = ReadLimits(memory_bytes=32_000_000)
"""What a file may become in a process of its own, whose table lies on disk for the console."""


class FileContext:
    """What a task needs beside the file: the settings, history and the product catalogues.

    Attributes:
        settings: The console's settings.
        limits: How large a table a file may become here.
    """

    def __init__(
        self,
        settings: Settings,
        open_history: "Callable[[], History]",
        catalogues: CatalogueStore,
        limits: ReadLimits = SMALL_LIMITS,
    ) -> None:
        self.settings, self.limits = settings, limits
        self._open_history, self._catalogues = open_history, catalogues

    @classmethod
    def from_settings(cls, settings: Settings) -> "FileContext":
        """The context in a process of its own, which opens history itself when it is first asked."""

        @cache
        def open_history() -> "History":
            from intempt_core.history import History  # noqa: PLC0415  half a second that only a check needs

            return History.open(settings.history_url)

        catalogues = SavedDocuments.from_settings(settings, open_history).catalogues
        return cls(settings, open_history, catalogues, OWN_PROCESS_LIMITS)

    def open_history(self) -> "History":
        """The history of the data folder."""
        return self._open_history()

    def prior_send_lookup(self, target_key: str, superseded: Sequence[int] = ()) -> PriorSendLookup:
        """What history knows of event ids that were sent to a target (a ``key``).

        What is pending in ``superseded`` batches (their numbers) does not count.
        """
        return self._open_history().events.prior_send_lookup(target_key, superseded)

    def product_lookup(self, target_key: str) -> UnknownProductLookup | None:
        """The check of product ids where a catalogue is loaded for a target (a ``key``), and can be read."""
        try:
            catalogue = self._catalogues.get(target_key)
        except CatalogueUnavailable:
            return None
        return catalogue.is_unknown if catalogue else None


class FileTask(Protocol):
    """Something that is worked out of a file, and of the results of other tasks."""

    @property
    def key(self) -> str:
        """A text that is different for every different result."""

    @property
    def file_name(self) -> str:
        """The name of the file, for sentences."""

    @property
    def verb(self) -> str:
        """What is done with the file, such as “read”."""

    @property
    def inputs(self) -> "Sequence[FileTask]":
        """The tasks whose results this one is given."""

    @property
    def file_bytes(self) -> int:
        """Bytes of the file on disk; 0 for a task that is given a table."""

    def run(self, context: FileContext, given: Sequence[Any]) -> object:
        """The result, of the results of ``inputs``. Any: of the types that those have."""


@dataclass(frozen=True)
class ReadFile:
    """Read an uploaded file as a table.

    Attributes:
        path: Where it is; nobody changes it there.
        digest: The SHA-256 of its bytes.
        file_name: Its name.
        dialect: How it is read; what is not said is recognised.
    """

    path: Path
    digest: str
    file_name: str
    dialect: Dialect | ReadOptions | None = None
    verb = "read"
    inputs = ()

    @cached_property
    def key(self) -> str:
        """By its content, its name and how it is read."""
        return make_task_key("read", self.digest, self.file_name, self.dialect)

    @property
    def file_bytes(self) -> int:
        """Bytes of the file; none where it is gone."""
        return _measure_file(self.path)

    def run(self, context: FileContext, given: Sequence[Any]) -> Table:  # noqa: ARG002  a task's parameters
        """The table. Raises :class:`ReadError` where the bytes are none, or it would be too large."""
        try:
            data = MappedFile.open(self.path) if context.limits is OWN_PROCESS_LIMITS else self.path
        except (OSError, ValueError) as error:  # gone, or empty
            if isinstance(error, OSError):
                reason = error.strerror or error
                raise ReadError(f"{self.file_name} cannot be read: {reason}. Upload it again.") from error
            data = self.path
        return read_table(data, name=self.file_name, dialect=self.dialect, limits=context.limits)


@dataclass(frozen=True)
class CheckFile:
    """Fix, map and check a file, also against what was sent to the target before.

    A fixed table shares with the original the columns that no fix changed, and what history was asked for them.

    Attributes:
        table: The task that reads the file.
        mapping: The mapping as JSON.
        fresh: A random text for ids that no earlier upload has, or ``None``.
        target_key: The target (a ``key``) whose history and catalogue are asked.
        seen: What of the target's history was there when the mapping was settled, as a text.
        fixes: The fixes of the file.
        catalogue_time: When the target's catalogue was loaded, in epoch milliseconds.
        superseded: Numbers of the half recorded batches of the file: what never left of them is not sent yet.
        rules: The team's own rules.
    """

    table: ReadFile
    mapping: str
    fresh: str | None
    target_key: str
    seen: str
    fixes: tuple[Fix, ...] = ()
    catalogue_time: int = 0
    superseded: tuple[int, ...] = ()
    rules: TeamRules | None = None
    verb = "checked"
    file_bytes = 0

    @property
    def file_name(self) -> str:
        """The name of the file."""
        return self.table.file_name

    @cached_property
    def key(self) -> str:
        """In some hundred characters, however many cells were fixed."""
        fixes = [fix.key for fix in self.fixes]
        rules = self.rules and (self.rules.name, self.rules.digest)
        own = self.mapping, self.fresh, self.target_key, self.seen, self.catalogue_time, self.superseded, rules
        return make_task_key("check", self.table.key, *own, *fixes)

    @property
    def inputs(self) -> "tuple[FileTask, ...]":
        """The table, or the checked file before it was fixed."""
        return (replace(self, fixes=()),) if self.fixes else (self.table,)

    def run(self, context: FileContext, given: Sequence[Any]) -> FileCheck:
        """The checked file."""
        find_prior_sends = context.prior_send_lookup(self.target_key, self.superseded)
        is_unknown_product = context.product_lookup(self.target_key)
        if not self.fixes:
            mapped = map_table(given[0], Mapping.from_json(self.mapping), self.fresh)
            if self.rules is not None:
                self.rules.check_mapping(mapped)
            report = check_table(mapped, find_prior_sends, is_unknown_product, rules=self.rules)
            return FileCheck(mapped, report, superseded=self.superseded)
        original: FileCheck = given[0]
        fixed = apply_fixes(original.mapped, self.fixes)
        earlier = original.report if _are_known_alike(fixed.mapped, original) else None
        report = check_table(
            fixed.mapped, find_prior_sends, is_unknown_product, earlier_report=earlier, rules=self.rules
        )
        return FileCheck(fixed.mapped, report, self.fixes, fixed.cells, self.superseded)


def _are_known_alike(fixed: EventSource, original: FileCheck) -> bool:
    """Whether history surely knows of a fixed file what it knew of the original.

    The name and the product tell lines of an order apart (CONTRACT 2.9), but only where an id is known.
    """
    if not fixed.has_same_ids(original.mapped):
        return False
    is_known = original.report.rows_of_codes(PRIOR_SEND_CODES).size
    return not is_known or have_same_cells(fixed, original.mapped, ("name", "data.productId"))


@dataclass(frozen=True)
class CheckedFileTask:
    """What is worked out of a checked file alone.

    Attributes:
        checked: The task that checks the file.
    """

    checked: CheckFile
    file_bytes = 0

    @property
    def file_name(self) -> str:
        """The name of the file."""
        return self.checked.file_name

    @property
    def inputs(self) -> tuple[CheckFile]:
        """The checked file."""
        return (self.checked,)


@dataclass(frozen=True)
class PreviewFix(CheckedFileTask):
    """Find the cells of a checked file that a fix would change.

    Attributes:
        fix: The fix.
    """

    fix: Fix
    verb = "previewed"

    @cached_property
    def key(self) -> str:
        """By the checked file and the fix."""
        return make_task_key("preview", self.checked.key, self.fix.key)

    def run(self, context: FileContext, given: Sequence[Any]) -> ColumnChange:  # noqa: ARG002  a task's parameters
        """The cells, as they are and as they would be; from what was suggested where it was."""
        checked: FileCheck = given[0]
        suggested = next((found.change for found in checked.suggestions if found.fix == self.fix), None)
        return suggested or preview_fix(checked.mapped.table, self.fix, checked.mapped.original)


@dataclass(frozen=True)
class PlanFile(CheckedFileTask):
    """Plan the rows of a checked file that are sent.

    Attributes:
        everything: Whether rows with errors are sent too.
        exclude_accepted: Whether rows are excluded whose event was sent before.
        order: The order of a person's events.
        good_members: Whether of rows with errors the events without are sent.
        exclude_codes: Codes of warnings whose rows are excluded too.
    """

    everything: bool
    exclude_accepted: bool
    order: EventOrder
    good_members: bool = False
    exclude_codes: tuple[str, ...] = ()
    verb = "planned"

    @cached_property
    def key(self) -> str:
        """By the checked file and the choices."""
        choices = self.everything, self.exclude_accepted, self.order.value, self.good_members, self.exclude_codes
        return make_task_key("plan", self.checked.key, *choices)

    def run(self, context: FileContext, given: Sequence[Any]) -> Plan:
        """The plan of its rows."""
        checked: FileCheck = given[0]
        excluded = checked.excluded_rows(
            everything=self.everything,
            exclude_accepted=self.exclude_accepted,
            good_members=self.good_members,
            exclude_codes=self.exclude_codes,
        )
        rows = np.delete(np.arange(checked.report.events), excluded)
        return plan_table(checked.mapped, rows, context.settings, order=self.order)


@dataclass(frozen=True)
class ReadCatalogue:
    """Read an uploaded file that may be a product catalogue.

    Attributes:
        path: Where it is; nobody changes it there.
        digest: The SHA-256 of its bytes.
        file_name: Its name.
    """

    path: Path
    digest: str
    file_name: str
    verb = "read"
    inputs = ()

    @cached_property
    def key(self) -> str:
        """By its content and its name."""
        return make_task_key("read catalogue", self.digest, self.file_name)

    @property
    def file_bytes(self) -> int:
        """Bytes of the file; none where it is gone."""
        return _measure_file(self.path)

    def run(self, context: FileContext, given: Sequence[Any]) -> CatalogueFile:  # noqa: ARG002  a task's parameters
        """Its columns. Raises :class:`ReadError` where it is no catalogue."""
        return read_catalogue_file(self.path, name=self.file_name, limits=context.limits)


@dataclass(frozen=True)
class BuildCatalogue:
    """Build the product catalogue of a file.

    Attributes:
        file: The task that reads it.
        id_column: The column of the product id.
        name_columns: The columns that are joined to what a product is called.
    """

    file: ReadCatalogue
    id_column: str
    name_columns: tuple[str, ...] = ()
    verb = "made a catalogue"
    file_bytes = 0

    @property
    def file_name(self) -> str:
        """The name of the file."""
        return self.file.file_name

    @cached_property
    def key(self) -> str:
        """By the file and the choice of columns."""
        return make_task_key("catalogue", self.file.key, self.id_column, self.name_columns)

    @property
    def inputs(self) -> tuple[ReadCatalogue]:
        """The file."""
        return (self.file,)

    def run(self, context: FileContext, given: Sequence[Any]) -> ProductCatalogue:  # noqa: ARG002  a task's parameters
        """The catalogue. Raises :class:`ReadError` where no row has a product id."""
        return build_catalogue(given[0], self.id_column, self.name_columns)


def _measure_file(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def make_task_key(*parts: object) -> str:
    """A text that is different for different parts."""
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
