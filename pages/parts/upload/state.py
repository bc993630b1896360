"""The state of the Upload screen: the file on disk, its mapping, its checks and its plan, and the callbacks.

A file is uploaded once, past the script, into the spool on disk. What is worked out from it is kept by everything that
it depends on (:class:`~intempt_core.workers.ResultStore`), so that a screen that is drawn again reads nothing again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import streamlit as st

from intempt_core.arrays import Int64Array
from intempt_core.contract import ISSUE_KINDS, Json, format_count
from intempt_core.dispatch import make_batch_intent
from intempt_core.errors import ConsoleError, ReadError
from intempt_core.fixes import ColumnChange, Fix, SuggestedFix
from intempt_core.history import BatchSource, ExcludedRow, HistoryCheckpoint
from intempt_core.mapping import (
    ColumnFacts,
    EventSource,
    Mapping,
    MappingSuggestion,
    choose_initial_mapping,
    exact_mapping,
)
from intempt_core.planning import EventOrder, Plan, Policy
from intempt_core.readers import Dialect, ReadOptions, Table
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import Baseline, ExpectationReport, RememberedCheck, Report
from intempt_core.workers import (
    RECORDING_NICENESS,
    CheckFile,
    ExportedFile,
    ExportFile,
    ExportKind,
    FileCheck,
    PlanFile,
    PreviewFix,
    ReadFile,
    RecordPlan,
)
from pages.parts.shared.formatting import format_size
from pages.parts.shared.screen_state import (
    TARGET_WIDGET,
    get_screen_state,
    make_key,
    read_widget,
    replace_screen_state,
)
from pages.parts.shared.send_flow import Submission, see_history, submit_once
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services
from pages.parts.shared.tab_connection import get_tab_id
from pages.parts.shared.task_results import fetch_result

FILE_PARAMETER = "file"
"""The part of the address that names the file by its digest, so that a page that is loaded again still has it."""

LET_GO_FILES_SHOWN = 3
"""Files that were let go, of which the names are shown."""


@dataclass
class UploadState:
    """The Upload screen of one tab.

    Attributes:
        uploads: How many files were uploaded, for the keys of the next widgets.
        token: The token under which this tab uploads.
        name: The name of the file.
        digest: The SHA-256 of the file; empty without one.
        dialect: How the file is read; ``None`` before it was.
        next_dialect: How a person, or a chosen mapping, wants it to be read instead; ``None`` where nothing is
            to be read.
        mapping: The mapping of the file.
        mapping_settled: Whether the mapping step is settled.
        fresh: A random text for ids that no earlier upload has; ``None`` for the same ids for the same rows.
        everything: Whether rows with errors are sent too.
        good_members: Whether of rows with errors, where a row may be several events, those without are sent.
        exclude_accepted: Whether rows are excluded whose event was sent before.
        exclude_codes: Codes of warnings whose rows are excluded.
        superseded: Numbers of the half recorded batches of the file, of which the plan may be the rest.
        fixes: The fixes of the file, in their order.
        fix_groups: Those of the fixes that were applied together, and are undone as one.
        open_steps: The steps that a person opened or closed, by number.
        order: The order of a person's events.
        guard: What was sent of this file.
        problem: What is wrong with the file or its mapping, as a sentence.
        seen: What the checks of the file have seen of history since the mapping was settled, by target (a ``key``).
        revision: How often the mapping was changed other than by its own fields. They then get new keys: a browser that
            is late would otherwise give back what they showed before.
        question: What the shown checks depend on.
        column_facts: What suggestions know of the file's columns, and which file it is, read how.
        earlier_check: The last check of another file of this shape, and the key of the check that it was asked for.
        fits: How many rows fit, by column and the field that was suggested for it.
    """

    uploads: int = 0
    token: str = ""
    name: str = ""
    digest: str = ""
    dialect: Dialect | None = None
    next_dialect: Dialect | ReadOptions | None = None
    mapping: Mapping | None = None
    mapping_settled: bool = False
    fresh: str | None = None
    everything: bool = False
    good_members: bool = False
    exclude_accepted: bool = False
    exclude_codes: tuple[str, ...] = ()
    superseded: tuple[int, ...] = ()
    fixes: tuple[Fix, ...] = ()
    fix_groups: tuple[tuple[Fix, ...], ...] = ()
    open_steps: dict[int, bool] = field(default_factory=dict)
    order: EventOrder = EventOrder.FILE
    guard: SendGuard = field(default_factory=SendGuard)
    problem: str = ""
    seen: dict[str, HistoryCheckpoint] = field(default_factory=dict)
    revision: int = 0
    question: CheckFile | None = None
    column_facts: tuple[tuple[str, Dialect | None], ColumnFacts] | None = None
    earlier_check: tuple[str, RememberedCheck | None] = ("", None)
    fits: dict[tuple[str, str], int] = field(default_factory=dict)


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
    """Take over a file that this tab has uploaded, and read it; why it cannot be read is a sentence.

    A tab that does something else while its file is read comes back to it here.
    """
    file = get_services().upload_tokens.take_newest(get_upload_token())
    found = get_upload_state()
    if file is not None and not get_services().upload_tokens.spool.touch(file.digest):
        start_next_upload()
        get_upload_state().problem = describe_file_elsewhere(file.name)
        return
    if file is not None:
        start_next_upload()
        found = get_upload_state()
        found.name, found.digest = file.name, file.digest
    elif found.digest and not get_services().upload_tokens.spool.touch(found.digest):
        name, was_let_go = found.name, get_services().upload_tokens.was_let_go(found.token, found.digest)
        start_next_upload()
        why = "to make space for newer files of this tab" if was_let_go else "as it was not used for a day"
        get_upload_state().problem = f"{name} was removed, {why}. Upload it again."
        return
    elif not found.digest and FILE_PARAMETER in st.query_params and "batch" not in st.query_params:
        _adopt_file(found, st.query_params[FILE_PARAMETER])
    if found.digest and found.dialect is None:
        _read_new_file(found)
    elif found.next_dialect is not None:
        _read_file_again(found, found.next_dialect)
    if found.digest and not found.guard.batch:
        st.query_params[FILE_PARAMETER] = found.digest


def describe_file_elsewhere(name: str) -> str:
    """Why a file that has arrived is not in this console's folder, as sentences."""
    return (
        f"{name} arrived at another console, in a folder that this one does not read. Let the consoles share their"
        " folder CONSOLE_DATA, or let the proxy in front of them send all requests of a browser to the same console."
    )


