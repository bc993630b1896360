"""The state of the Upload screen: the file on disk, its mapping, its checks and its plan, and the callbacks.

A file is uploaded once, past the script, into the spool on disk. What is computed from it is cached by everything that
it depends on, so that a screen that is drawn again reads nothing again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from intempt_core.contract import Json
from intempt_core.dispatch import make_batch_intent
from intempt_core.errors import ConsoleError
from intempt_core.fixes import Fix, SuggestedFix, apply_fixes, suggest_fixes
from intempt_core.history import BatchSource, ExcludedRow, collect_excluded_rows
from intempt_core.mapping import (
    EventSource,
    Mapping,
    MappingSuggestion,
    choose_initial_mapping,
    exact_mapping,
    map_table,
)
from intempt_core.planning import EventOrder, Plan, Policy, plan_table
from intempt_core.readers import Dialect, Table, read_table
from intempt_core.targets import Target
from intempt_core.validation import ExpectationReport, Report, check_table
from pages.parts.shared.screen_state import (
    TARGET_WIDGET,
    get_screen_state,
    make_key,
    read_widget,
    replace_screen_state,
)
from pages.parts.shared.send_flow import Submission, submit_once
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services

MAX_CACHED_FILES = 4
"""Files whose table, checks and plans are kept in memory, over all sessions."""

HISTOGRAM_BINS = 24
"""Bars of the chart that shows where in a file a kind of problem is."""


@dataclass
class UploadState:
    """The Upload screen of one tab.

    Attributes:
        uploads: How many files were uploaded, for the keys of the next widgets.
        token: The token under which this tab uploads.
        name: The name of the file.
        digest: The SHA-256 of the file; empty without one.
        dialect: How the file is read.
        mapping: The mapping of the file.
        mapping_settled: Whether the mapping step is settled.
        fresh: A random text for ids that no earlier upload has; ``None`` for the same ids for the same rows.
        everything: Whether rows with errors are sent too.
        exclude_accepted: Whether rows are excluded whose event was accepted before.
        fixes: The fixes of the file, in their order.
        order: The order of a person's events.
        guard: What was sent of this file.
        problem: What is wrong with the file or its mapping, as a sentence.
        newest_batch: The newest batch when the mapping was settled.
        revision: How often the mapping was changed other than by its own fields. They then get new keys: a browser that
            is late would otherwise give back what they showed before.
        question: What the shown checks depend on.
    """

    uploads: int = 0
    token: str = ""
    name: str = ""
    digest: str = ""
    dialect: Dialect | None = None
    mapping: Mapping | None = None
    mapping_settled: bool = False
    fresh: str | None = None
    everything: bool = False
    exclude_accepted: bool = False
    fixes: tuple[Fix, ...] = ()
    order: EventOrder = EventOrder.FILE
    guard: SendGuard = field(default_factory=SendGuard)
    problem: str = ""
    newest_batch: str = ""
    revision: int = 0
    question: "CheckQuestion | None" = None


def get_upload_state() -> UploadState:
    """This tab's Upload screen."""
    return get_screen_state(UploadState)


def get_upload_token() -> str:
    """The token under which this tab uploads files."""
    found = get_upload_state()
    if not found.token:
        found.token = get_services().upload_tokens.create_token()
    return found.token


def receive_file() -> None:
    """Read a file that this tab has uploaded; why it cannot be read is a sentence."""
    file = get_services().upload_tokens.take_newest(get_upload_token())
    if file is None:
        found = get_upload_state()
        if found.digest and not get_services().upload_tokens.spool.touch(found.digest):
            start_next_upload()
            get_upload_state().problem = f"{found.name} was removed, as it was not used for a day. Upload it again."
        return
    start_next_upload()
    found = get_upload_state()
    try:
        table = load_table(file.digest, file.name, None)
        found.name, found.digest, found.dialect = file.name, file.digest, table.dialect
        found.mapping = choose_initial_mapping(table)
    except ConsoleError as error:
        found.problem = str(error) if file.name in str(error) else f"{file.name}: {error}"


@st.cache_resource(max_entries=MAX_CACHED_FILES, show_spinner="Reading the file", hash_funcs={Dialect: repr})
def load_table(digest: str, name: str, dialect: Dialect | None) -> Table:
    """The uploaded file as a table; ``dialect`` overrules what is recognised."""
    return read_table(get_services().upload_tokens.spool.path(digest), name=name, dialect=dialect)


