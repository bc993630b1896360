"""The services behind the screens: settings, history, engine and targets. One set a process, opened by ``app.py``.

They are kept here and in no cache of Streamlit's: a cache can be cleared by a message of any browser.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Any

import streamlit as st

from intempt_core import __version__
from intempt_core.contract import now_ms
from intempt_core.dispatch import Dispatcher, SendingEnvironment
from intempt_core.errors import CatalogueUnavailable, ConsoleError, HistoryUnavailable, TargetError, TargetNotFound
from intempt_core.history import (
    BatchIntent,
    BatchSummary,
    ExcludedRow,
    History,
    RequestBlock,
    RequestIntent,
    SavedDocuments,
    SharedUploads,
    make_batch_id,
)
from intempt_core.metrics import MetricsPage
from intempt_core.settings import PASSWORD_VARIABLE, Settings
from intempt_core.targets import (
    SANDBOX,
    STORED,
    AllowedHosts,
    Credential,
    KnownTargets,
    Target,
    TargetRegistry,
    check_same_sandbox,
    derive_target_key,
    read_secrets_file,
)
from intempt_core.transport import SandboxClient
from intempt_core.uploads import Spool, UploadRegistry, UploadTokens
from intempt_core.validation import ProductCatalogue, UnknownProductLookup
from intempt_core.web import Exposure, describe_readable_secrets
from intempt_core.webhooks import WebhookDeliverer, find_webhook
from intempt_core.workers import FileContext, FileRecorder, ResultStore, WorkerProcess
from pages.parts.shared.other_processes import OtherProcesses
from pages.parts.shared.tab_connection import is_tab_open


@dataclass
class AppServices:
    """The services of one process.

    Attributes:
        settings: The settings of this process.
        history: The store of everything that was sent.
        known_targets: The targets of the environment, the secrets file and the console's own store.
        url: Where this console is reached from its own machine.
        exposure: Whether other machines reach it, and what asks who is there.
        typed_targets: Targets typed in any tab, by credential reference: the engine needs their keys after that tab.
        saved: What people saved: mappings, the team's rules, checks of files.
        catalogues: The product catalogues, one for a target.
        upload_tokens: The tokens under which browsers upload files.
        results: What was worked out of uploaded files, for all tabs.
        dispatcher: The engine that sends.
        recordings: The recordings of large files, in processes of their own.
        metrics: What this process did and how it is, for Prometheus.
        others: The other consoles and workers of the database, where machines share it.
        webhooks: Tells the webhooks of targets what became of their batches.
    """

    settings: Settings
    history: History
    known_targets: KnownTargets
    url: str
    exposure: Exposure
    typed_targets: dict[str, Target] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the services that need another one."""
        self.saved = SavedDocuments.from_settings(self.settings, lambda: self.history)
        self.catalogues = self.saved.catalogues
        spool = Spool(self.settings.data / "spool", self.settings.upload_mb * 1_000_000)
        self.upload_tokens = self._open_uploads(spool, self.settings.tab_upload_mb * 1_000_000)
        self.results = ResultStore(
            FileContext(self.settings, lambda: self.history, self.catalogues),
            self.upload_tokens.spool.folder,
            is_tab_open=is_tab_open,
        )
        self.dispatcher = Dispatcher(self.history, SendingEnvironment(self.settings, self.resolve_target), url=self.url)
        self.others = OtherProcesses(self.history, self.settings, self.dispatcher.owner)
        self.recordings = FileRecorder(self.history, self.dispatcher.wake)
        self.webhooks = WebhookDeliverer(
            self.history,
            lambda delivery: find_webhook(self.known_targets.registry.all, delivery, os.environ),
            origin=next((str(origin) for origin in self.exposure.addresses.told), ""),
        )
        self.metrics = MetricsPage(self.history, self.dispatcher, __version__)

    def _open_uploads(self, spool: Spool, max_tab_bytes: int) -> UploadRegistry:
        """What was uploaded to this console, or to any of those that share its database."""
        if not self.settings.database_url:
            return UploadTokens(spool, max_tab_bytes)
        return SharedUploads(self.history.database, spool, max_tab_bytes)

    @property
    def targets(self) -> Mapping[str, Target]:
        """The targets of all sources, by name, the sandbox first."""
        return {target.name: target for target in self.known_targets.registry.all}

    @property
    def credentials(self) -> list[Credential]:
        """The keys that nothing shown or downloaded may hold; the sandbox's is public and not among them."""
        known = [*self.known_targets.registry.all, *self.typed_targets.values()]
        return [target.credential for target in known if target.credential and target.origin != SANDBOX]

    @cached_property
    def sandbox_client(self) -> SandboxClient:
        """The client of this console's sandbox, opened when first asked for."""
        return SandboxClient(self.targets[SANDBOX])

    @property
    def notices(self) -> list[str]:
        """What every screen has to say: who reaches this console and its keys, how its data is, how it sends."""
        found = (
            self.exposure.notice,
            describe_readable_secrets(self.settings.secrets_file),
            *self.history.notices,
            *self.dispatcher.notices,
            self.others.describe_sandboxes(),
        )
        return [notice for notice in found if notice]

    def resolve_target(self, batch: BatchSummary) -> Target:
        """The target of a batch, with its key.

        Raises :class:`~intempt_core.errors.TargetNotFound` where this process does not have its key.
        """
        found = self.typed_targets.get(batch.target.credential_reference) or self.targets.get(batch.target.name)
        if found is not None and self.settings.database_url:
            check_same_sandbox(found, batch.target.base)
        if found is not None and found.origin == STORED:
            return self._find_typed_key(found)
        if found is None or found.credential_reference != batch.target.credential_reference:
            raise TargetNotFound(
                f"The key of target {batch.target.name} is not here any more. Describe the target again."
            )
        return found

    def _find_typed_key(self, target: Target) -> Target:
        """A stored target with the key that was typed for it last, in whichever tab, where it has none otherwise.

        A batch that was confirmed before a restart goes on with the key that is typed after it.
        """
        if target.credential is not None:
            return target
        place = derive_target_key(target)
        typed = [one for one in self.typed_targets.values() if derive_target_key(one) == place and one.origin == STORED]
        return typed[-1] if typed else target

    def submit(
        self,
        intent: BatchIntent,
        requests: Iterable[RequestBlock | RequestIntent],
        excluded_rows: Iterable[ExcludedRow] = (),
        start_process: Callable[[BatchIntent], WorkerProcess | None] = lambda _: None,
    ) -> str:
        """Record a batch and have the engine send it; the batch's id. Nothing is sent before it is recorded.

        Where ``start_process`` starts one, that process records it, and this returns as soon as the first piece can be
        sent; ``requests`` and ``excluded_rows`` are then not looked at. Of what cannot be recorded whole a part may
        have been sent: then this returns too, and the batch says so. Raises where nothing is recorded.
        """
        intent = replace(intent, id=make_batch_id(now_ms()), **self._find_senders(intent))
        process = start_process(intent)
        if process is not None:
            return self.recordings.record(intent, process)
        try:
            self.history.recorder.record(intent, requests, excluded_rows)
        except ConsoleError:
            if not self._is_recorded(intent.id):
                raise
        self.dispatcher.wake()
        return intent.id

    def _find_senders(self, intent: BatchIntent) -> dict[str, Any]:
        """Who sends a batch, as fields of its intent: all workers, or this process, which has a key that was typed."""
        owner = self.dispatcher.owner
        known = self.targets.get(intent.target.name)
        has_key = known is not None and known.credential is not None and known.origin == intent.target.origin
        if not self.dispatcher.is_sharing or not has_key:
            return {"owner": owner}
        return {"owner": "", "recorder": owner, "groups": self.history.groups.count_groups(intent.lanes)}

    def _is_recorded(self, batch: str) -> bool:
        try:
            return self.history.queue.has_batch(batch)
        except HistoryUnavailable:
            return False

    def catalogue(self, target: str) -> ProductCatalogue | None:
        """The catalogue that is loaded for a target (a ``key``); ``None`` where there is none, or it cannot be read.

        The Feeds screen shows why one cannot be read.
        """
        try:
            return self.catalogues.get(target)
        except CatalogueUnavailable:
            return None

    def catalogue_time(self, target: str) -> int:
        """When the catalogue of a target (a ``key``) was loaded, in epoch milliseconds; 0 where none is."""
        found = self.catalogue(target)
        return found.loaded_at if found else 0

    def product_lookup(self, target: str) -> UnknownProductLookup | None:
        """The check of product ids (CONTRACT 2.5) where a catalogue is loaded for a target (a ``key``)."""
        catalogue = self.catalogue(target)
        return catalogue.is_unknown if catalogue else None

    def start(self, *, durable: bool = True) -> None:
        """Start the engine, which resumes unfinished batches, and delete files that were uploaded only in part.

        Raises :class:`~intempt_core.errors.ConsoleError` where it cannot run.
        """
        self.upload_tokens.spool.sweep()
        self.results.start()
        self.dispatcher.start(durable=durable)
        self.webhooks.start()

    def stop(self) -> None:
        """Wait for requests in flight, record every outcome, and close."""
        self.recordings.stop()
        self.results.stop()
        self.dispatcher.stop()
        self.webhooks.stop()
        self.history.close()
        if "sandbox_client" in vars(self):
            self.sandbox_client.close()


