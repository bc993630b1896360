"""What the Upload screen knows and does: the file on disk, what it was read as, its mapping, its verdict, its plan.

A file comes in once, past the script, into the spool on disk; what is worked out from it is cached by what it depends
on, so that a screen that is drawn again reads nothing again.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
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
    MappedTable,
    Mapping,
    MappingSuggestion,
    choose_initial_mapping,
    exact_mapping,
    map_table,
)
from intempt_core.planning import EventOrder, Plan, Policy, plan_table
from intempt_core.readers import Dialect, Table, read_table
from intempt_core.targets import Target
from intempt_core.validation import ExpectationReport, PriorSend, Report, check_table
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
"""Files whose reading, verdict and plan are kept in memory, over all sessions."""

HISTOGRAM_BINS = 24
"""Pieces of a file in the small picture of where a kind of problem is."""


@dataclass
class UploadState:
    """The Upload screen of one tab."""

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
    """Whether rows stay behind whose event was accepted before."""
    fixes: tuple[Fix, ...] = ()
    """What was changed of the file, step by step."""
    order: EventOrder = EventOrder.FILE
    guard: SendGuard = field(default_factory=SendGuard)
    problem: str = ""
    """What is wrong with the file or its mapping."""
    newest_batch: str = ""
    """The newest batch when the mapping was settled."""
    revision: int = 0
    """How often the mapping was changed other than by its own fields: they are drawn anew then, for a browser that is
    late would give back what they showed before.
    """
    question: "CheckQuestion | None" = None
    """What the verdict on the screen is about."""


def get_upload_state() -> UploadState:
    """This tab's Upload screen."""
    return get_screen_state(UploadState)


def get_upload_token() -> str:
    """The token under which this tab's browser brings files."""
    found = get_upload_state()
    if not found.token:
        found.token = get_services().upload_tokens.create_token()
    return found.token


def receive_file() -> None:
    """If a file has come in through this tab's door, read it; what cannot be read is a sentence."""
    file = get_services().upload_tokens.take_newest(get_upload_token())
    if file is None:
        found = get_upload_state()
        if found.digest and not get_services().upload_tokens.spool.touch(found.digest):
            start_next_upload()
            get_upload_state().problem = f"{found.name} has lain here unread for a day and was removed. Drop it again."
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
    """The spooled file as a table; ``dialect`` overrules what would be guessed."""
    return read_table(get_services().upload_tokens.spool.path(digest), name=name, dialect=dialect)


@dataclass(frozen=True, slots=True)
class CheckQuestion:
    """All that a verdict depends on. ``place`` is a target's key; ``stamp`` the newest batch when it was asked."""

    digest: str
    name: str
    dialect: Dialect
    mapping: str
    fresh: str | None
    target_key: str
    newest_batch: str
    fixes: tuple[Fix, ...] = ()
    catalogue_time: int = 0
    """When the place's catalogue was loaded; another one is another verdict."""

    @property
    def cache_key(self) -> str:
        """The question in some hundred characters, whatever was mended."""
        return repr((replace(self, fixes=()), [mend.key for mend in self.fixes]))


@st.cache_resource(
    max_entries=MAX_CACHED_FILES,
    show_spinner="Checking every row",
    hash_funcs={CheckQuestion: lambda question: question.cache_key},
)
def check_upload(question: CheckQuestion) -> "CheckedFile":
    """The file mapped, mended and checked, with what history has sent to the place before.

    A mended table shares with the one before the mends what no mend touched: columns, and history's answer.
    """
    sent, lacks = get_services().history.sent_ids, get_services().product_lookup(question.target_key)

    def seen(ids: Sequence[str]) -> AnyMapping[str, PriorSend]:
        return sent(question.target_key, ids)

    if not question.fixes:
        table = load_table(question.digest, question.name, question.dialect)
        mapped = map_table(table, Mapping.from_json(question.mapping), question.fresh)
        return CheckedFile(mapped, check_table(mapped, seen, lacks))
    before = check_upload(replace(question, fixes=()))
    mended = apply_fixes(before.mapped, question.fixes)
    known = before.report if mended.mapped.has_same_ids(before.mapped) else None
    report = check_table(mended.mapped, seen, lacks, earlier_report=known)
    return CheckedFile(mended.mapped, report, question.fixes, mended.cells)