@dataclass(frozen=True, slots=True)
class CheckQuestion:
    """Everything that the checks of a file depend on.

    Attributes:
        digest: The SHA-256 of the file.
        name: The name of the file.
        dialect: How the file is read.
        mapping: The mapping as JSON.
        fresh: A random text for ids that no earlier upload has, or ``None``.
        target_key: The target (a ``key``) whose history and catalogue are asked.
        newest_batch: The newest batch when the mapping was settled.
        fixes: The fixes of the file.
        catalogue_time: When the target's catalogue was loaded, in epoch milliseconds.
    """

    digest: str
    name: str
    dialect: Dialect
    mapping: str
    fresh: str | None
    target_key: str
    newest_batch: str
    fixes: tuple[Fix, ...] = ()
    catalogue_time: int = 0

    @property
    def cache_key(self) -> str:
        """The question in some hundred characters, however many cells were fixed."""
        return repr((replace(self, fixes=()), [fix.key for fix in self.fixes]))


@st.cache_resource(
    max_entries=MAX_CACHED_FILES,
    show_spinner="Checking every row",
    hash_funcs={CheckQuestion: lambda question: question.cache_key},
)
def check_upload(question: CheckQuestion) -> "CheckedFile":
    """The file fixed, mapped and checked, also against what was sent to the target before.

    A fixed table shares with the original the columns that no fix changed, and what history was asked for them.
    """
    find_prior_sends = get_services().history.events.prior_send_lookup(question.target_key)
    is_unknown_product = get_services().product_lookup(question.target_key)
    if not question.fixes:
        table = load_table(question.digest, question.name, question.dialect)
        mapped = map_table(table, Mapping.from_json(question.mapping), question.fresh)
        return CheckedFile(mapped, check_table(mapped, find_prior_sends, is_unknown_product))
    original = check_upload(replace(question, fixes=()))
    fixed = apply_fixes(original.mapped, question.fixes)
    earlier = original.report if fixed.mapped.has_same_ids(original.mapped) else None
    report = check_table(fixed.mapped, find_prior_sends, is_unknown_product, earlier_report=earlier)
    return CheckedFile(fixed.mapped, report, question.fixes, fixed.cells)


@dataclass(frozen=True)
class CheckedFile:
    """A mapped file and the result of checking it.

    Attributes:
        mapped: The file, mapped.
        report: The issues of its rows.
        fixes: The fixes that were applied.
        cells_changed: The number of cells that each fix changed.
        plans: Plans by the rows that are excluded and by order, made once, as a screen is drawn often.
    """

    mapped: EventSource
    report: Report
    fixes: tuple[Fix, ...] = ()
    cells_changed: tuple[int, ...] = ()
    plans: dict[tuple[bytes, EventOrder], Plan] = field(default_factory=dict)

    @property
    def accepted_before(self) -> NDArray[np.int64]:
        """The rows (from 0) whose event was accepted by this target before."""
        return self.report.rows_of("sent_before", "accepted")

    def excluded_rows(self, *, everything: bool, exclude_accepted: bool = False) -> NDArray[np.int64]:
        """The rows (from 0) that are not sent: with errors, unless ``everything`` is, and those accepted before."""
        mask = np.zeros(self.report.rows, np.bool_) if everything else self.report.error_mask.copy()
        if exclude_accepted:
            mask[self.accepted_before] = True
        return np.flatnonzero(mask)

    def plan(self, *, everything: bool, exclude_accepted: bool = False, order: EventOrder = EventOrder.FILE) -> Plan:
        """The requests of the rows that are sent."""
        excluded = self.excluded_rows(everything=everything, exclude_accepted=exclude_accepted)
        key = sha256(excluded.tobytes()).digest(), order
        if key not in self.plans:
            rows = np.delete(np.arange(self.report.rows), excluded)
            self.plans[key] = plan_table(self.mapped, rows, get_services().settings, order=order)
        return self.plans[key]

    @cached_property
    def suggestions(self) -> list[SuggestedFix]:
        """The fixes that would help."""
        return suggest_fixes(self.mapped, self.report)

    @cached_property
    def issue_histogram(self) -> dict[str, list[int]]:
        """Where in the file each kind of problem is: numbers of rows, by code, in :data:`HISTOGRAM_BINS` parts."""
        rows_by_code = {code: self.report.rows_of(code) for code in self.report.counts}
        return {
            code: np.histogram(rows, HISTOGRAM_BINS, (0, self.report.rows))[0].tolist()
            for code, rows in rows_by_code.items()
        }

    @property
    def fix_records(self) -> list[Json]:
        """The fixes as history keeps them with the batch."""
        return [step.record(cells) for step, cells in zip(self.fixes, self.cells_changed, strict=True)]

    @cached_property
    def expectations(self) -> ExpectationReport:
        """The results of the column ``expect``; raises :class:`ConsoleError` where it expects nothing."""
        return ExpectationReport(self.mapped.table, self.report)

    def excluded_records(self, *, everything: bool = False, exclude_accepted: bool = False) -> Iterator[ExcludedRow]:
        """The rows that are not sent, with the codes of their issues."""
        excluded = self.excluded_rows(everything=everything, exclude_accepted=exclude_accepted).tolist()
        return collect_excluded_rows(self.report, self.mapped.events, excluded)