def read_exposure(settings: Settings) -> Exposure:
    """Where Streamlit's server listens, and what asks who is there.

    Raises :class:`~intempt_core.errors.SettingsError` where other machines would reach it and nothing asks.
    """
    return Exposure.from_settings(
        settings,
        st.get_option("server.address") or "",
        scheme="https" if st.get_option("server.sslCertFile") else "http",
        has_password=bool(os.environ.get(PASSWORD_VARIABLE, "").strip()),
    )


def _open_services() -> AppServices:
    settings = Settings.from_environment(os.environ)
    exposure = read_exposure(settings)
    url = exposure.build_local_url(int(st.get_option("server.port")))
    sandbox = settings.sandbox or f"{url}/sandbox"
    try:
        described = TargetRegistry.from_sources(read_secrets_file(settings.secrets_file), os.environ, sandbox)
    except TargetError as error:
        described = TargetRegistry.from_sources({}, os.environ, sandbox)
        described = TargetRegistry(described.all, (str(error), *described.problems))
    history = History.open(settings.history_url, traces=[settings.engine_file])
    allowed = AllowedHosts.from_settings(settings, os.environ)
    return AppServices(settings, history, KnownTargets(described, history.targets, allowed, os.environ), url, exposure)


class _ServiceHolder:
    """The one set of services of this process, from when it is first asked for until it is closed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._services: AppServices | None = None

    def get(self) -> AppServices:
        with self._lock:
            if self._services is None:
                self._services = _open_services()
            return self._services

    def close(self) -> None:
        with self._lock:
            closing, self._services = self._services, None
        if closing:
            closing.stop()


_HOLDER = _ServiceHolder()


def get_services() -> AppServices:
    """The services of this process, opened when first asked for."""
    return _HOLDER.get()


def close_services() -> None:
    """Stop and close the services, if they are open; the next who asks opens them again, from the environment."""
    _HOLDER.close()
