"""History: what was meant to be sent, what left, and what came back. Opened with intent, filled with outcomes.

A request::

                    ┌──────────── tried again, certain that nothing arrived ◀───────────┐
                    ▼                                                                   │
    (recorded) ─▶ pending ─▶ in flight ─┬─▶ accepted     for good                       │
                    │           ▲       ├─▶ rejected     for good                       │
                    │           │       ├─▶ not sent     until a person decides ────────┤
                    │           │       ├─▶ unknown      until a person decides         │
                    │           │       │     └─ tried again (it keeps its doubt) ─┐    │
                    │           └───────┼──────────────────────────────────────────┘    │
                    │                   ├─▶ (retry later) ──────────────────────────────┘
                    ▼                   └─▶ split        for good: its halves, recorded pending with it, took over
                cancelled  for good

An attempt whose outcome was unknown leaves a *doubt*: unless a later attempt is accepted, the request stays unknown
whatever a later attempt says, and it never becomes pending or not sent again. ``retry_at`` is set exactly while a
request will be tried again without anybody asking.

A batch::

    recording ─▶ sending ◀─▶ paused
        │        │  ▲  │        │
        │        │  └─ stopped ─┤      stopped: it stands, a person decides
        │        ▼              ▼
        └──────▶ done        cancelled     both for good; cancelling takes along what is pending

        done, cancelled ─▶ forgotten: its rows are being deleted, and no question finds it

*done* needs that nothing is pending, in flight or to be tried again. Only a *sending* batch lets requests leave, and only
those of its owner: the owner's token is looked at in the transaction that writes, so a process that lost a batch while
it was frozen cannot change it.

Every method raises :class:`~intempt_core.errors.HistoryUnavailable` while history is locked, full, read-only,
damaged or gone, and works again when it returns.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