def _adopt_file(found: UploadState, digest: str) -> None:
    """Go on with the file of a page that was loaded again; where it is gone, say so."""
    file = get_services().upload_tokens.adopt_file(get_upload_token(), digest)
    if file is None:
        del st.query_params[FILE_PARAMETER]
        found.problem = "The file of this address is not kept any more. Upload it again."
    else:
        found.uploads += 1
        found.name, found.digest = file.name, file.digest


def _read_new_file(found: UploadState) -> None:
    name, task = found.name, make_read_task(found.digest, found.name, None)
    try:
        table: Table = fetch_result(task)
    except Exception as error:
        get_services().results.let_go(task, get_tab_id())
        found.name = found.digest = ""
        if not isinstance(error, ConsoleError):
            raise
        found.problem = str(error) if name in str(error) else f"{name}: {error}"
        return
    found.dialect, found.mapping = table.dialect, choose_initial_mapping(table)


def _read_file_again(found: UploadState, dialect: Dialect | ReadOptions) -> None:
    """Read the file another way; if its header changes, its mapping is made again, unless it was chosen for that.

    What a person said of how the file is read goes into the mapping.
    """
    try:
        before = get_current_table()
        new = load_table(found.digest, found.name, dialect)
    except ConsoleError as error:
        get_services().results.let_go(make_read_task(found.digest, found.name, dialect), get_tab_id())
        found.problem, found.next_dialect = str(error), None
        return
    found.dialect, found.problem, found.mapping_settled, found.fixes = new.dialect, "", False, ()
    found.fix_groups = ()
    found.fits.clear()
    found.next_dialect = None
    if isinstance(dialect, ReadOptions):
        return
    mapping = found.mapping or choose_initial_mapping(before)
    said = mapping.read
    if dialect.sheet != before.dialect.sheet:  # another sheet has a header of its own
        said = replace(said, header_line=None, rows_to_skip=None, no_header=None)
    if new.header != before.header:
        mapping = choose_initial_mapping(new)
        found.revision += 1
    found.mapping = replace(mapping, read=dialect.changes_from(before.dialect).over(said))