def get_current_table() -> Table:
    """The file as it is read now."""
    found = get_upload_state()
    return load_table(found.digest, found.name, found.dialect)


def reread_file(dialect: Dialect) -> None:
    """Read the file another way; if its header changes, its mapping is made again."""
    found = get_upload_state()
    try:
        header = get_current_table().header
        new = load_table(found.digest, found.name, dialect)
    except ConsoleError as error:
        found.problem = str(error)
        return
    found.dialect, found.problem, found.mapping_settled, found.fixes = new.dialect, "", False, ()
    if new.header != header:
        found.mapping = choose_initial_mapping(new)
        found.revision += 1


def set_events_unchanged(*, unchanged: bool) -> None:
    """Send events of JSON lines unchanged, or map their keys."""
    found = get_upload_state()
    found.mapping = Mapping({}) if unchanged else exact_mapping(get_current_table().header)
    found.mapping_settled = False
    found.revision += 1


def set_field(column: str, field: str | None) -> None:
    """Map one column to a field, or to nothing."""
    found = get_upload_state()
    mapping = found.mapping or exact_mapping(get_current_table().header)
    columns = {c: f for c, f in mapping.columns.items() if c != column}
    if field:
        columns[column] = field
    types = {f: kind for f, kind in mapping.types.items() if f in columns.values()}
    names = mapping.names if "name" in columns.values() else {}
    found.mapping = replace(mapping, columns=columns, types=types, names=names)


def use_mapping(text: str) -> None:
    """Replace the mapping by the text of a mapping file; why it is none is a sentence."""
    found = get_upload_state()
    try:
        found.mapping, found.problem = Mapping.from_json(text), ""
        found.revision += 1
    except ConsoleError as error:
        found.problem = str(error)


def accept_suggestions(suggestions: list[MappingSuggestion]) -> None:
    """Apply suggestions to the mapping."""
    found = get_upload_state()
    for suggestion in suggestions:
        found.mapping = (found.mapping or exact_mapping(get_current_table().header)).accept(suggestion)
    found.revision += 1


def settle_mapping() -> None:
    """Settle the mapping: the file is then checked against what history holds now."""
    found = get_upload_state()
    newest = get_services().history.queries.batches(size=1).items
    found.mapping_settled, found.newest_batch = True, newest[0].id if newest else ""


def read_plan_choice() -> tuple[object, ...]:
    """What the plan's button represents now: the sends so far, and every choice of the person."""
    found, name = get_upload_state(), read_widget(TARGET_WIDGET)
    policy = read_widget(make_key("upload", "policy", name))
    return found.guard.describe_button(
        found.fresh, found.everything, found.exclude_accepted, found.fixes, found.order, name, policy
    )


def submit_upload(checked: CheckedFile, plan: Plan, target: Target, policy: Policy, drawn: tuple[object, ...]) -> None:
    """Record the plan as a batch, and have it sent; ``drawn`` is the choice that the button was drawn for."""
    found = get_upload_state()

    def prepare() -> Submission:
        intent = make_batch_intent(
            plan,
            target,
            source=BatchSource.FILE,
            label=found.name,
            rows=checked.report.rows,
            policy=policy,
            digest=found.digest,
            mapping=checked.mapped.mapping.to_json(),
            notes=_collect_notes(checked, found),
        )
        excluded = checked.excluded_records(everything=found.everything, exclude_accepted=found.exclude_accepted)
        return Submission(intent, plan, excluded)

    submit_once(found.guard, target, prepare, drawn=drawn, read_choice=read_plan_choice)


def _collect_notes(checked: CheckedFile, found: UploadState) -> dict[str, Json]:
    """The choices beside the mapping that History shows with the batch."""
    notes: dict[str, Json] = {"as it is": True} if found.everything else {}
    if found.exclude_accepted and (count := checked.accepted_before.size):
        notes["accepted before, excluded"] = int(count)
    if checked.fixes:
        notes["fixes"] = checked.fix_records
    if found.order is not EventOrder.FILE:
        notes["order"] = found.order.value
    return notes


def start_next_upload() -> None:
    """An empty screen for the next file."""
    st.query_params.clear()
    replace_screen_state(UploadState(uploads=get_upload_state().uploads + 1, token=get_upload_state().token))
