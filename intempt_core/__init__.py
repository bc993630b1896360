"""The console's core without a screen: product events are checked, planned, sent and explained.

What a program needs is imported from here; each name loads the package that holds it when it is first used. So
``import intempt_core`` costs next to nothing, and reading a file loads neither the database nor the HTTP client::

    from intempt_core import check_table, exact_mapping, map_table, plan_table, read_table, sandbox_target, send_plan

    table = read_table(Path("events.csv"), name="events.csv")
    mapped = map_table(table, exact_mapping(table.header))
    report = check_table(mapped)
    print(report.counts, "excluded:", report.rows_with_errors)
    plan = plan_table(mapped, (~report.excluded_mask).nonzero()[0])
    batch = send_plan(plan, sandbox_target("http://127.0.0.1:8501/sandbox"))
    print(batch.events)

The packages, in the order in which events pass through them:

- ``contract``: the Track API's rules, the issues found with events, the feeds they drive
- ``readers``, ``mapping``, ``validation``, ``fixes``: from bytes to checked events
- ``journeys``: saved sequences of events, to be sent again and again
- ``targets``, ``planning``, ``transport``: where events go, in which requests, and one attempt of one
- ``history``, ``dispatch``: what is recorded before it is sent, and the sending itself
- ``analysis``, ``exports``: why an event had its effect, and files to take away
- ``fixtures``: labelled files of events, and what of the contract a set of files exercises
- ``sandbox``: a local Track API; ``testing``: the same for tests of an application; ``cli``: the command line
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