def make_read_task(digest: str, name: str, dialect: Dialect | ReadOptions | None) -> ReadFile:
    """The task that reads the uploaded file; ``dialect`` overrules what is recognised."""
    return ReadFile(get_services().upload_tokens.spool.path(digest), digest, name, dialect)


def load_table(digest: str, name: str, dialect: Dialect | ReadOptions | None) -> Table:
    """The uploaded file as a table; ``dialect`` overrules what is recognised."""
    table: Table = fetch_result(make_read_task(digest, name, dialect))
    return table


def check_upload(question: CheckFile) -> "CheckedFile":
    """The file fixed, mapped and checked, also against what was sent to the target before."""
    fetch_result(question)
    return CheckedFile(question, get_tab_id())


@dataclass(frozen=True)
class CheckedFile:
    """A mapped file and the result of checking it, looked up whenever it is asked for.

    Buttons hold this and not what it looks up, so that the memory of a tab that is closed can be given back.

    Attributes:
        task: What was checked, and how.
        tab: The tab that holds the result.
    """

    task: CheckFile
    tab: str

    @property
    def _result(self) -> FileCheck:
        found: FileCheck = get_services().results.fetch(self.task, self.tab)
        return found

    @property
    def mapped(self) -> EventSource:
        """The file, mapped."""
        return self._result.mapped

    @property
    def report(self) -> Report:
        """The issues of its rows."""
        return self._result.report

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """The fixes that were applied."""
        return self.task.fixes

    @property
    def cells_changed(self) -> tuple[int, ...]:
        """The number of cells that each fix changed."""
        return self._result.cells_changed

    @property
    def accepted_before(self) -> Int64Array:
        """The rows (from 0) whose event was accepted by this target before."""
        return self._result.accepted_before

    @property
    def sent_before(self) -> Int64Array:
        """The rows (from 0) that a person may leave out, as their event went to this target before."""
        return self._result.sent_before

    def excluded_rows(self, found: UploadState) -> Int64Array:
        """The events (from 0) that are not sent, as is chosen now."""
        return self._result.excluded_rows(
            everything=found.everything,
            exclude_accepted=found.exclude_accepted,
            good_members=found.good_members,
            exclude_codes=found.exclude_codes,
        )

    def plan(self, found: UploadState, order: EventOrder = EventOrder.FILE) -> Plan:
        """The requests of the rows that are sent, as is chosen now."""
        plan: Plan = fetch_result(replace(self.plan_task(found), order=order))
        return plan

    def plan_of_click(self, found: UploadState) -> Plan:
        """The plan of what is chosen now, in a click: nothing interrupts that."""
        plan: Plan = get_services().results.fetch(self.plan_task(found), self.tab)
        return plan

    def plan_task(self, found: UploadState) -> PlanFile:
        """The task that plans what is chosen now."""
        return PlanFile(
            self.task,
            found.everything,
            found.exclude_accepted,
            found.order,
            found.good_members,
            found.exclude_codes,
        )

    @property
    def is_large(self) -> bool:
        """Whether it was checked in a process of its own, and lies on disk."""
        return get_services().results.is_stored(self.task)

    def preview(self, fix: Fix) -> ColumnChange:
        """The cells that a fix would change."""
        change: ColumnChange = fetch_result(PreviewFix(self.task, fix))
        return change

    def export(self, kind: ExportKind, chosen: UploadState | None = None) -> ExportedFile:
        """A file that is made of the checked one, in a click on its download; of excluded rows those ``chosen``."""
        task = ExportFile(self.task, kind)
        if chosen is not None:
            task = replace(
                task,
                everything=chosen.everything,
                exclude_accepted=chosen.exclude_accepted,
                good_members=chosen.good_members,
                exclude_codes=chosen.exclude_codes,
            )
        results = get_services().results
        try:
            made: ExportedFile = results.fetch(task, self.tab)
        finally:
            results.let_go(task, self.tab)  # it is handed out once
        return made

    @property
    def suggestions(self) -> list[SuggestedFix]:
        """The fixes that would help."""
        return self._result.suggestions

    @property
    def baseline(self) -> Baseline:
        """What was found, as a later check of a file of this shape is compared with it."""
        return self._result.baseline

    @property
    def issue_histogram(self) -> dict[str, list[int]]:
        """Where in the file each kind of problem is: numbers of rows, by code, in equal parts."""
        return self._result.issue_histogram

    @property
    def fix_records(self) -> list[Json]:
        """The fixes as history keeps them with the batch."""
        return self._result.fix_records

    @property
    def expectations(self) -> ExpectationReport:
        """The results of the column ``expect``; raises :class:`ReadError` where it expects nothing."""
        found = self._result.expectations
        if isinstance(found, str):
            raise ReadError(found)
        return found

    def excluded_records(self, found: UploadState) -> Iterator[ExcludedRow]:
        """The rows that are not sent, as is chosen now, with the codes of their issues."""
        return self._result.excluded_records(
            everything=found.everything,
            exclude_accepted=found.exclude_accepted,
            good_members=found.good_members,
            exclude_codes=found.exclude_codes,
        )