@dataclass(frozen=True)
class CheckedFile:
    """A mapped file and its verdict."""

    mapped: MappedTable
    report: Report
    fixes: tuple[Fix, ...] = ()
    cells_changed: tuple[int, ...] = ()
    """The cells that each mend changed."""
    plans: dict[tuple[bytes, EventOrder], Plan] = field(default_factory=dict)
    """Plans by the rows that stay behind, and by their order; made once, for a screen is drawn often."""

    @property
    def accepted_before(self) -> NDArray[np.int64]:
        """The rows whose event was accepted at this place before."""
        return self.report.rows_of("sent_before", "accepted")

    def excluded_rows(self, *, everything: bool, exclude_accepted: bool = False) -> NDArray[np.int64]:
        """The rows (from 0) that stay behind: those with errors, unless everything goes as it is, and, to be left out,
        those that were accepted before.
        """
        stay = np.zeros(self.report.rows, np.bool_) if everything else self.report.error_mask.copy()
        if exclude_accepted:
            stay[self.accepted_before] = True
        return np.flatnonzero(stay)

    def plan(self, *, everything: bool, exclude_accepted: bool = False, order: EventOrder = EventOrder.FILE) -> Plan:
        """The requests of the rows that do not stay behind."""
        stay = self.excluded_rows(everything=everything, exclude_accepted=exclude_accepted)
        which = sha256(stay.tobytes()).digest(), order
        if which not in self.plans:
            rows = np.delete(np.arange(self.report.rows), stay)
            self.plans[which] = plan_table(self.mapped, rows, get_services().settings, order=order)
        return self.plans[which]

    @cached_property
    def offers(self) -> list[SuggestedFix]:
        """The mends that would help."""
        return suggest_fixes(self.mapped, self.report)

    @cached_property
    def issue_histogram(self) -> dict[str, list[int]]:
        """Where in the file each kind of problem is: rows in so many pieces of it."""
        pieces = {code: self.report.rows_of(code) for code in self.report.counts}
        return {
            code: np.histogram(rows, HISTOGRAM_BINS, (0, self.report.rows))[0].tolist() for code, rows in pieces.items()
        }

    @property
    def fix_records(self) -> list[Json]:
        """The mends as history keeps them with the batch."""
        return [step.record(cells) for step, cells in zip(self.fixes, self.cells_changed, strict=True)]

    @cached_property
    def expectations(self) -> ExpectationReport:
        """What became of the file's own tests; raises where its column ``expect`` says nothing."""
        return ExpectationReport(self.mapped.table, self.report)

    def excluded_records(self, *, everything: bool = False, exclude_accepted: bool = False) -> Iterator[ExcludedRow]:
        """The rows that stay behind, with the codes that hold them back."""
        stay = self.excluded_rows(everything=everything, exclude_accepted=exclude_accepted).tolist()
        return collect_excluded_rows(self.report, self.mapped.events, stay)


def get_current_table() -> Table:
    """The file as it is read now."""
    found = get_upload_state()
    return load_table(found.digest, found.name, found.dialect)


def reread_file(dialect: Dialect) -> None:
    """Read the file another way; its mapping begins anew where its header changes."""
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
    """Events of JSON lines leave as they stand, or are mapped from their keys."""
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
    """Take a mapping file's text in the place of the mapping there is; what is no mapping is a sentence."""
    found = get_upload_state()
    try:
        found.mapping, found.problem = Mapping.from_json(text), ""
        found.revision += 1
    except ConsoleError as error:
        found.problem = str(error)


def accept_suggestions(offers: list[MappingSuggestion]) -> None:
    """Take what is offered, because a person said so."""
    found = get_upload_state()
    for offer in offers:
        found.mapping = (found.mapping or exact_mapping(get_current_table().header)).accept(offer)
    found.revision += 1


def settle_mapping() -> None:
    """The mapping is settled: judge the file against what history holds now."""
    found = get_upload_state()
    newest = get_services().history.batches(size=1).items
    found.mapping_settled, found.newest_batch = True, newest[0].id if newest else ""


def read_plan_choice() -> tuple[object, ...]:
    """What the plan's button stands for now: the sends so far, and every choice of the person."""
    found, name = get_upload_state(), read_widget(TARGET_WIDGET)
    policy = read_widget(make_key("upload", "policy", name))
    return found.guard.describe_button(
        found.fresh, found.everything, found.exclude_accepted, found.fixes, found.order, name, policy
    )


def submit_upload(checked: CheckedFile, plan: Plan, target: Target, policy: Policy, drawn: tuple[object, ...]) -> None:
    """Record the plan as a batch, and have the engine send it; ``drawn`` is the choice that the button was drawn for."""
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
    """What is worth showing of the batch later: what was decided beside the mapping."""
    notes: dict[str, Json] = {"as it is": True} if found.everything else {}
    if found.exclude_accepted and (count := checked.accepted_before.size):
        notes["accepted before, left out"] = int(count)
    if checked.fixes:
        notes["fixes"] = checked.fix_records
    if found.order is not EventOrder.FILE:
        notes["order"] = found.order.value
    return notes


def start_next_upload() -> None:
    """An empty screen for the next file."""
    st.query_params.clear()
    replace_screen_state(UploadState(uploads=get_upload_state().uploads + 1, token=get_upload_state().token))