def get_current_table() -> Table:
    """The file as it is read now."""
    found = get_upload_state()
    return load_table(found.digest, found.name, found.dialect)


def get_column_facts() -> ColumnFacts:
    """What suggestions know of the columns of the file as it is read now."""
    found = get_upload_state()
    if found.column_facts is None or found.column_facts[0] != (found.digest, found.dialect):
        found.column_facts = (found.digest, found.dialect), ColumnFacts()
    return found.column_facts[1]


def reread_file(dialect: Dialect) -> None:
    """Have the file read another way when the screen is drawn next."""
    get_upload_state().next_dialect = dialect


def reread_by_mapping(mapping: Mapping) -> bool:
    """Have the file read as its mapping says, if it says so and the file was read otherwise; whether it will be."""
    found = get_upload_state()
    if mapping.read == ReadOptions():
        return False
    if found.dialect is not None and replace(found.dialect, **mapping.read.to_json()) == found.dialect:
        return False
    found.next_dialect = mapping.read
    return True


def set_events_unchanged(*, unchanged: bool) -> None:
    """Send events of JSON lines unchanged, or map their keys."""
    found = get_upload_state()
    mapping = Mapping({}) if unchanged else exact_mapping(get_current_table().header)
    found.mapping = replace(mapping, read=found.mapping.read) if found.mapping else mapping
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
    is_named = "name" in columns.values() or bool(mapping.name_columns)
    names, ignored = (mapping.names, mapping.ignored_names) if is_named else ({}, ())
    found.mapping = replace(mapping, columns=columns, types=types, names=names, ignored_names=ignored)


def use_mapping(text: str) -> None:
    """Replace the mapping by the text of a mapping file; why it is none is a sentence."""
    found = get_upload_state()
    try:
        found.mapping, found.problem = Mapping.from_json(text), ""
        found.revision += 1
        reread_by_mapping(found.mapping)
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
    found.mapping_settled = True
    found.seen.clear()


def see_history_of_check(target: Target) -> HistoryCheckpoint:
    """What the checks of the file have seen of a target's history: of what went since, their plan does not know."""
    return get_upload_state().seen.setdefault(derive_target_key(target), see_history(target))


def see_half_recorded(target: Target) -> tuple[int, ...]:
    """Numbers of the batches of the file that stopped half recorded: what never left of them may be sent as the rest.

    Where there are new ones, only that rest is planned until the person chooses otherwise.
    """
    found = get_upload_state()
    half = get_services().history.repeats.half_recorded(found.digest, derive_target_key(target))
    superseded = tuple(sorted(half.values()))
    if not set(superseded) <= set(found.superseded):
        found.exclude_accepted = True
    found.superseded = superseded
    return superseded


def check_again() -> None:
    """Check the file against what history holds now: its plan then knows what went in the meantime."""
    found = get_upload_state()
    found.seen.clear()
    found.guard.forget_outcome()


def read_plan_choice() -> tuple[object, ...]:
    """What the plan's button represents now: the sends so far, and every choice of the person."""
    found, name = get_upload_state(), read_widget(TARGET_WIDGET)
    policy = read_widget(make_key("upload", "policy", name))
    return found.guard.describe_button(
        found.fresh,
        (found.everything, found.good_members),
        (found.exclude_accepted, found.exclude_codes),
        found.fixes,
        found.order,
        name,
        policy,
    )


def submit_upload(
    checked: CheckedFile, target: Target, policy: Policy, seen: HistoryCheckpoint, drawn: tuple[object, ...]
) -> None:
    """Record the plan as a batch, and have it sent; ``drawn`` is the choice that the button was drawn for."""
    found = get_upload_state()

    def prepare() -> Submission:
        plan, task = checked.plan_of_click(found), checked.plan_task(found)
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
            supersedes=checked.task.superseded if found.exclude_accepted else (),
            seen=seen,
        )
        excluded = checked.excluded_records(found)
        return Submission(
            intent,
            plan,
            excluded,
            start_process=lambda given: get_services().results.start_process(
                RecordPlan(task, given), checked.tab, RECORDING_NICENESS
            ),
            notice=f"Recording {format_count(plan.events, 'event')}: the first are sent at once."
            if checked.is_large
            else "",
        )

    send_again = partial(submit_upload, checked, target, policy, seen, drawn)
    submit_once(found.guard, target, prepare, send_again, drawn=drawn, read_choice=read_plan_choice)


def _collect_notes(checked: CheckedFile, found: UploadState) -> dict[str, Json]:
    """The choices beside the mapping that History shows with the batch."""
    notes: dict[str, Json] = {"as it is": True} if found.everything else {}
    if checked.report.rows_ignored:
        notes["names ignored, excluded"] = checked.report.rows_ignored
    if found.good_members and not found.everything and checked.report.origin is not None:
        notes["members"] = "of rows with errors, events without are sent"
    if found.exclude_accepted and (count := checked.sent_before.size):
        notes["sent before, excluded" if checked.task.superseded else "accepted before, excluded"] = int(count)
    for code in found.exclude_codes:
        if count := checked.report.rows_of(code).size:
            notes[f"{ISSUE_KINDS[code].title}, excluded"] = int(count)
    if checked.task.rules is not None:
        notes["rules"] = checked.task.rules.name
    if checked.fixes:
        notes["fixes"] = checked.fix_records
    if found.order is not EventOrder.FILE:
        notes["order"] = found.order.value
    return notes


def describe_let_go_files() -> str:
    """Which files of this tab were let go for newer ones, and why, as a sentence; empty where none was."""
    tokens = get_services().upload_tokens
    names = tokens.list_let_go(get_upload_token())
    if not names:
        return ""
    was = "was" if len(names) == 1 else "were"
    return (
        f"{', '.join(names[-LET_GO_FILES_SHOWN:])} {was} removed to make space: a tab keeps files of up to"
        f" {format_size(tokens.max_tab_bytes)} together."
    )


def start_next_upload() -> None:
    """An empty screen for the next file; what was worked out of the one before is let go."""
    st.query_params.clear()
    get_services().results.let_go_all(get_tab_id())
    replace_screen_state(UploadState(uploads=get_upload_state().uploads + 1, token=get_upload_state().token))
